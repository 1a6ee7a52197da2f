//! Who asks, and what they may do.

/// What somebody may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and writes, but deletes nothing for good.
    Writer,
    /// Everything.
    Admin,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name, for the audit log and for limits.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

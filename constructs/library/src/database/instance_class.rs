//! What is known of a class of database instances by its name.

/// A class of database instances, such as `db.t4g.small`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceClass {
    /// Whether its processors live on credits that are earned while they rest.
    pub burstable: bool,
    /// The memory in MiB, as far as the family is known.
    pub memory_mib: Option<u64>,
}

impl InstanceClass {
    /// The class of a name; nothing if it does not have the form of one.
    pub fn parse(name: &str) -> Option<Self> {
        let (family, size) = name.strip_prefix("db.")?.split_once('.')?;
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let has_generation = family.bytes().any(|byte| byte.is_ascii_digit());
        if !plain(family) || !has_generation || !plain(size.split('.').next().unwrap_or_default()) {
            return None;
        }
        let kind = family.split(|letter: char| letter.is_ascii_digit()).next().unwrap_or_default();
        // GiB of memory for each pair of processors of the size `large`.
        let of_large = match kind {
            "t" | "m" => Some(8),
            "r" => Some(16),
            "c" => Some(4),
            _ => None,
        };
        let memory_mib = of_large.and_then(|gib: u64| memory_mib(kind, size, gib * 1024));
        Some(Self { burstable: kind == "t", memory_mib })
    }

    /// The connections that the server takes unless it is told otherwise.
    ///
    /// Source: Amazon RDS User Guide, "Maximum number of database connections".
    pub fn max_connections(self) -> Option<u64> {
        self.memory_mib.map(|mib| (mib * 1024 * 1024 / 9_531_392).min(5_000))
    }
}

fn memory_mib(kind: &str, size: &str, of_large: u64) -> Option<u64> {
    let size = size.split('.').next()?;
    match size {
        "micro" if kind == "t" => Some(1_024),
        "small" if kind == "t" => Some(2_048),
        "medium" => Some(of_large / 2),
        "large" => Some(of_large),
        "xlarge" => Some(of_large * 2),
        _ => size.strip_suffix("xlarge")?.parse::<u64>().ok().map(|times| of_large * 2 * times),
    }
}

#[cfg(test)]
mod tests {
    use super::InstanceClass;

    #[test]
    fn a_class_tells_its_memory() {
        let memory = |name| InstanceClass::parse(name).and_then(|class| class.memory_mib);
        assert_eq!(memory("db.t4g.micro"), Some(1_024));
        assert_eq!(memory("db.t4g.medium"), Some(4_096));
        assert_eq!(memory("db.m7g.large"), Some(8_192));
        assert_eq!(memory("db.r6gd.4xlarge"), Some(131_072));
        assert_eq!(memory("db.x2g.large"), None);
        assert_eq!(InstanceClass::parse("db.t4g.micro").and_then(InstanceClass::max_connections), Some(112));
        assert!(InstanceClass::parse("db.t3.small").is_some_and(|class| class.burstable));
    }

    #[test]
    fn what_is_no_class_is_refused() {
        for wrong in ["t4g.small", "db.small", "db.t4g", "db.t4g.", "db.T4G.small", "db.tg.small", ""] {
            assert_eq!(InstanceClass::parse(wrong), None, "{wrong}");
        }
    }
}

//! Signature Version 4, as AWS's own clients compute it for this service.
//!
//! The canonical form is made here, because what a proxy signs has to be, byte for byte, what it sends; the signing key is
//! kept for its day. Source: AWS General Reference, "Signature Version 4".

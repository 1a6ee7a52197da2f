//! Networks as they are synthesised.

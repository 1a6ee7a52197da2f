//! What operators see: health, readiness, metrics and logs.

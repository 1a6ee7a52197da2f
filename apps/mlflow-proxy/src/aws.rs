//! The proxy's own calls to AWS and its one HTTP client: connections are kept and shared by all that calls out.

//! A service of AWS in this process, for tests.

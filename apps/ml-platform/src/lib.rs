//! The ML platform put together from the construct library.

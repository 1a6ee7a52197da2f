//! Golden strings: what AWS says, from its public documentation and from questions in forums.
use super::*;

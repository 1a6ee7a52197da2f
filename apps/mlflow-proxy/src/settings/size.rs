//! Sizes in bytes, as people write them.

use std::fmt;
use std::str::FromStr;

/// A number of bytes: plain, or with one of the units KiB, MiB, GiB and TiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = UNITS.iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?.trim_end(), *bytes)));
        let (number, unit) = unit.unwrap_or((text, 1));
        let number: u64 = number.parse().map_err(|_| "no number")?;
        number.checked_mul(unit).map(Self).ok_or("too large")
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes)) {
            Some((name, bytes)) => write!(formatter, "{} {name}", self.0 / bytes),
            None => write!(formatter, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        for (text, size) in [("0", 0), ("1048576", 1 << 20), ("64 KiB", 64 << 10), ("2GiB", 2 << 30)] {
            assert_eq!(text.parse(), Ok(Size(size)), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5 MiB", "1 MB", "99999999999 TiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        assert_eq!(Size(5 << 20).to_string(), "5 MiB");
        assert_eq!(Size(1000).to_string(), "1000 bytes");
    }
}

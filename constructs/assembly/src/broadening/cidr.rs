//! Ranges of addresses in CIDR notation (RFC 4632, RFC 4291).

use std::net::IpAddr;

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    is_v6: bool,
    /// The address as a number, bits beyond the prefix cleared.
    network: u128,
    /// The length of the prefix in bits.
    length: u32,
}

impl Cidr {
    /// Reads `10.0.0.0/8` or `2001:db8::/32`; an address without a length is a range of one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text.trim(), None),
        };
        let (is_v6, number, bits) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let length = length.unwrap_or(bits);
        if length > bits {
            return None;
        }
        let host = bits - length;
        let network = if host == 128 { 0 } else { number >> host << host };
        Some(Self { is_v6, network, length })
    }

    /// Whether every address of another range is in this one.
    pub(super) fn contains(&self, other: &Self) -> bool {
        let bits = if self.is_v6 { 128 } else { 32 };
        let host = bits - self.length;
        self.is_v6 == other.is_v6
            && self.length <= other.length
            && (host == 128 || other.network >> host == self.network >> host)
    }
}

/// Whether a range holds every address there is.
pub(super) fn is_everywhere(text: &str) -> bool {
    Cidr::parse(text).is_some_and(|range| range.length == 0)
}

/// Whether a range has no address that traffic comes from or goes to. Rules about the loopback or broadcast address
/// stand in for "no rule", where a group needs one.
pub(super) fn is_nowhere(text: &str) -> bool {
    let within = |outer: &str| {
        Cidr::parse(outer).zip(Cidr::parse(text)).is_some_and(|(outer, range)| outer.contains(&range))
    };
    within("127.0.0.0/8") || within("255.255.255.255/32") || within("::1/128")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_narrower_ones_of_their_kind() {
        let contains =
            |own: &str, other: &str| Cidr::parse(own).unwrap().contains(&Cidr::parse(other).unwrap());
        assert!(contains("10.0.0.0/8", "10.2.3.0/24") && contains("0.0.0.0/0", "10.2.3.4"));
        assert!(contains("::/0", "2001:db8::/32") && contains("10.0.0.0/8", "10.0.0.0/8"));
        assert!(!contains("10.2.3.0/24", "10.0.0.0/8") && !contains("0.0.0.0/0", "::/0"));
        assert!(!contains("10.0.0.0/8", "11.0.0.0/24"));
        assert!(is_nowhere("127.0.0.1/32") && is_nowhere("255.255.255.255/32") && !is_nowhere("0.0.0.0/0"));
        assert_eq!(Cidr::parse("10.0.0.0/33"), None);
        assert_eq!(Cidr::parse("pl-1"), None);
        assert!(is_everywhere("::/0") && is_everywhere("0.0.0.0/0") && !is_everywhere("0.0.0.0/1"));
    }
}

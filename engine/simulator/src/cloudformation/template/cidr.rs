//! `Fn::Cidr`: consecutive blocks of one address block.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The first `count` blocks of `bits` host bits in an IPv4 or IPv6 block.
pub(super) fn blocks(block: &str, count: usize, bits: u32) -> Option<Vec<String>> {
    let (address, prefix) = block.split_once('/')?;
    let prefix: u32 = prefix.parse().ok()?;
    let (base, width) = match address.parse::<Ipv4Addr>() {
        Ok(address) => (u128::from(u32::from(address)), 32),
        Err(_) => (u128::from(address.parse::<Ipv6Addr>().ok()?), 128),
    };
    if prefix > width || bits == 0 || bits > width - prefix || !(1..=256).contains(&count) {
        return None;
    }
    let room = width - prefix - bits;
    if room < 32 && count as u64 > 1 << room {
        return None;
    }
    let base = if width == prefix { base } else { base >> (width - prefix) << (width - prefix) };
    let text = |index: usize| {
        let address = base + ((index as u128) << bits);
        let address = if width == 32 {
            Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX)).to_string()
        } else {
            Ipv6Addr::from(address).to_string()
        };
        format!("{address}/{}", width - bits)
    };
    Some((0..count).map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn blocks_follow_each_other_and_stay_inside() {
        assert_eq!(blocks("10.0.0.0/16", 3, 8).unwrap(), ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]);
        assert_eq!(blocks("2001:db8::/56", 2, 64).unwrap(), ["2001:db8::/64", "2001:db8:0:1::/64"]);
        assert_eq!(blocks("10.0.0.0/24", 3, 7), None);
        assert_eq!(blocks("10.0.0.0", 1, 8), None);
    }
}

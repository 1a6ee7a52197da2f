//! Where a request comes from, for what is written down: the other side of the connection, or whom a load balancer names.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. Behind a load balancer it is the last one that `X-Forwarded-For` names: the balancer has added it,
/// and all before it is what the client says itself.
pub(super) fn address(headers: &HeaderMap, peer: SocketAddr, behind_balancer: bool) -> IpAddr {
    let named = || {
        let last = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
        let last = last.rsplit(',').next()?.trim();
        // Balancers may be told to add the port.
        let with_port = || last.parse().ok().map(|address: SocketAddr| address.ip());
        last.parse().ok().or_else(with_port)
    };
    let named = behind_balancer.then(named).flatten();
    named.unwrap_or(peer.ip()).to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_balancer_is_believed_and_only_its_own_word() {
        let peer = "[::ffff:10.0.0.7]:443".parse().unwrap();
        for (values, address_behind) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            (&["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            (&["198.51.100.1", "203.0.113.9 ,198.51.100.2:4711"], "198.51.100.2"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]:80"], "2001:db8::1"),
            (&["198.51.100.1, unknown"], "10.0.0.7"),
            (&["198.51.100.1,"], "10.0.0.7"),
            (&[], "10.0.0.7"),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(FORWARDED_FOR, value.parse().unwrap());
            }
            assert_eq!(address(&headers, peer, true).to_string(), address_behind, "{values:?}");
            assert_eq!(address(&headers, peer, false).to_string(), "10.0.0.7", "{values:?}");
        }
    }
}

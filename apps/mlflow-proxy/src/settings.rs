//! The settings, read once from environment variables.
//!
//! A wrong value is an error before anything is listened on: a proxy that guesses would be found out by its users.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};

/// The variable that holds the address to listen on.
pub(crate) const LISTEN: &str = "MLFLOW_PROXY_LISTEN";

/// What an operator can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The address to listen on; port 0 lets the system choose one.
    pub(crate) listen: SocketAddr,
}

/// A variable holds what cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} is `{value}`, which is not an address\nhint: give IP:port, such as 127.0.0.1:5000 or [::]:5000"
)]
pub(crate) struct BadAddress {
    name: &'static str,
    value: String,
}

impl Settings {
    /// Reads the settings by a function from a variable's name to its value.
    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, BadAddress> {
        let listen = match variable(LISTEN) {
            None => SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            Some(value) => value
                .to_str()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| BadAddress { name: LISTEN, value: value.to_string_lossy().into_owned() })?,
        };
        Ok(Self { listen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(value: Option<&str>) -> Result<Settings, String> {
        Settings::from_variables(|name| {
            assert_eq!(name, "MLFLOW_PROXY_LISTEN");
            value.map(OsString::from)
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_is_reachable_from_this_machine_only() {
        assert_eq!(listen(None).unwrap().listen.to_string(), "127.0.0.1:5000");
    }

    #[test]
    fn both_address_families_are_taken() {
        assert_eq!(listen(Some("0.0.0.0:8080")).unwrap().listen.to_string(), "0.0.0.0:8080");
        assert_eq!(listen(Some("[::1]:8080")).unwrap().listen.to_string(), "[::1]:8080");
    }

    #[test]
    fn a_wrong_address_is_named_with_the_way_out() {
        for wrong in ["", "5000", "localhost:5000", "127.0.0.1", "127.0.0.1:70000"] {
            let error = listen(Some(wrong)).unwrap_err();
            assert!(error.starts_with(&format!("MLFLOW_PROXY_LISTEN is `{wrong}`")), "{error}");
            assert!(error.contains("\nhint: give IP:port"), "{error}");
        }
    }
}

//! The settings of the server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::settings::{Reader, Variable};

/// The settings of the server.
pub const VARIABLES: &[Variable] = &[
    LISTEN,
    TLS_CERTIFICATE,
    TLS_KEY,
    MAX_CONNECTIONS,
    HEAD_TIMEOUT,
    KEEP_ALIVE,
    BODY_TIMEOUT,
    DRAIN_DELAY,
    DRAIN_LIMIT,
    WORKERS,
];

const LISTEN: Variable = Variable {
    name: "MLFLOW_PROXY_LISTEN",
    default: "127.0.0.1:5000",
    about: "The address and port to listen on; port 0 lets the system choose one.",
};

const TLS_CERTIFICATE: Variable = Variable {
    name: "MLFLOW_PROXY_TLS_CERTIFICATE",
    default: "",
    about: "A PEM file with the certificate chain to serve TLS with; read again when it changes.",
};

const TLS_KEY: Variable = Variable {
    name: "MLFLOW_PROXY_TLS_KEY",
    default: "",
    about: "A PEM file with the certificate's private key.",
};

const MAX_CONNECTIONS: Variable = Variable {
    name: "MLFLOW_PROXY_MAX_CONNECTIONS",
    default: "16384",
    about: "How many connections may be open at once; more are answered 503 and closed.",
};

const HEAD_TIMEOUT: Variable = Variable {
    name: "MLFLOW_PROXY_HEAD_TIMEOUT",
    default: "10",
    about: "Seconds that a client has for the head of a request, from its first byte on.",
};

const KEEP_ALIVE: Variable = Variable {
    name: "MLFLOW_PROXY_KEEP_ALIVE",
    default: "75",
    about: "Seconds that a connection may be idle; longer than the balancer's own limit (60 by default).",
};

const BODY_TIMEOUT: Variable = Variable {
    name: "MLFLOW_PROXY_BODY_TIMEOUT",
    default: "30",
    about: "Seconds without a byte of a request's body after which the client is answered 408; as long, a body may fall behind 4 KiB/s.",
};

const DRAIN_DELAY: Variable = Variable {
    name: "MLFLOW_PROXY_DRAIN_DELAY",
    default: "2",
    about: "Seconds for which connections are still accepted after a stop signal, readiness being gone; 0 is possible.",
};

const DRAIN_LIMIT: Variable = Variable {
    name: "MLFLOW_PROXY_DRAIN_LIMIT",
    default: "110",
    about: "Seconds that requests under way have to end after a stop signal.",
};

const WORKERS: Variable = Variable {
    name: "MLFLOW_PROXY_WORKERS",
    default: "",
    about: "The number of worker threads; one for each processor when not given.",
};

/// Where and how the server listens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM files, to serve TLS with.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// How many connections may be open at once.
    pub max_connections: usize,
    /// How long a client may take for the head of a request, so that slow ones do not pile up.
    pub head_timeout: Duration,
    /// How long a connection may be idle between requests.
    pub keep_alive: Duration,
    /// How long no byte of a request's body may come.
    pub body_timeout: Duration,
    /// How long a client may take nothing of its answer. Nobody has to set it.
    pub write_limit: Duration,
    /// How long connections are still accepted after a stop signal.
    pub drain_delay: Duration,
    /// How long requests under way may take after that. Load balancers wait longer (300 s by default).
    pub drain_limit: Duration,
    /// The number of worker threads; `None`: one for each processor.
    pub workers: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            tls: None,
            max_connections: 16_384,
            head_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            write_limit: Duration::from_secs(120),
            drain_delay: Duration::from_secs(2),
            drain_limit: Duration::from_secs(110),
            workers: None,
        }
    }
}

impl Settings {
    /// Reads the server's settings.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let hint = "give IP:port, such as 127.0.0.1:5000 or [::]:5000";
        let listen = reader.parsed(&LISTEN, "an address", hint).unwrap_or(default.listen);
        let tls = match (reader.given(&TLS_CERTIFICATE), reader.given(&TLS_KEY)) {
            (Some(certificate), Some(key)) => Some((PathBuf::from(certificate), PathBuf::from(key))),
            (None, None) => None,
            (Some(_), None) => {
                let hint = "give both, or none to serve without TLS";
                reader.mistake(&TLS_KEY, "is missing while MLFLOW_PROXY_TLS_CERTIFICATE is given", hint);
                None
            }
            (None, Some(_)) => {
                let hint = "give both, or none to serve without TLS";
                reader.mistake(&TLS_CERTIFICATE, "is missing while MLFLOW_PROXY_TLS_KEY is given", hint);
                None
            }
        };
        Self {
            listen,
            tls,
            max_connections: at_least_one(reader, &MAX_CONNECTIONS).unwrap_or(default.max_connections),
            head_timeout: reader.seconds(&HEAD_TIMEOUT).unwrap_or(default.head_timeout),
            keep_alive: reader.seconds(&KEEP_ALIVE).unwrap_or(default.keep_alive),
            body_timeout: reader.seconds(&BODY_TIMEOUT).unwrap_or(default.body_timeout),
            write_limit: default.write_limit,
            drain_delay: seconds_or_zero(reader, &DRAIN_DELAY).unwrap_or(default.drain_delay),
            drain_limit: reader.seconds(&DRAIN_LIMIT).unwrap_or(default.drain_limit),
            workers: at_least_one(reader, &WORKERS),
        }
    }
}

/// A count of which there has to be one at least.
fn at_least_one(reader: &mut Reader<'_>, variable: &Variable) -> Option<usize> {
    let hint = "give a whole number of at least 1";
    let count = reader.parsed(variable, "a whole number", hint)?;
    if count == 0 {
        reader.mistake(variable, "is `0`, with which nothing could be served", hint);
        return variable.default.parse().ok();
    }
    // A semaphore counts no further, and no machine has as many.
    Some(usize::min(count, 1 << 24))
}

/// Seconds, where none at all is a choice too.
fn seconds_or_zero(reader: &mut Reader<'_>, variable: &Variable) -> Option<Duration> {
    let zero = reader.given(variable).is_some_and(|text| text.parse() == Ok(0.0));
    if zero { Some(Duration::ZERO) } else { reader.seconds(variable) }
}

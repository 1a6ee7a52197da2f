//! The values that labels of metrics can have. They are closed sets, so that counters stand in arrays and no client can
//! make new series by inventing paths, methods or statuses.

use http::{Method, StatusCode};

macro_rules! labels {
    ($(#[$about:meta])* $name:ident { $($(#[$variant_about:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_about])* $variant,)+
        }

        impl $name {
            /// All values, in the order of their indexes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The label's value.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

labels! {
    /// What a request was for.
    Class {
        /// MLflow's REST API.
        Mlflow = "mlflow",
        /// Files, served from the bucket.
        Artifacts = "artifacts",
        /// GraphQL.
        Graphql = "graphql",
        /// Traces in OpenTelemetry's form.
        Traces = "traces",
        /// Anything else of MLflow: gateway, static files, version.
        Other = "other",
        /// The proxy's own pages.
        Pages = "pages",
        /// Health and readiness.
        Health = "health",
        /// Refused before it was known what it was for.
        Refused = "refused",
    }
}

labels! {
    /// Why MLflow, or the bucket, gave no answer that could be passed on.
    UpstreamError {
        /// No connection came about.
        Connect = "connect",
        /// The connection broke, or what came was no HTTP.
        Broken = "broken",
        /// No answer in time.
        Timeout = "timeout",
        /// An answer that ended in its midst.
        Truncated = "truncated",
        /// It answered with a status of 500 or above.
        Status = "status",
        /// It refused the proxy's signature or credentials.
        Credentials = "credentials",
    }
}

labels! {
    /// Why somebody was not let in.
    AuthenticationFailure {
        /// Nothing was shown.
        Missing = "missing",
        /// A token or a password that nobody has.
        Unknown = "unknown",
        /// It was valid once.
        Expired = "expired",
        /// Not in a form that is understood.
        Malformed = "malformed",
        /// It is good, and its bearer has no role here.
        NoRole = "no_role",
        /// Too many failed before.
        Limited = "limited",
        /// It could not be judged: users or keys are not at hand.
        Unavailable = "unavailable",
    }
}

labels! {
    /// Which credentials.
    CredentialKind {
        /// Those that the proxy has of its own: the instance's role, a profile.
        Base = "base",
        /// Those of the role that calls MLflow.
        Mlflow = "mlflow",
    }
}

/// Names of methods; the last is for all that have no place of their own.
pub(super) const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// Statuses that have a place of their own; 0 is for all others.
pub(super) const STATUSES: &[u16] = &[
    200, 201, 202, 204, 206, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 414,
    415, 416, 421, 422, 429, 431, 499, 500, 501, 502, 503, 504, 507, 0,
];

/// How many statuses there can be.
const STATUS_RANGE: usize = 1000;

/// The place of every status in [`STATUSES`].
const STATUS_PLACES: [u8; STATUS_RANGE] = {
    let mut places = [(STATUSES.len() - 1) as u8; STATUS_RANGE];
    let mut place = 0;
    while place < STATUSES.len() - 1 {
        places[STATUSES[place] as usize] = place as u8;
        place += 1;
    }
    places
};

/// The place of a method in [`METHODS`].
pub(super) fn method_place(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::HEAD => 1,
        Method::POST => 2,
        Method::PUT => 3,
        Method::PATCH => 4,
        Method::DELETE => 5,
        Method::OPTIONS => 6,
        _ => 7,
    }
}

/// The place of a status in [`STATUSES`].
pub(super) fn status_place(status: StatusCode) -> usize {
    usize::from(STATUS_PLACES[usize::from(status.as_u16()) % STATUS_RANGE])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_own_place_or_the_last() {
        for (place, status) in STATUSES.iter().enumerate().take(STATUSES.len() - 1) {
            assert_eq!(status_place(StatusCode::from_u16(*status).unwrap()), place);
        }
        assert_eq!(STATUSES[status_place(StatusCode::IM_A_TEAPOT)], 0);
    }

    #[test]
    fn methods_stand_at_their_names() {
        for name in METHODS.iter().take(METHODS.len() - 1) {
            assert_eq!(METHODS[method_place(&Method::from_bytes(name.as_bytes()).unwrap())], *name);
        }
        assert_eq!(METHODS[method_place(&Method::from_bytes(b"PROPFIND").unwrap())], "other");
    }
}

//! The settings of who may do what.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::Role;
use super::jwt;
use crate::settings::{Reader, Size, Variable};

/// The settings of access.
pub const VARIABLES: &[Variable] = &[
    AUTH,
    ACCESS,
    ALLOW_ANONYMOUS,
    SECRET_ARN,
    SECRET_FILE,
    SECRET_SECONDS,
    SECRET_MAX_AGE,
    jwt::settings::ISSUER,
    jwt::settings::AUDIENCE,
    jwt::settings::ALB_ARN,
    jwt::settings::NAME_CLAIM,
    jwt::settings::ROLES_CLAIM,
    jwt::settings::ADMIN_GROUPS,
    jwt::settings::WRITER_GROUPS,
    jwt::settings::READER_GROUPS,
    jwt::settings::ROLE,
    RATE,
    BURST,
    USER_MAX_BODY,
];

const AUTH: Variable = Variable {
    name: "MLFLOW_PROXY_AUTH",
    default: "token",
    about: "How clients show who they are: token, basic (passwords, and tokens too) and jwt, or several of them between commas; or none.",
};
const ACCESS: Variable = Variable {
    name: "MLFLOW_PROXY_ACCESS",
    default: "admin",
    about: "The most that anybody may do, whatever their own role: reader, writer or admin.",
};
const ALLOW_ANONYMOUS: Variable = Variable {
    name: "MLFLOW_PROXY_ALLOW_ANONYMOUS",
    default: "false",
    about: "Whether AUTH=none is accepted on an address that others can reach: whoever does then acts with the proxy's role.",
};
const SECRET_ARN: Variable = Variable {
    name: "MLFLOW_PROXY_SECRET_ARN",
    default: "",
    about: "The secret that holds the users, as `formwork proxy user` writes it.",
};
const SECRET_FILE: Variable = Variable {
    name: "MLFLOW_PROXY_SECRET_FILE",
    default: "",
    about: "A file with the users, in place of the secret.",
};
const SECRET_SECONDS: Variable = Variable {
    name: "MLFLOW_PROXY_SECRET_SECONDS",
    default: "30",
    about: "The seconds after which the users are read again.",
};
const SECRET_MAX_AGE: Variable = Variable {
    name: "MLFLOW_PROXY_SECRET_MAX_AGE",
    default: "86400",
    about: "The seconds for which users stay in use that cannot be read again; then nobody can come in until they are.",
};
const RATE: Variable = Variable {
    name: "MLFLOW_PROXY_RATE",
    default: "1000",
    about: "The requests a second that each user may send; 0 is no limit. Without authentication there is none.",
};
const BURST: Variable = Variable {
    name: "MLFLOW_PROXY_RATE_BURST",
    default: "2000",
    about: "The requests that a user who was silent may send at once.",
};
const USER_MAX_BODY: Variable = Variable {
    name: "MLFLOW_PROXY_USER_MAX_BODY",
    default: "0",
    about: "The greatest body of a user's request, such as 20 MiB; 0 leaves it to MLFLOW_PROXY_MAX_BODY.",
};

/// The ways to show who asks. None of them set is no authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Methods {
    /// Tokens of the proxy's own.
    pub tokens: bool,
    /// Names and passwords of the proxy's own.
    pub passwords: bool,
    /// JSON Web Tokens of an issuer, or of a load balancer that has authenticated.
    pub jwt: bool,
}

impl Methods {
    /// Whether anybody is let in without saying who they are.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// Who may do what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How clients show who they are.
    pub methods: Methods,
    /// The most that anybody may do.
    pub greatest: Role,
    /// The secret that holds the users.
    pub secret_arn: Option<String>,
    /// A file in place of the secret.
    pub secret_file: Option<PathBuf>,
    /// How often the users are read again.
    pub secret_interval: Duration,
    /// For how long users stay in use that cannot be read again.
    pub secret_max_age: Duration,
    /// What to accept of JSON Web Tokens.
    pub jwt: Option<jwt::Settings>,
    /// Requests a second of each user; none is no limit.
    pub rate: Option<NonZeroU32>,
    /// Requests at once of a user who was silent.
    pub burst: NonZeroU32,
    /// The greatest body of a user's request, in bytes.
    pub body_limit: Option<u64>,
}

impl Settings {
    /// Reads the settings. `listen` decides whether no authentication is acceptable.
    pub fn read(reader: &mut Reader<'_>, listen: SocketAddr) -> Self {
        let methods = methods(reader);
        let greatest =
            reader.parsed(&ACCESS, "a role", "give reader, writer or admin").unwrap_or(Role::Reader);
        let open = reader.switch(&ALLOW_ANONYMOUS);
        if methods.is_some_and(Methods::is_none) && !listen.ip().is_loopback() && !open {
            let wrong = format!("is `none`, and {listen} can be reached by others");
            let hint =
                "choose token, basic or jwt, listen on 127.0.0.1, or set MLFLOW_PROXY_ALLOW_ANONYMOUS=true";
            reader.mistake(&AUTH, wrong, hint);
        }
        let methods = methods.unwrap_or(Methods { tokens: true, ..Methods::default() });
        let (secret_arn, secret_file) = secret(reader, methods);
        let secret_interval = reader.seconds(&SECRET_SECONDS).unwrap_or(Duration::from_secs(30));
        let secret_max_age = reader.seconds(&SECRET_MAX_AGE).unwrap_or(Duration::from_secs(86400));
        let jwt = jwt::Settings::read(reader, methods.jwt);
        let whole = "a whole number";
        let rate: u32 =
            reader.parsed(&RATE, whole, "give requests a second, such as 100").unwrap_or_default();
        let burst = reader.parsed(&BURST, "a whole number above 0", "give a number of requests, such as 200");
        let body = reader.parsed(&USER_MAX_BODY, "a size", "give bytes, such as 10000000 or 20 MiB");
        let Size(body) = body.unwrap_or(Size(0));
        Self {
            methods,
            greatest,
            secret_arn,
            secret_file,
            secret_interval,
            secret_max_age,
            jwt,
            rate: NonZeroU32::new(rate),
            burst: burst.unwrap_or(NonZeroU32::MIN),
            body_limit: (body > 0).then_some(body),
        }
    }
}

/// The ways that the setting names; `None` when it cannot be understood.
fn methods(reader: &mut Reader<'_>) -> Option<Methods> {
    let mut methods = Methods::default();
    let names = reader.list(&AUTH);
    let hint = "give token, basic or jwt, several of them between commas, or none alone";
    // To name nothing is no way to ask for nothing: whoever means that says `none`.
    if names.is_empty() {
        let wrong = format!("is `{}`, which names no way", reader.text(&AUTH).unwrap_or_default());
        reader.mistake(&AUTH, wrong, hint);
        return None;
    }
    for name in &names {
        match name.as_str() {
            "token" => methods.tokens = true,
            // Machines of a proxy with passwords may have tokens: the stronger of the two.
            "basic" => (methods.tokens, methods.passwords) = (true, true),
            "jwt" => methods.jwt = true,
            "none" if names.len() == 1 => {}
            other => {
                let wrong = format!("is `{}`, of which `{other}` cannot be used", names.join(","));
                reader.mistake(&AUTH, wrong, hint);
                return None;
            }
        }
    }
    Some(methods)
}

fn secret(reader: &mut Reader<'_>, methods: Methods) -> (Option<String>, Option<PathBuf>) {
    let (arn, file) = (reader.given(&SECRET_ARN), reader.given(&SECRET_FILE));
    match (&arn, &file) {
        (Some(_), Some(file)) => {
            let wrong = format!("is `{file}`, and the users are in MLFLOW_PROXY_SECRET_ARN already");
            reader.mistake(&SECRET_FILE, wrong, "give one of them");
        }
        (None, None) if methods.tokens => {
            let wrong = "is not set, so that there are no users";
            let hint = "give the ARN of the stack's secret, or a file by MLFLOW_PROXY_SECRET_FILE";
            reader.mistake(&SECRET_ARN, wrong, hint);
        }
        (Some(arn), None) if arn.split(':').nth(2) != Some("secretsmanager") => {
            let hint = "give arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME";
            reader.mistake(&SECRET_ARN, format!("is `{arn}`, which is not the ARN of a secret"), hint);
        }
        _ => {}
    }
    (arn, file.map(PathBuf::from))
}

#[cfg(test)]
mod tests;

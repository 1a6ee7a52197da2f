//! The settings of logs and metrics.

use std::net::SocketAddr;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::settings::{Reader, Variable};

use super::line::Form;

/// The settings of logs and metrics.
pub const VARIABLES: &[Variable] = &[METRICS_LISTEN, LOG, LOG_FORMAT, ACCESS_LOG, SLOW, LOG_GROUP];

const METRICS_LISTEN: Variable = Variable {
    name: "MLFLOW_PROXY_METRICS_LISTEN",
    default: "127.0.0.1:9464",
    about: "The address and port of /metrics, /healthz and /readyz for operators, which asks nobody who they are; `off` for none.",
};

const LOG: Variable = Variable {
    name: "MLFLOW_PROXY_LOG",
    default: "info",
    about: "The least level of lines that are logged: error, warn, info or debug. Audit lines are always logged.",
};

const LOG_FORMAT: Variable = Variable {
    name: "MLFLOW_PROXY_LOG_FORMAT",
    default: "auto",
    about: "How lines look on the standard error: json, text, or auto, which is text on a terminal.",
};

const ACCESS_LOG: Variable = Variable {
    name: "MLFLOW_PROXY_ACCESS_LOG",
    default: "failures",
    about: "Which requests get a line: all, none, or failures, which are answers of 500 and above and slow ones.",
};

const SLOW: Variable = Variable {
    name: "MLFLOW_PROXY_SLOW_SECONDS",
    default: "10",
    about: "From how many seconds on a request counts as slow for the access log.",
};

const LOG_GROUP: Variable = Variable {
    name: "MLFLOW_PROXY_LOG_GROUP",
    default: "",
    about: "The CloudWatch log group, by name or ARN, that lines and the figures for alarms go to, with the proxy's own role.",
};

/// Which requests get a line of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// All.
    All,
    /// Those that failed or were slow.
    Failures,
    /// None.
    None,
}

/// What is logged and told, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where metrics are told; nowhere without an address.
    pub metrics_listen: Option<SocketAddr>,
    /// The least level of log lines.
    pub level: LevelFilter,
    /// How lines look; without it, as the standard error's kind asks for.
    pub form: Option<Form>,
    /// Which requests get a line.
    pub access_log: AccessLog,
    /// From when on a request is slow.
    pub slow: Duration,
    /// The log group to send lines to, by its name.
    pub log_group: Option<String>,
    /// The region of the log group, when its ARN was given.
    pub log_region: Option<String>,
}

/// Reads a setting that is one of a few words.
fn choice<T: Copy>(reader: &mut Reader<'_>, variable: &Variable, choices: &[(&str, T)]) -> Option<T> {
    let find = |text: &str| choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    let given = reader.given(variable)?;
    let found = find(&given);
    if found.is_none() {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let hint = format!("give one of {}", names.join(", "));
        reader.mistake(variable, format!("is `{given}`, which it cannot be"), hint);
    }
    found
}

/// The log group's name, and its region if an ARN tells it.
fn log_group(reader: &mut Reader<'_>) -> Option<(String, Option<String>)> {
    let given = reader.given(&LOG_GROUP)?;
    if !given.starts_with("arn:") {
        return Some((given, None));
    }
    let parts: Vec<&str> = given.splitn(7, ':').collect();
    if let ["arn", _, "logs", region, _, "log-group", name] = parts.as_slice() {
        // CloudFormation's attribute ends with the streams that are meant: all of them.
        return Some((name.trim_end_matches(":*").to_owned(), Some((*region).to_owned())));
    }
    let hint = "give a name, or arn:aws:logs:REGION:ACCOUNT:log-group:NAME";
    reader.mistake(&LOG_GROUP, format!("is `{given}`, which is not the ARN of a log group"), hint);
    None
}

impl Settings {
    /// Reads the settings of logs and metrics.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let metrics_listen = match reader.text(&METRICS_LISTEN).as_deref() {
            None | Some("off") => None,
            _ => reader.parsed(&METRICS_LISTEN, "an address", "give IP:port, such as 127.0.0.1:9464, or off"),
        };
        let levels = [
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            ("info", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG),
        ];
        let forms = [("auto", None), ("json", Some(Form::Json)), ("text", Some(Form::Text))];
        let access_logs =
            [("all", AccessLog::All), ("failures", AccessLog::Failures), ("none", AccessLog::None)];
        let (log_group, log_region) = log_group(reader).unzip();
        Self {
            metrics_listen,
            level: choice(reader, &LOG, &levels).unwrap_or(LevelFilter::INFO),
            form: choice(reader, &LOG_FORMAT, &forms).flatten(),
            access_log: choice(reader, &ACCESS_LOG, &access_logs).unwrap_or(AccessLog::Failures),
            slow: reader.seconds(&SLOW).unwrap_or(Duration::from_secs(10)),
            log_group,
            log_region: log_region.flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::testing::read_and_tell;

    fn read(pairs: &[(&str, &str)]) -> (Settings, Vec<String>) {
        read_and_tell(pairs, Settings::read)
    }

    #[test]
    fn defaults_keep_metrics_on_loopback() {
        let (settings, mistakes) = read(&[]);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(settings.metrics_listen.unwrap().to_string(), "127.0.0.1:9464");
        assert_eq!((settings.level, settings.access_log), (LevelFilter::INFO, AccessLog::Failures));
        assert_eq!(read(&[("MLFLOW_PROXY_METRICS_LISTEN", "off")]).0.metrics_listen, None);
    }

    #[test]
    fn a_log_group_has_a_name_or_an_arn() {
        let read = |value: &str| {
            let (settings, mistakes) = read(&[("MLFLOW_PROXY_LOG_GROUP", value)]);
            (settings.log_group, settings.log_region, mistakes.len())
        };
        let (name, region) = (Some("/proxy".to_owned()), Some("eu-west-1".to_owned()));
        assert_eq!(read("/proxy"), (name.clone(), None, 0));
        assert_eq!(
            read("arn:aws:logs:eu-west-1:123456789012:log-group:/proxy:*"),
            (name.clone(), region.clone(), 0)
        );
        assert_eq!(read("arn:aws:logs:eu-west-1:123456789012:log-group:/proxy"), (name, region, 0));
        assert_eq!(read("arn:aws:s3:::bucket"), (None, None, 1));
    }

    #[test]
    fn words_that_are_none_of_the_choices_are_told() {
        let (_, mistakes) = read(&[
            ("MLFLOW_PROXY_LOG", "loud"),
            ("MLFLOW_PROXY_LOG_FORMAT", "xml"),
            ("MLFLOW_PROXY_ACCESS_LOG", "some"),
            ("MLFLOW_PROXY_METRICS_LISTEN", "9464"),
        ]);
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        let expected =
            "MLFLOW_PROXY_LOG is `loud`, which it cannot be\nhint: give one of error, warn, info, debug";
        assert!(mistakes.iter().any(|mistake| mistake == expected), "{mistakes:?}");
    }
}

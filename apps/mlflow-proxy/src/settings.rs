//! The settings: every one a variable of the environment and a flag, declared once with its default and its meaning.
//!
//! Each room declares and reads its own; a [`Reader`] collects every mistake, so that `--check` can tell them all at
//! once. A wrong value is an error before anything is listened on: a proxy that guesses would be found out by its users.

mod arguments;
mod reader;
mod size;
mod table;
#[cfg(test)]
pub(crate) mod testing;

pub use arguments::{Arguments, command};
pub use reader::{Mistake, Reader, Variable};
pub use size::Size;
pub use table::table;

/// The settings of all rooms under the headings of `--help` and of the documentation, in that order.
pub const VARIABLES: &[(&str, &[Variable])] = &[
    ("MLflow", crate::target::VARIABLES),
    ("Credentials", crate::credentials::VARIABLES),
    ("Server", crate::server::VARIABLES),
    ("Requests", crate::gate::VARIABLES),
    ("Forwarding", crate::forward::VARIABLES),
    ("Access", crate::access::VARIABLES),
    ("Pages", crate::pages::VARIABLES),
    ("Operating", crate::operate::VARIABLES),
    ("Artifacts", crate::artifacts::VARIABLES),
    ("Calls to AWS", crate::aws::VARIABLES),
];

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which MLflow is meant; `None` only where the reader has a mistake.
    pub target: Option<crate::target::Target>,
    /// Whose credentials sign.
    pub credentials: crate::credentials::Settings,
    /// Where and how the server listens.
    pub server: crate::server::Settings,
    /// What is let through.
    pub gate: crate::gate::Settings,
    /// How bodies are held and answers are passed.
    pub forward: crate::forward::Settings,
    /// Who may do what.
    pub access: crate::access::Settings,
    /// The pages for browsers.
    pub pages: crate::pages::Settings,
    /// Logs and metrics.
    pub operate: crate::operate::Settings,
    /// Where artifacts are, and who serves them.
    pub artifacts: crate::artifacts::Settings,
    /// How MLflow and AWS are called.
    pub aws: crate::aws::Settings,
}

impl Settings {
    /// Reads all settings; what is wrong stands in the reader afterwards.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let target = crate::target::read(reader);
        let credentials = crate::credentials::Settings::read(reader);
        let server = crate::server::Settings::read(reader);
        Self {
            gate: crate::gate::Settings::read(reader),
            forward: crate::forward::Settings::read(reader),
            target,
            credentials,
            access: crate::access::Settings::read(reader, server.listen),
            server,
            pages: crate::pages::Settings::read(reader),
            operate: crate::operate::Settings::read(reader),
            artifacts: crate::artifacts::Settings::read(reader),
            aws: crate::aws::Settings::read(reader),
        }
    }

    /// The region of what belongs to the proxy itself, its secret and its log group: they are made together, and MLflow may
    /// be in another. Without an ARN that tells it, MLflow's.
    pub fn own_region(&self) -> Option<&str> {
        let of_secret = self.access.secret_arn.as_deref().and_then(|arn| arn.split(':').nth(3));
        let of_target = self.target.as_ref().map(|target| target.region.as_str());
        of_secret.filter(|region| !region.is_empty()).or(self.operate.log_region.as_deref()).or(of_target)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::read_from;
    use super::*;

    #[test]
    fn secret_and_logs_may_be_elsewhere_than_mlflow() {
        let arn = ("SM_MLFLOW_RESOURCE_ARN", "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-1");
        let secret =
            ("MLFLOW_PROXY_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:users");
        let group = ("MLFLOW_PROXY_LOG_GROUP", "arn:aws:logs:eu-west-2:123456789012:log-group:/proxy:*");
        let region =
            |pairs: &[(&str, &str)]| read_from(pairs, Settings::read).0.own_region().map(str::to_owned);
        assert_eq!(region(&[arn]).unwrap(), "us-east-1");
        assert_eq!(region(&[arn, group]).unwrap(), "eu-west-2");
        assert_eq!(region(&[arn, group, secret]).unwrap(), "eu-west-1");
    }
}

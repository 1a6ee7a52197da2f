//! The settings of the gate.

use super::hosts::Hosts;
use crate::settings::{Reader, Variable};

/// The settings of the gate.
pub const VARIABLES: &[Variable] = &[ALLOWED_HOSTS, BEHIND_BALANCER];

const ALLOWED_HOSTS: Variable = Variable {
    name: "MLFLOW_PROXY_ALLOWED_HOSTS",
    default: "",
    about: "The names that clients may call this proxy by, between commas: `name`, `name:port`, `*.name` or `*`. When not given: loopback names only where nobody is asked who they are, else any.",
};

const BEHIND_BALANCER: Variable = Variable {
    name: "MLFLOW_PROXY_BEHIND_BALANCER",
    default: "false",
    about: "Whether every request comes through a load balancer: the last address in its X-Forwarded-For is then written down as the client's.",
};

/// What the gate lets through.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The names that clients may call the proxy by; `None` when none were given.
    pub allowed_hosts: Option<Hosts>,
    /// Whether every request comes through a load balancer, which says where from.
    pub behind_balancer: bool,
}

impl Settings {
    /// Reads the settings of the gate.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let names = reader.list(&ALLOWED_HOSTS);
        let mut hosts = Hosts::default();
        for name in &names {
            if let Err(why) = hosts.add(name) {
                let hint = "give names such as mlflow.example.com, *.example.com or mlflow.example.com:8443";
                reader.mistake(&ALLOWED_HOSTS, format!("has `{name}`, {why}"), hint);
            }
        }
        let behind_balancer = reader.switch(&BEHIND_BALANCER);
        Self { allowed_hosts: (!names.is_empty()).then_some(hosts), behind_balancer }
    }
}

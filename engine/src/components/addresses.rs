//! Where a component is reached, by the outputs of its stack.
//!
//! A service knows the address of a thing, but not the name that people are meant to use: a load balancer does not know
//! its domain name, and an app of MLflow is not told its own endpoint. The stack's outputs have both.

use crate::aws::cloudformation::Stack;

/// The names under which stacks of ours, and of the samples that they follow, hand on the address of the proxy.
const PROXY: [&str; 3] = ["Url", "ProxyUrl", "LoadBalancerUrl"];
/// The same for the API of MLflow.
const MLFLOW: [&str; 3] = ["Endpoint", "MlflowEndpoint", "TrackingUri"];

/// The address of the proxy behind a load balancer, if an output has it.
pub(super) fn proxy(stack: &Stack, dns_name: &str) -> Option<String> {
    named(stack, &PROXY).or_else(|| {
        let values = stack.outputs.values().map(|output| &output.value);
        values
            .filter(|value| is_url(value))
            .find(|value| !dns_name.is_empty() && value.contains(dns_name))
            .cloned()
    })
}

/// The address of MLflow's API, if an output has it.
pub(super) fn mlflow(stack: &Stack) -> Option<String> {
    named(stack, &MLFLOW)
}

/// The ARN of an MLflow app that a custom resource made, if an output has it: what CloudFormation calls such a resource
/// is its function's choice.
pub(crate) fn app_arn(stack: &Stack) -> Option<&str> {
    let mut values = stack.outputs.values().map(|output| output.value.as_str());
    values.find(|value| value.starts_with("arn:") && value.contains(":mlflow-app/"))
}

fn named(stack: &Stack, names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| stack.outputs.get(*name));
    values.map(|output| output.value.clone()).find(|value| is_url(value))
}

fn is_url(value: &str) -> bool {
    value.starts_with("https://") || value.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cloudformation::{Output, StackStatus};
    use crate::plan::testing::stack;

    fn with(outputs: &[(&str, &str)]) -> Stack {
        let mut stack = stack("web", StackStatus::CreateComplete);
        let output = |value: &str| Output { value: value.to_owned(), ..Output::default() };
        stack.outputs = outputs.iter().map(|(name, value)| ((*name).to_owned(), output(value))).collect();
        stack
    }

    #[test]
    fn the_name_that_people_use_goes_before_that_of_the_load_balancer() {
        let named = with(&[("Url", "https://mlflow.example.com"), ("Zone", "http://lb.example")]);
        assert_eq!(proxy(&named, "lb.example").as_deref(), Some("https://mlflow.example.com"));
        let other = with(&[("AlbAddress", "http://lb.example/mlflow")]);
        assert_eq!(proxy(&other, "lb.example").as_deref(), Some("http://lb.example/mlflow"));
        assert_eq!(proxy(&with(&[("Url", "lb.example")]), "lb.example"), None);
    }
}

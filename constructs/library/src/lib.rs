//! The constructs of an ML platform on AWS.

pub mod alarms;
pub mod architecture;
pub mod container_service;
pub mod custom_resource;
pub mod database;
pub mod function;
pub mod iam;
pub mod load_balancer;
pub mod managed_mlflow;
pub mod metaflow;
pub mod mlflow_server;
pub mod networking;
pub mod proxy_app;
pub mod s3_only;
pub mod sagemaker_domain;
pub mod storage;

#[cfg(test)]
mod testing;

//! Which MLflow stands behind the proxy, read from the resource's ARN.
//!
//! Mode, region, partition, endpoint, the service name of the signature and the routing header all follow from the ARN,
//! as in AWS's own plugin (`sagemaker-mlflow`).

use http::{HeaderName, Uri};

/// The two forms of SageMaker's managed MLflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A tracking server: `mlflow-tracking-server/NAME`.
    TrackingServer,
    /// A serverless app: `mlflow-app/ID`.
    App,
}

/// The MLflow behind the proxy.
#[derive(Clone, Debug)]
pub struct Target {
    /// Tracking server or app.
    pub mode: Mode,
    /// The ARN, as it was given.
    pub arn: String,
    /// Its partition: `aws` or `aws-us-gov`.
    pub partition: String,
    /// Its region.
    pub region: String,
    /// Its account, 12 digits.
    pub account: String,
    /// The name of the tracking server or the id of the app.
    pub name: String,
    /// Scheme and authority of the data plane.
    pub endpoint: Uri,
    /// The service name in the signature's scope.
    pub service: &'static str,
    /// The header that routes a request to the resource.
    pub header: HeaderName,
}

//! The name of a bucket is no VPC.

use formwork::{App, AppProps};
use formwork_resources::ec2::CfnSubnet;
use formwork_resources::s3::CfnBucket;

fn main() {
    let app = App::new(AppProps::default());
    let stack = app.stack("platform");
    let bucket = CfnBucket::new().define(stack, "Bucket");
    CfnSubnet::new(bucket.bucket_name()).define(stack, "Subnet");
}

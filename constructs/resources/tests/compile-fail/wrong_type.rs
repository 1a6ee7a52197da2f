//! Text where `true` or `false` is wanted, and text where one of a set is wanted.

use formwork_resources::ec2::CfnVpc;
use formwork_resources::s3::CfnBucket;

fn main() {
    let _ = CfnVpc::new().enable_dns_support("yes");
    let _ = CfnBucket::new().access_control("Private");
}

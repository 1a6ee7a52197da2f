//! A property that does not exist.

use formwork_resources::ec2::CfnVpc;

fn main() {
    let _ = CfnVpc::new().cidr_blok("10.0.0.0/16");
}

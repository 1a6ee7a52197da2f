//! A subnet without its VPC.

use formwork_resources::ec2::CfnSubnet;

fn main() {
    let _ = CfnSubnet::new().cidr_block("10.0.0.0/20");
}

//! A resource that was built but never defined.

#![deny(unused_must_use)]

use formwork_resources::ec2::CfnVpc;

fn main() {
    CfnVpc::new().cidr_block("10.0.0.0/16");
}

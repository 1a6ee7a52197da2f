//! An id from outside is written as a literal of its kind.

use formwork::{App, AppProps};
use formwork_resources::ec2::CfnSubnet;

fn main() {
    let app = App::new(AppProps::default());
    CfnSubnet::new("vpc-0123456789abcdef0").define(app.stack("platform"), "Subnet");
}

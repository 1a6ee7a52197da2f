//! The ML platform as an app of its own, for `formwork --app "cargo run -q -p formwork-ml-platform"`.

use std::process::ExitCode;

fn main() -> ExitCode {
    formwork::main(formwork_ml_platform::build)
}

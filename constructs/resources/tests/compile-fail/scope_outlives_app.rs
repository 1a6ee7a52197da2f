//! A scope does not outlive the app that it belongs to.

use formwork::{App, AppProps, Scope};

fn platform<'a>() -> Scope<'a> {
    let app = App::new(AppProps::default());
    app.stack("platform")
}

fn main() {
    platform();
}

//! The page at `/` and the way to MLflow's user interface, over the wire and in a browser.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod fake_aws;

use std::path::{Path, PathBuf};
use std::process::Command;

use fake_aws::{FakeAws, Proxy, get};

/// The browser that `FORMWORK_CHROMIUM` names. Without it the tests in a browser are skipped, unless all judges are required.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("FORMWORK_CHROMIUM").map(PathBuf::from);
    if path.is_none() {
        assert!(
            std::env::var_os("FORMWORK_REQUIRE_ORACLES").is_none(),
            "FORMWORK_CHROMIUM has to name a Chromium"
        );
        eprintln!("skipped: FORMWORK_CHROMIUM names no Chromium");
    }
    path
}

/// Runs the browser on an address with a profile of its own, and gives what it writes.
fn browse(chromium: &Path, folder: &Path, flags: &[&str], address: &str) -> String {
    let output = Command::new("timeout")
        .arg("60")
        .arg(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", folder.display()))
        .arg("--enable-logging=stderr")
        .args(flags)
        .arg(address)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // The browser tells here what a policy keeps a page from.
    assert!(!said.contains("Content Security Policy"), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_way_to_the_interface_are_answered() {
    let aws = FakeAws::working().await;
    let proxy = Proxy::start(&[], &aws.variables());
    let (status, head, page) = get(&proxy.address, "/", &[("Accept", "text/html")]);
    assert_eq!(status, 200, "{page}");
    for header in ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff"] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(page.contains(&format!("export MLFLOW_TRACKING_URI='http://{}'", proxy.address)), "{page}");

    let (status, head, _) = get(&proxy.address, "/ui", &[]);
    assert_eq!(status, 302, "{head}");
    assert!(head.contains("location: https://team.experiments.sagemaker.aws/auth?authToken=eyJ"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    let said = proxy.said().join("\n");
    assert!(!said.contains("authToken"), "an address that lets somebody in is in no line: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_see_the_page_without_what_stands_behind_and_no_interface() {
    let aws = FakeAws::working().await;
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users.json");
    std::fs::write(&users, r#"{"version":1,"users":[]}"#).unwrap();
    let mut variables = aws.variables();
    variables.retain(|(name, _)| name != "MLFLOW_PROXY_AUTH");
    variables.push(("MLFLOW_PROXY_SECRET_FILE".to_owned(), users.to_str().unwrap().to_owned()));
    let proxy = Proxy::start(&[], &variables);
    let (status, _, page) = get(&proxy.address, "/", &[]);
    assert_eq!(status, 200);
    assert!(page.contains("MLFLOW_TRACKING_TOKEN") && !page.contains("123456789012"), "{page}");
    let (status, head, _) = get(&proxy.address, "/ui", &[("Accept", "text/html")]);
    assert_eq!(status, 401);
    assert!(head.to_lowercase().contains("www-authenticate: basic"), "a browser asks who one is: {head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_shows_the_page_as_it_is_meant() {
    let Some(chromium) = chromium() else { return };
    let aws = FakeAws::working().await;
    let proxy = Proxy::start(&[], &aws.variables());
    let address = format!("http://{}/", proxy.address);
    let folder = tempfile::tempdir().unwrap();
    let keep = std::env::var_os("FORMWORK_SCREENSHOTS").map(PathBuf::from);
    let pictures = keep.as_deref().unwrap_or(folder.path());

    let page = browse(&chromium, folder.path(), &["--dump-dom"], &address);
    assert!(page.contains("<html lang=\"en\">"), "{page}");
    for landmark in ["<header>", "<main>", "<footer>", "<h1>MLflow proxy</h1>"] {
        assert_eq!(page.matches(landmark).count(), 1, "{landmark} in {page}");
    }
    assert!(page.contains("mlflow-tracking-server/team"), "who is not asked may know: {page}");
    assert!(page.contains(&format!("export MLFLOW_TRACKING_URI='http://{}'", proxy.address)), "{page}");

    let mut sizes = Vec::new();
    for (name, flag) in [
        ("light", "--blink-settings=preferredColorScheme=1"),
        ("dark", "--blink-settings=preferredColorScheme=0"),
    ] {
        let picture = pictures.join(format!("proxy-{name}.png"));
        let screenshot = format!("--screenshot={}", picture.display());
        browse(&chromium, folder.path(), &[flag, "--window-size=1000,1100", &screenshot], &address);
        sizes.push(std::fs::read(&picture).unwrap());
    }
    assert!(sizes[0] != sizes[1], "the dark page is another picture than the light one");
    let picture = pictures.join("proxy-narrow.png");
    let screenshot = format!("--screenshot={}", picture.display());
    browse(&chromium, folder.path(), &["--window-size=500,1400", &screenshot], &address);
}

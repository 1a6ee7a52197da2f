//! What the surroundings of a process do to it. Each of these tests goes on in a process with its own environment.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::aws::Session;
use crate::aws::fake::{Answer, elsewhere, fake};

const HERE: &str = "aws::environment::tests::";

fn options() -> ConnectOptions {
    ConnectOptions { transport: Transport::Network, ..fake(|_, _| Answer::Broken).options() }
}

async fn refusal() -> Error {
    Session::connect(&options()).await.expect_err("nothing answers here")
}

const NOWHERE: [(&str, &str); 3] = [
    ("HOME", "/does/not/exist"),
    ("AWS_CONFIG_FILE", "/does/not/exist"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/does/not/exist"),
];
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret-key")];

/// Fault 1: without credentials the places that were looked at are named, at once.
#[tokio::test(start_paused = true)]
async fn no_credentials_names_the_places_that_were_looked_at() {
    let mut variables = NOWHERE.to_vec();
    variables.push(("AWS_EC2_METADATA_DISABLED", "true"));
    if elsewhere(&format!("{HERE}no_credentials_names_the_places_that_were_looked_at"), &variables) {
        return;
    }
    let begun = tokio::time::Instant::now();
    let failed = refusal().await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(failed.kind, ErrorKind::Credentials);
    for place in ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "web identity", "instance"] {
        assert!(failed.message.contains(place), "{failed}");
    }
}

/// Fault 1: a profile that is asked for is the only place.
#[tokio::test(start_paused = true)]
async fn a_profile_that_does_not_exist_is_named() {
    let variables = [&NOWHERE[..], &KEYS[..]].concat();
    if elsewhere(&format!("{HERE}a_profile_that_does_not_exist_is_named"), &variables) {
        return;
    }
    let options = ConnectOptions { profile: Some("staging".to_owned()), ..options() };
    let failed = Session::connect(&options).await.expect_err("no such profile");
    assert_eq!(failed.kind, ErrorKind::Credentials);
    assert!(failed.message.contains("profile \"staging\""), "{failed}");
}

/// Fault 7: a metadata service that takes connections and never answers holds nobody up for more than two seconds.
#[tokio::test(start_paused = true)]
async fn a_silent_metadata_service_is_given_up_after_two_seconds() {
    let hole = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", hole.local_addr().expect("an address"));
    let mut variables = NOWHERE.to_vec();
    variables.push(("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url));
    if elsewhere(&format!("{HERE}a_silent_metadata_service_is_given_up_after_two_seconds"), &variables) {
        return;
    }
    let begun = tokio::time::Instant::now();
    let failed = refusal().await;
    assert!(begun.elapsed() <= Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(failed.kind, ErrorKind::Credentials, "{failed}");
}

fn profile(process: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    std::fs::write(&file, format!("[default]\ncredential_process = {process}\n")).expect("writes");
    let file = file.display().to_string();
    (folder, file)
}

/// Fault 8: a credential process that hangs is given up, and pointed at.
#[tokio::test(start_paused = true)]
async fn a_credential_process_that_hangs_is_given_up() {
    let (_folder, file) = profile("sleep 5");
    let variables = [("AWS_CONFIG_FILE", file.as_str()), ("AWS_EC2_METADATA_DISABLED", "true")];
    if elsewhere(&format!("{HERE}a_credential_process_that_hangs_is_given_up"), &variables) {
        return;
    }
    let begun = tokio::time::Instant::now();
    let failed = refusal().await;
    assert!(begun.elapsed() <= Duration::from_secs(61), "{:?}", begun.elapsed());
    assert_eq!(failed.kind, ErrorKind::Credentials);
    assert!(failed.message.contains("credential_process"), "{failed}");
}

/// Fault 8: one that prints garbage is an error that shows no secret.
#[tokio::test]
async fn a_credential_process_that_prints_garbage_is_told() {
    let (_folder, file) = profile("echo {\"SecretAccessKey\": \"very-secret");
    let variables = [("AWS_CONFIG_FILE", file.as_str()), ("AWS_EC2_METADATA_DISABLED", "true")];
    if elsewhere(&format!("{HERE}a_credential_process_that_prints_garbage_is_told"), &variables) {
        return;
    }
    let failed = refusal().await;
    assert_eq!(failed.kind, ErrorKind::Credentials);
    assert!(failed.message.contains("process") && !failed.message.contains("very-secret"), "{failed}");
}

/// Answers every connection with a text and remembers the first lines of the requests.
fn answering(answer: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = seen.clone();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let request = head(&connection);
            lines.lock().expect("no panic").push(request);
            let _ = (&connection).write_all(answer.as_bytes());
            let _ = connection.shutdown(Shutdown::Write);
        }
    });
    (port, seen)
}

fn head(mut connection: &TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match connection.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&request).into_owned()
}

/// Fault 10: a proxy that refuses, that wants a password or that is none is named at once, without its password.
#[tokio::test]
async fn a_proxy_that_refuses_is_named() {
    let here = format!("{HERE}a_proxy_that_refuses_is_named");
    if let Ok(expected) = std::env::var("EXPECTED") {
        let begun = std::time::Instant::now();
        let failed = refusal().await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(!failed.is_transient(), "{failed}");
        assert!(
            failed.message.contains(&expected) && failed.message.contains("http://127.0.0.1:"),
            "{failed}"
        );
        assert!(!failed.message.contains("pass-word"), "{failed}");
        return;
    }
    for (answer, expected) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "a user and a password"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "refuses a connection to sts.us-east-1.amazonaws.com"),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", "refuses a connection to sts.us-east-1.amazonaws.com"),
    ] {
        let (port, seen) = answering(answer);
        let url = format!("http://me:pass-word@127.0.0.1:{port}");
        let variables =
            [&NOWHERE[..], &KEYS[..], &[("HTTPS_PROXY", url.as_str()), ("EXPECTED", expected)]].concat();
        assert!(elsewhere(&here, &variables));
        let seen = seen.lock().expect("no panic");
        assert!(seen[0].starts_with("CONNECT sts.us-east-1.amazonaws.com:443 HTTP/1.1"), "{seen:?}");
        assert!(seen[0].to_ascii_lowercase().contains("proxy-authorization: basic"), "{seen:?}");
    }
}

const IDENTITY: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\n\r\n<GetCallerIdentityResponse><GetCallerIdentityResult>\
                        <Arn>arn:aws:iam::123456789012:user/u</Arn><Account>123456789012</Account>\
                        </GetCallerIdentityResult></GetCallerIdentityResponse>";

/// Fault 10: hosts that NO_PROXY names are reached directly; the endpoint of the environment is used.
#[tokio::test]
async fn hosts_without_a_proxy_are_reached_directly() {
    let here = format!("{HERE}hosts_without_a_proxy_are_reached_directly");
    let (proxy, through) = answering("HTTP/1.1 403 Forbidden\r\n\r\n");
    let (service, asked) = answering(IDENTITY);
    let (proxy, service) = (format!("http://127.0.0.1:{proxy}"), format!("http://127.0.0.1:{service}"));
    let own =
        [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1"), ("AWS_ENDPOINT_URL", service.as_str())];
    if elsewhere(&here, &[&NOWHERE[..], &KEYS[..], &own].concat()) {
        assert!(through.lock().expect("no panic").is_empty());
        assert!(asked.lock().expect("no panic")[0].contains("Credential=AKID/"));
        return;
    }
    let session = Session::connect(&options()).await.expect("connects");
    assert_eq!(session.account(), "123456789012");
}

/// Fault 19: a host without an address says so.
#[tokio::test(start_paused = true)]
async fn a_host_without_an_address_is_named() {
    let own = [("AWS_ENDPOINT_URL", "https://sts.nowhere-1.invalid")];
    if elsewhere(
        &format!("{HERE}a_host_without_an_address_is_named"),
        &[&NOWHERE[..], &KEYS[..], &own].concat(),
    ) {
        return;
    }
    let failed = refusal().await;
    assert_eq!(failed.kind, ErrorKind::Unreachable);
    assert!(failed.message.contains("sts.nowhere-1.invalid has no address"), "{failed}");
}

/// Fault 11: a bundle that cannot be used is told before anything is sent.
#[tokio::test]
async fn a_bundle_without_certificates_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bundle.pem");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n")
        .expect("writes");
    let own = [("AWS_CA_BUNDLE", file.to_str().expect("text"))];
    if elsewhere(
        &format!("{HERE}a_bundle_without_certificates_is_told"),
        &[&NOWHERE[..], &KEYS[..], &own].concat(),
    ) {
        return;
    }
    let failed = refusal().await;
    assert!(
        failed.message.contains("AWS_CA_BUNDLE names") && failed.message.contains("no certificate"),
        "{failed}"
    );
}

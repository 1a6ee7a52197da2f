//! The calls to AWS of the boot script, made by the real curl and checked as AWS checks them.
//!
//! A listener on loopback stands in for the metadata service and for AWS. It recomputes the Signature Version 4 of each
//! request from what came over the wire, so that a header which curl forgets to sign, or to send, is found out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use sha2::{Digest, Sha256};

use super::Machine;

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE//////////token==";

struct Request {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, target, headers, body })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// HMAC-SHA-256 (RFC 2104); no key here is longer than a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|part| part ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// The service that a request is signed for, when its signature is right.
fn signed_for(request: &Request) -> Result<String, String> {
    let header = |name: &str| request.headers.get(name).cloned().ok_or(format!("no header {name}"));
    let authorization = header("authorization")?;
    let field = |name: &str| -> Result<&str, String> {
        let start = authorization.find(name).ok_or(format!("no {name} in {authorization}"))? + name.len();
        Ok(authorization[start..].split([',', ' ']).next().unwrap_or_default())
    };
    let scope = field("Credential=")?.strip_prefix(&format!("{KEY_ID}/")).ok_or("another key")?.to_owned();
    let parts: Vec<&str> = scope.split('/').collect();
    let [date, region, service, _] = parts.as_slice() else { return Err(format!("the scope {scope}")) };
    let signed = field("SignedHeaders=")?.to_owned();
    for needed in ["host", "x-amz-date", "x-amz-security-token"] {
        if !signed.split(';').any(|name| name == needed) {
            return Err(format!("{needed} is not signed: {signed}"));
        }
    }
    if header("x-amz-security-token")? != TOKEN {
        return Err("another session token".to_owned());
    }
    let payload = hex(&Sha256::digest(&request.body));
    if *service == "s3" && header("x-amz-content-sha256")? != payload {
        return Err("S3 refuses a request without the hash of its body".to_owned());
    }
    let mut canonical = format!("{}\n{}\n\n", request.method, request.target);
    for name in signed.split(';') {
        let _ = writeln!(canonical, "{name}:{}", header(name)?);
    }
    let _ = write!(canonical, "\n{signed}\n{payload}");
    let text =
        format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", header("x-amz-date")?, hex(&Sha256::digest(canonical)));
    let mut key = hmac(format!("AWS4{SECRET}").as_bytes(), date.as_bytes());
    for part in [*region, *service, "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    let expected = hex(&hmac(&key, text.as_bytes()));
    if field("Signature=")? == expected {
        Ok((*service).to_owned())
    } else {
        Err("another signature".to_owned())
    }
}

/// Answers as the metadata service and as AWS; tells the service of each signed request, or what was wrong with it.
fn serve(listener: TcpListener) -> Receiver<Result<String, String>> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let mut refused_once = false;
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let Some(request) = read(&stream) else { continue };
            let (status, answer) = match request.target.as_str() {
                "/latest/api/token" => ("200 OK", "token".to_owned()),
                "/latest/meta-data/instance-id" => ("200 OK", "i-0123456789".to_owned()),
                "/latest/meta-data/iam/security-credentials/" => ("200 OK", "role".to_owned()),
                "/latest/meta-data/iam/security-credentials/role" => (
                    "200 OK",
                    format!(
                        "{{\n  \"AccessKeyId\" : \"{KEY_ID}\",\n  \"SecretAccessKey\" : \"{SECRET}\",\n  \"Token\" : \"{TOKEN}\"\n}}"
                    ),
                ),
                "/healthz" => ("200 OK", String::new()),
                // A role that is new is refused at first.
                _ if !refused_once => {
                    refused_once = true;
                    ("403 Forbidden", String::new())
                }
                _ => {
                    let verdict = signed_for(&request);
                    let status = if verdict.is_ok() { "200 OK" } else { "403 Forbidden" };
                    if tell.send(verdict).is_err() {
                        return;
                    }
                    (status, super::BINARY.to_owned())
                }
            };
            let length = answer.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
            );
        }
    });
    told
}

#[test]
fn what_the_real_curl_sends_is_signed_as_aws_checks_it() {
    let curl = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join("curl"))
        .find(|path| path.is_file());
    let Some(curl) = curl else {
        println!("skipped: there is no curl here to try");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let told = serve(listener);
    let machine = Machine::new("curl");
    // The real curl, with the hosts of AWS and the pauses between tries taken away.
    machine.program(
        "curl",
        &format!(
            r#"arguments=()
for argument in "$@"; do
  case "$argument" in
    https://*) rest="${{argument#https://}}"; argument="http://{address}/${{rest#*/}}" ;;
    http://127.0.0.1:5000/*) argument="http://{address}/${{argument##*/}}" ;;
    --retry-delay) skip=1 ;;
  esac
  [ "$argument" = 5 ] && [ "${{skip:-}}" = 1 ] && argument=1 && skip=
  arguments+=("$argument")
done
exec {} "${{arguments[@]}}""#,
            curl.display()
        ),
    );
    let output = machine.boot_with(&super::digest(super::BINARY), &format!("http://{address}"));
    let log = fs::read_to_string(machine.file("root/var/log/user-data.log")).unwrap_or_default();
    assert!(output.status.success(), "{log}");
    let services: Vec<Result<String, String>> = told.try_iter().collect();
    assert_eq!(services, [Ok("s3".to_owned()), Ok("cloudformation".to_owned())], "{log}");
}

#[test]
fn the_verifier_tells_a_wrong_signature() {
    let request = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: BTreeMap::from([
            ("host".to_owned(), "example".to_owned()),
            ("x-amz-date".to_owned(), "20260101T000000Z".to_owned()),
            ("x-amz-security-token".to_owned(), TOKEN.to_owned()),
            (
                "authorization".to_owned(),
                format!(
                    "AWS4-HMAC-SHA256 Credential={KEY_ID}/20260101/us-east-1/logs/aws4_request, \
                     SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=00"
                ),
            ),
        ]),
        body: Vec::new(),
    };
    assert_eq!(signed_for(&request), Err("another signature".to_owned()));
}

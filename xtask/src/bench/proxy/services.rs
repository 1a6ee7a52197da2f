//! What stands behind the proxies besides nginx: the services of AWS that they ask, and a server that takes large bodies
//! and gives some. Threads of this program, so that nothing has to be installed for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use sha2::{Digest, Sha256};

/// The token of the user that the secret knows.
pub(super) const TOKEN: &str = "fwp_0b5e55ed_c2lnbmluZy1hbmQtZm9yd2FyZGluZy1hdC1zcGVlZCE";
const TOKEN_ID: &str = "0b5e55ed";

/// Starts the server; it ends with the program. Its address serves everything.
///
/// # Errors
///
/// No port is free.
pub(super) fn start() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no port is free: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("the socket has no address: {error}"))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever breaks off is not waited for.
            thread::spawn(move || drop(serve(stream)));
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(256 * 1024, stream.try_clone()?);
    while let Some(head) = Head::read(&mut reader)? {
        if head.expects {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if let Some(size) = head.size_asked() {
            give(&mut stream, size)?;
            continue;
        }
        let body = head.take_body(&mut reader)?;
        let (kind, answer) = answer(&head, &body);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nETag: \"d41d8cd98f00b204e9800998ecf8427e\"\r\n\
             Content-Length: {}\r\n\r\n{answer}",
            answer.len()
        )?;
    }
    Ok(())
}

/// A request's head, as far as it matters.
#[derive(Default)]
struct Head {
    line: String,
    target: String,
    length: usize,
    chunked: bool,
    expects: bool,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let mut head = Self::default();
        if reader.read_line(&mut head.line)? == 0 {
            return Ok(None);
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { return Ok(Some(head)) };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse().unwrap_or_default(),
                "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
                "expect" => head.expects = true,
                "x-amz-target" => head.target = value.to_owned(),
                _ => {}
            }
        }
    }

    /// How many bytes a download is to have, by its name.
    fn size_asked(&self) -> Option<u64> {
        let (_, size) = self.line.strip_prefix("GET ")?.split_once("/size-")?;
        size.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    }

    /// Reads the body and keeps its beginning.
    fn take_body(&self, reader: &mut impl BufRead) -> std::io::Result<String> {
        let mut kept = Vec::new();
        let mut take = |reader: &mut dyn BufRead, mut left: usize| -> std::io::Result<()> {
            while left > 0 {
                let piece = reader.fill_buf()?;
                if piece.is_empty() {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                let length = piece.len().min(left);
                kept.extend_from_slice(&piece[..length.min(4096_usize.saturating_sub(kept.len()))]);
                reader.consume(length);
                left -= length;
            }
            Ok(())
        };
        if self.chunked {
            loop {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                let length = usize::from_str_radix(line.trim(), 16).unwrap_or_default();
                take(reader, length)?;
                reader.read_line(&mut line)?;
                if length == 0 {
                    break;
                }
            }
        } else {
            take(reader, self.length)?;
        }
        Ok(String::from_utf8_lossy(&kept).into_owned())
    }
}

fn give(stream: &mut TcpStream, size: u64) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n\
         ETag: \"d41d8cd98f00b204e9800998ecf8427e\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n"
    )?;
    std::io::copy(&mut std::io::repeat(b'm').take(size), stream).map(drop)
}

/// The type and the text of an answer.
fn answer(head: &Head, body: &str) -> (&'static str, String) {
    if body.contains("Action=AssumeRole") {
        // Session tokens of AWS have about this length.
        let token = "IQoJb3JpZ2luX2VjE".repeat(50);
        let text = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
             <AssumedRoleUser><AssumedRoleId>AROA:MlflowProxy</AssumedRoleId>\
             <Arn>arn:aws:sts::123456789012:assumed-role/mlflow/MlflowProxy</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>ASIAEXAMPLE000000000</AccessKeyId>\
             <SecretAccessKey>not-a-secret</SecretAccessKey><SessionToken>{token}</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
             <ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>\
             </AssumeRoleResponse>"
        );
        return ("text/xml", text);
    }
    if head.line.starts_with("POST ") && head.line.contains("uploads") {
        let text =
            "<InitiateMultipartUploadResult><UploadId>bench</UploadId></InitiateMultipartUploadResult>";
        return ("application/xml", text.to_owned());
    }
    if head.line.starts_with("POST ") && head.line.contains("uploadId=") {
        let text = "<CompleteMultipartUploadResult><ETag>\"d41d8cd98f00b204e9800998ecf8427e-2\"</ETag></CompleteMultipartUploadResult>";
        return ("application/xml", text.to_owned());
    }
    let text = match head.target.as_str() {
        "secretsmanager.GetSecretValue" => serde_json::json!({
            "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:users-AbCdEf",
            "Name": "users",
            "VersionId": "00000000-0000-4000-8000-000000000000",
            "SecretString": users(),
        })
        .to_string(),
        _ => "{}".to_owned(),
    };
    ("application/json", text)
}

/// The users' secret: one user, a writer.
fn users() -> String {
    let hash: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
    let user = serde_json::json!({
        "name": "bench", "role": "writer", "kind": "token", "id": TOKEN_ID, "sha256": hash,
        "created": "2026-01-01T00:00:00Z",
    });
    serde_json::json!({"version": 1, "users": [user]}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(request: &str) -> String {
        let mut stream = TcpStream::connect(start().unwrap()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn bodies_are_read_whatever_their_framing() {
        let role = "POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nAction=AssumeRole&Version=2011";
        assert!(ask(role).contains("<AccessKeyId>"));
        let chunked = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert!(ask(&format!("{chunked}{chunked}")).matches("200 OK").count() == 2);
    }

    #[test]
    fn a_download_has_the_size_that_is_asked_for() {
        let answer = ask("GET /artifacts/size-1000 HTTP/1.1\r\n\r\n");
        assert!(answer.ends_with(&"m".repeat(1000)), "{answer}");
    }

    #[test]
    fn the_secret_has_the_token_by_its_hash_alone() {
        let answer = ask("POST / HTTP/1.1\r\nX-Amz-Target: secretsmanager.GetSecretValue\r\n\r\n");
        assert!(answer.contains(TOKEN_ID) && !answer.contains(TOKEN), "{answer}");
    }
}

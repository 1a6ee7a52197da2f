//! A client that sends exactly the bytes that it is given.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as its framing says.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The head of a request for `proxy.test`, to be followed by a body.
pub(crate) fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: proxy.test\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    // Characters up to U+00FF stand for bytes.
    head.chars().map(|character| u8::try_from(character).unwrap()).collect()
}

/// A body in chunks.
pub(crate) fn chunked(pieces: &[&[u8]]) -> Vec<u8> {
    let mut wire = Vec::new();
    for piece in pieces {
        wire.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

/// Sends bytes on a connection of their own and reads one answer.
pub(crate) async fn send(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.split();
    let head_only = bytes.starts_with(b"HEAD ");
    let writing = async {
        // The answer may come, and the connection close, before all is sent.
        let _ = to.write_all(bytes).await;
    };
    let reading = async {
        let answer = tokio::time::timeout(Duration::from_secs(30), read(&mut from, head_only)).await;
        answer.expect("an answer in time")
    };
    tokio::join!(writing, reading).1
}

pub(crate) async fn get(address: SocketAddr, target: &str, headers: &[(&str, &str)]) -> Answer {
    send(address, &head("GET", target, headers)).await
}

pub(crate) async fn post(address: SocketAddr, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let length = body.len().to_string();
    let mut all = headers.to_vec();
    all.push(("Content-Length", &length));
    let mut bytes = head("POST", target, &all);
    bytes.extend_from_slice(body);
    send(address, &bytes).await
}

/// Reads the head of an answer; status 0 if there is none.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Answer {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(_) => return Answer::default(),
        }
    }
    let text: String = text.iter().map(|byte| char::from(*byte)).collect();
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    };
    let headers = lines.filter(|line| !line.is_empty()).map(header).collect();
    Answer { status, headers, ..Answer::default() }
}

/// Reads one answer.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin), head_only: bool) -> Answer {
    let mut answer = read_head(stream).await;
    while answer.status == 100 {
        answer = read_head(stream).await;
    }
    if head_only || matches!(answer.status, 0 | 204 | 304) {
        answer.whole = answer.status != 0;
        return answer;
    }
    if answer.values("transfer-encoding") == ["chunked"] {
        answer.whole = read_chunks(stream, &mut answer.body).await.is_some();
    } else if let Some(length) = answer.header("content-length") {
        let length = length.parse().unwrap();
        let mut limited = stream.take(length);
        let _ = limited.read_to_end(&mut answer.body).await;
        answer.whole = answer.body.len() as u64 == length;
    } else {
        answer.whole = stream.read_to_end(&mut answer.body).await.is_ok();
    }
    answer
}

async fn read_chunks(stream: &mut (impl AsyncRead + Unpin), body: &mut Vec<u8>) -> Option<()> {
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(stream.read_u8().await.ok()?);
        }
        let length = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
        let from = body.len();
        body.resize(from + length, 0);
        stream.read_exact(&mut body[from..]).await.ok()?;
        let mut end = [0; 2];
        stream.read_exact(&mut end).await.ok()?;
        if length == 0 {
            return Some(());
        }
    }
}

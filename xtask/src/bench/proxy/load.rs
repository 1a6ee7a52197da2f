//! Requests: as many as possible by wrk, at a fixed rate by threads of our own, and large bodies.
//!
//! At a fixed rate a request's time counts from when it was due, not from when it could be sent: who waits for a slow answer
//! does not spare the next one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::services::TOKEN;
use crate::run::output;

/// How many connections ask at once.
const CONNECTIONS: usize = 16;

/// A small request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Small {
    Get,
    Post,
}

impl Small {
    pub(super) const ALL: [Self; 2] = [Self::Get, Self::Post];

    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Get => "/api/2.0/mlflow/experiments/search?max_results=10",
            Self::Post => "/api/2.0/mlflow/runs/log-metric",
        }
    }

    fn body(self) -> &'static str {
        match self {
            Self::Get => "",
            Self::Post => {
                r#"{"run_id": "0f3c9a5be1d24c7f8a6b5d4e3f2a1b0c", "key": "loss", "value": 0.125, "timestamp": 1767225600000, "step": 7}"#
            }
        }
    }

    /// The request as it is on the wire.
    fn bytes(self, address: SocketAddr) -> Vec<u8> {
        let (method, path, body) = (self.method(), self.path(), self.body());
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
             User-Agent: mlflow-python-client/3.10.0\r\nAccept: */*\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// What a time of asking showed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Requests a second.
    pub(super) rate: f64,
    /// The median and the 99th percentile, in milliseconds.
    pub(super) half: f64,
    pub(super) most: f64,
}

/// Asks as much as possible.
///
/// # Errors
///
/// wrk fails, or an answer is no success.
pub(super) fn saturate(
    address: SocketAddr,
    small: Small,
    seconds: u64,
    folder: &Path,
) -> Result<Seen, String> {
    let script = folder.join(format!("{}.lua", small.method()));
    let text = format!(
        "wrk.method = '{}'\nwrk.headers['Authorization'] = 'Bearer {TOKEN}'\n\
         wrk.headers['User-Agent'] = 'mlflow-python-client/3.10.0'\n\
         wrk.headers['Content-Type'] = 'application/json'\nwrk.body = [[{}]]\n",
        small.method(),
        small.body()
    );
    fs::write(&script, text).map_err(|error| format!("cannot write {}: {error}", script.display()))?;
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "--latency", "-s"]);
    command.arg(script).arg(format!("http://{address}{}", small.path()));
    read_wrk(&output(&mut command)?)
}

fn read_wrk(said: &str) -> Result<Seen, String> {
    let after =
        |word: &str| said.lines().find_map(|line| line.trim().strip_prefix(word)?.split_whitespace().next());
    if said.contains("Non-2xx") || said.contains("Socket errors") {
        return Err(format!("not every request was answered:\n{said}"));
    }
    let read = || {
        Some(Seen {
            rate: after("Requests/sec:")?.parse().ok()?,
            half: milliseconds(after("50%")?)?,
            most: milliseconds(after("99%")?)?,
        })
    };
    read().ok_or_else(|| format!("this is not wrk's report:\n{said}"))
}

fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.strip_suffix('s')?, 1000.0)
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// Asks so many times a second, whatever the answers take.
///
/// # Errors
///
/// A connection fails, or an answer is no success.
pub(super) fn steadily(address: SocketAddr, small: Small, rate: f64, seconds: u64) -> Result<Seen, String> {
    let step = Duration::from_secs_f64(CONNECTIONS as f64 / rate);
    let begin = Instant::now() + Duration::from_millis(50);
    let end = begin + Duration::from_secs(seconds);
    let one = |index: usize| -> std::io::Result<Vec<Duration>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let request = small.bytes(address);
        let mut due = begin + step.mul_f64(index as f64 / CONNECTIONS as f64);
        let mut times = Vec::new();
        while due < end {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            stream.write_all(&request)?;
            read_answer(&mut reader)?;
            times.push(due.elapsed());
            due += step;
        }
        Ok(times)
    };
    let times: std::io::Result<Vec<Vec<Duration>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|index| scope.spawn(move || one(index))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Ok(Vec::new()))).collect()
    });
    let mut times: Vec<Duration> =
        times.map_err(|error| format!("an answer is missing: {error}"))?.into_iter().flatten().collect();
    times.sort();
    let at = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        times.get(index.min(times.len().saturating_sub(1))).map_or(f64::NAN, |it| it.as_secs_f64() * 1000.0)
    };
    Ok(Seen { rate: times.len() as f64 / seconds as f64, half: at(0.5), most: at(0.99) })
}

/// Reads an answer to its end and gives the length of its body.
fn read_answer(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(std::io::Error::other(format!("the answer is {line:?}")));
    }
    let mut length = None;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<u64>().ok();
        }
    }
    if let Some(length) = length {
        return std::io::copy(&mut reader.take(length), &mut std::io::sink());
    }
    let mut whole = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let piece = u64::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        whole += std::io::copy(&mut reader.take(piece), &mut std::io::sink())?;
        line.clear();
        reader.read_line(&mut line)?;
        if piece == 0 {
            return Ok(whole);
        }
    }
}

/// Sends or fetches a large body and gives the seconds that it took.
///
/// # Errors
///
/// The connection fails, or the answer is no success.
pub(super) fn transfer(address: SocketAddr, path: &str, up: bool, size: u64) -> Result<f64, String> {
    let begun = Instant::now();
    let run = || -> std::io::Result<u64> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let head = if up {
            format!(
                "PUT {path} HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n"
            )
        } else {
            format!("GET {path} HTTP/1.1\r\n")
        };
        write!(stream, "{head}Host: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n")?;
        let mut reader = BufReader::with_capacity(256 * 1024, stream.try_clone()?);
        if up {
            let piece = vec![b'm'; 256 * 1024];
            let mut left = size;
            while left > 0 {
                let length = left.min(piece.len() as u64) as usize;
                stream.write_all(&piece[..length])?;
                left -= length as u64;
            }
        }
        read_answer(&mut reader)
    };
    let length = run().map_err(|error| format!("{path} of {size} bytes failed: {error}"))?;
    if !up && length != size {
        return Err(format!("{path} gave {length} bytes instead of {size}"));
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// The same, so many at once; the seconds until the last has ended.
///
/// # Errors
///
/// One of them fails.
pub(super) fn transfers(address: SocketAddr, path: &str, count: usize, size: u64) -> Result<f64, String> {
    let begun = Instant::now();
    let results: Vec<Result<f64, String>> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..count).map(|_| scope.spawn(|| transfer(address, path, true, size))).collect();
        let gone = |_| Err("a sender ended".to_owned());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(gone)).collect()
    });
    results.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(begun.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_wrk_is_read_whatever_its_units() {
        let said = "  Latency Distribution\n     50%  790.00us\n     75%    1.10ms\n     99%    1.02s \n\
                    Requests/sec:  18250.31\nTransfer/sec:      9.10MB";
        let seen = read_wrk(said).unwrap();
        assert_eq!((seen.rate, seen.half, seen.most), (18_250.31, 0.79, 1020.0));
        assert!(read_wrk(&format!("{said}\n  Non-2xx or 3xx responses: 12")).is_err());
    }

    #[test]
    fn answers_are_read_whatever_their_framing() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        let mut both = BufReader::new(std::io::Cursor::new(format!("{chunked}{plain}")));
        assert_eq!((read_answer(&mut both).unwrap(), read_answer(&mut both).unwrap()), (2, 3));
        let refused = read_answer(&mut BufReader::new(std::io::Cursor::new("HTTP/1.1 403 Forbidden\r\n")));
        assert!(refused.unwrap_err().to_string().contains("403"));
    }
}

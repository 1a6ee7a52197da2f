//! A served simulator as a child process, and what it tells of how long stacks took.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::figures::seconds_of;

/// A simulator. It ends with this value.
pub(super) struct Simulator {
    child: Child,
    address: String,
    log: PathBuf,
}

impl Simulator {
    /// Starts a simulator with an empty account, in which everything takes `scale` times as long as usual, and waits for
    /// its address.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub(super) fn start(program: &Path, place: &Path, scale: f64) -> Result<Self, String> {
        let log = place.join("requests.jsonl");
        let mut child = Command::new(program)
            .args(["--region", super::REGION, "--scale", &scale.to_string(), "--state-log"])
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out)
                .read_line(&mut line)
                .map_err(|error| format!("the simulator's address cannot be read: {error}"))?;
        }
        let Some(address) = line.trim().strip_prefix("http://").map(str::to_owned) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the simulator told no address but {line:?}"));
        };
        Ok(Self { child, address, log })
    }

    /// The file with every request, as lines of JSON.
    pub(super) fn log(&self) -> PathBuf {
        self.log.clone()
    }

    /// Points a command at the simulator, and at nothing else.
    pub(super) fn environment(&self, command: &mut Command, place: &Path) {
        for name in
            ["AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]
        {
            command.env_remove(name);
        }
        command
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_ACCESS_KEY_ID", "AKIASIMULATED0000000")
            .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .env("AWS_REGION", super::REGION)
            .env("AWS_DEFAULT_REGION", super::REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", place.join("no-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", place.join("no-credentials"))
            .env("HOME", place);
    }

    /// How long the creation of a stack took, in seconds, by the stack's own events.
    ///
    /// # Errors
    ///
    /// The stack was not made, or the simulator does not answer.
    pub(super) fn took(&self, stack: &str) -> Result<f64, String> {
        let answer = self
            .ask(&format!("Action=DescribeStackEvents&Version=2010-05-15&StackName={stack}"))
            .map_err(|error| format!("the simulator does not answer: {error}"))?;
        let at = |status: &str| {
            let own = format!("<LogicalResourceId>{stack}</LogicalResourceId>");
            let status = format!("<ResourceStatus>{status}</ResourceStatus>");
            answer
                .split("<member>")
                .find(|event| event.contains(&own) && event.contains(&status))
                .and_then(|event| event.split_once("<Timestamp>")?.1.split_once("</Timestamp>"))
                .and_then(|(time, _)| seconds_of(time))
        };
        match (at("CREATE_IN_PROGRESS"), at("CREATE_COMPLETE")) {
            (Some(from), Some(to)) => Ok(to - from),
            _ => Err(format!("stack {stack} was not made")),
        }
    }

    fn ask(&self, body: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        let credential =
            format!("AKIASIMULATED0000000/20260101/{}/cloudformation/aws4_request", super::REGION);
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential={credential}, SignedHeaders=host, Signature=00\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It keeps nothing that would be lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! Tells the service manager how far the process is, so that a unit of `Type=notify` starts and stops in order.
//!
//! A datagram to the socket that the manager names; without one nothing happens. Source: sd_notify(3).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable that names the socket.
const SOCKET: &str = "NOTIFY_SOCKET";

/// The process serves.
pub fn ready() {
    send("READY=1\nSTATUS=serving");
}

/// The process is about to stop.
pub fn stopping() {
    send("STOPPING=1\nSTATUS=finishing requests");
}

fn send(message: &str) {
    let Some(socket) = std::env::var_os(SOCKET) else { return };
    if let Err(error) = send_to(&socket, message) {
        tracing::warn!(error = %error, "cannot tell the service manager");
    }
}

fn send_to(socket: &OsString, message: &str) -> io::Result<()> {
    let bytes = socket.as_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(OsStr::from_bytes(bytes))?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 100];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_socket_in_a_folder_and_an_abstract_one_both_hear() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        send_to(&path.into_os_string(), "READY=1").unwrap();
        assert_eq!(received(&socket), "READY=1");

        let name = format!("mlflow-proxy-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send_to(&format!("@{name}").into(), "STOPPING=1").unwrap();
        assert_eq!(received(&socket), "STOPPING=1");
    }

    #[test]
    fn a_socket_that_is_not_there_is_an_error() {
        assert!(send_to(&"/nonexistent/notify".into(), "READY=1").is_err());
    }
}

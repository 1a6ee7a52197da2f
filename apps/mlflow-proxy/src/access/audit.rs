//! One line for each request that may change something: who, what, and what came of it.
//!
//! No body, no query and no header is in it, so that no secret can be.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, StatusCode};

use super::Identity;
use super::routes::Route;

/// The target of the lines.
pub const TARGET: &str = "audit";

/// The longest path that is told; the rest is cut off.
const LONGEST: usize = 1024;

/// A request that may change something. Its line is written when it ends, also when the client does not wait for that.
#[derive(Debug)]
pub struct Entry {
    identity: Identity,
    method: Method,
    route: Option<&'static Route>,
    path: Box<str>,
    request_id: Arc<str>,
    client: IpAddr,
    start: Instant,
    told: bool,
}

impl Entry {
    /// Begins the account of a request.
    pub fn new(
        identity: &Identity,
        method: &Method,
        path: &str,
        route: Option<&'static Route>,
        request_id: Arc<str>,
        client: IpAddr,
    ) -> Self {
        let path = &path[..path.floor_char_boundary(LONGEST)];
        Self {
            identity: identity.clone(),
            method: method.clone(),
            route,
            path: path.into(),
            request_id,
            client,
            start: Instant::now(),
            told: false,
        }
    }

    /// Ends it with the status of the answer and the bytes of both bodies.
    pub fn finish(mut self, status: StatusCode, bytes_in: u64, bytes_out: u64) {
        self.tell("answered", status.as_u16(), bytes_in, bytes_out);
    }

    /// Ends it with the same, where the client did not get the whole answer: what was asked for has been done.
    pub fn cut(mut self, status: StatusCode, bytes_in: u64, bytes_out: u64) {
        self.tell("answer cut", status.as_u16(), bytes_in, bytes_out);
    }

    /// Ends it without a line: the request has turned out to change nothing.
    pub fn discard(mut self) {
        self.told = true;
    }

    fn tell(&mut self, outcome: &str, status: u16, bytes_in: u64, bytes_out: u64) {
        self.told = true;
        let ids: Vec<String> = self
            .route
            .map(|route| {
                route.ids(&self.path).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
            })
            .unwrap_or_default();
        tracing::info!(
            target: TARGET,
            event = "request",
            user = &*self.identity.name,
            role = self.identity.role.as_str(),
            credential = &*self.identity.credential,
            method = self.method.as_str(),
            route = self.route.map_or("unknown", |route| route.name),
            pattern = self.route.map_or(&*self.path, |route| route.pattern),
            ids = ids.join(" "),
            status,
            outcome,
            bytes_in,
            bytes_out,
            milliseconds = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX),
            client = %self.client,
            request_id = &*self.request_id,
            "audit"
        );
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !self.told {
            self.tell("client gone", 0, 0, 0);
        }
    }
}

#[cfg(test)]
mod tests;

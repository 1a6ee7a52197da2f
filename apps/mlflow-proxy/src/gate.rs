//! The way of a request through the proxy, in one place: each check in its order, then the one who answers.

mod account;
mod client;
mod guesses;
mod hosts;
mod protocol;
mod proxy;
mod request_id;
mod settings;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::header::{
    ALLOW, CONTENT_LENGTH, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Body as _;

use crate::access::audit::Entry;
use crate::access::routes::{self, Kind, Route};
use crate::access::{Access, Admission, Identity};
use crate::artifacts::{Artifacts, locations};
use crate::body::Body;
use crate::operate::Answered;
use crate::operate::metrics::{AuthenticationFailure, Class};
use crate::problem::{LoginFailure, Problem};
use crate::server::{Handler, Peer};

pub use hosts::Hosts;
pub use proxy::{Proxy, StartError};
pub use settings::{Settings, VARIABLES};

/// Browsers are to come back by TLS only, for a year. Source: RFC 6797.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// How a balancer tells that its client speaks TLS.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Which request it is, and where from.
struct Origin {
    id: HeaderValue,
    client: IpAddr,
    tls: bool,
}

impl Origin {
    fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }
}

/// An answer, with what is known of its request.
struct Decision {
    class: Class,
    user: Option<Arc<str>>,
    answer: Result<Response<Body>, Problem>,
}

impl Decision {
    fn new(class: Class, answer: Result<Response<Body>, Problem>) -> Self {
        Self { class, user: None, answer }
    }
}

impl Proxy {
    async fn decide(&self, mut request: Request<Body>, origin: &Origin) -> Decision {
        let host = match protocol::normalize(&mut request) {
            Ok(host) => host,
            Err(problem) => return Decision::new(Class::Refused, Err(problem)),
        };
        if let path @ ("/healthz" | "/readyz") = request.uri().path() {
            return Decision::new(Class::Health, self.health(request.method(), path));
        }
        let checked = self
            .hosts
            .check(host.as_ref())
            .and_then(|()| hosts::check_origin(request.method(), request.headers(), host.as_ref()));
        if let Err(problem) = checked {
            return Decision::new(Class::Refused, Err(problem));
        }
        let identity = self.access.authenticate(request.headers()).await;
        if let Err(problem) = &identity {
            self.not_let_in(problem, &request, origin);
        }
        if request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
            return Decision::new(
                Class::Pages,
                Ok(self.root(host.as_ref(), origin.tls, identity.ok().as_ref())),
            );
        }
        let identity = match identity {
            Ok(identity) => identity,
            Err(problem) => return Decision::new(Class::Refused, Err(problem)),
        };
        let user = Some(identity.name.clone());
        if request.uri().path() == "/ui" {
            let answer = Box::pin(self.open_ui(request, &identity, origin)).await;
            return Decision { class: Class::Pages, user, answer };
        }
        let route = routes::look_up(request.method(), request.uri().path());
        let class = class(route.ok());
        let answer = match self.access.permit(&identity, request.method(), route) {
            Ok(()) => self.let_in(request, &identity, route.ok(), origin).await,
            Err(problem) => {
                if Access::may_change(request.method(), route.ok()) {
                    self.account(&identity, &request, route.ok(), origin).finish(problem.status, 0, 0);
                }
                Err(problem)
            }
        };
        Decision { class, user, answer }
    }

    /// Counts who is not let in, and tells of those who offered something. The first page is for everybody: to look at it is
    /// no failure.
    fn not_let_in(&self, problem: &Problem, request: &Request<Body>, origin: &Origin) {
        let is_offered = Access::is_offered(request.headers());
        if is_offered || request.uri().path() != "/" {
            self.operate.metrics.authentication_failed(failure(problem));
        }
        if is_offered {
            self.guesses.tell(problem, origin.client, origin.id());
        }
    }

    /// What follows once it is clear that somebody may do what they ask for.
    async fn let_in(
        &self,
        mut request: Request<Body>,
        identity: &Identity,
        route: Option<&'static Route>,
        origin: &Origin,
    ) -> Result<Response<Body>, Problem> {
        let may_change = Access::may_change(request.method(), route);
        let entry = may_change.then(|| self.account(identity, &request, route, origin));
        let admission = match self.admit(identity, request.headers()) {
            Ok(admission) => admission,
            Err(problem) => {
                if let Some(entry) = entry {
                    entry.finish(problem.status, 0, 0);
                }
                return Err(problem);
            }
        };
        if !request.body().is_end_stream() {
            let known = self.access.knows_users();
            let share = if known { self.shares.of(&identity.name) } else { self.shares.of_anybody() };
            request.extensions_mut().insert(share);
        }
        let inspected = self.access.inspect(identity, route, request.map(|body| admission.limit(body))).await;
        let (inspected, entry) = match (inspected, entry) {
            (Ok(inspected), Some(entry)) if inspected.changes => (inspected, entry),
            (Ok(inspected), entry) => {
                if let Some(entry) = entry {
                    entry.discard();
                }
                return Ok(self.pass(inspected.request, route).await);
            }
            (Err(problem), entry) => {
                if let Some(entry) = entry {
                    entry.finish(problem.status, 0, 0);
                }
                return Err(problem);
            }
        };
        let (parts, body) = inspected.request.into_parts();
        let (body, received) = account::count(body);
        let response = self.pass(Request::from_parts(parts, body), route).await;
        let status = response.status();
        Ok(response.map(|body| account::close(body, entry, status, received)))
    }

    /// Sends a browser on to MLflow's own user interface: whoever opens it may do there what the proxy's role may.
    async fn open_ui(
        &self,
        request: Request<Body>,
        identity: &Identity,
        origin: &Origin,
    ) -> Result<Response<Body>, Problem> {
        let entry = self.account(identity, &request, Some(&routes::OPEN_UI), origin);
        if let Err(problem) = self.admit(identity, request.headers()) {
            entry.finish(problem.status, 0, 0);
            return Err(problem);
        }
        let (parts, _) = request.into_parts();
        let answer = self.pages.ui(&parts.method, &parts.headers, identity).await;
        entry.finish(answer.status(), 0, answer.body().size_hint().lower());
        Ok(answer)
    }

    fn admit(&self, identity: &Identity, headers: &HeaderMap) -> Result<Admission, Problem> {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        self.access.admit(identity, length).inspect_err(|problem| {
            if problem.status == StatusCode::TOO_MANY_REQUESTS {
                self.operate.metrics.rate_limited.inc();
            }
        })
    }

    fn account(
        &self,
        identity: &Identity,
        request: &Request<Body>,
        route: Option<&'static Route>,
        origin: &Origin,
    ) -> Entry {
        let (path, id) = (request.uri().path(), Arc::from(origin.id()));
        Entry::new(identity, request.method(), path, route, id, origin.client)
    }

    /// Lets the one answer who has what is asked for: the bucket or MLflow. Where the bucket is served, MLflow's places of
    /// artifacts are turned into such as the client can ask this proxy for, and back.
    async fn pass(&self, request: Request<Body>, route: Option<&'static Route>) -> Response<Body> {
        let Some(artifacts) = &self.artifacts else { return self.forward.send(request).await };
        if Artifacts::serves(request.uri().path()) {
            // Large futures of rare ways have memory of their own: the others' requests would have to carry it too.
            return Box::pin(artifacts.answer(request)).await;
        }
        let Some(route) = route else { return self.forward.send(request).await };
        let (fields, root) = (route.locations, artifacts.root());
        let request = locations::rewrite_request(request, fields.request, fields.answer, root);
        locations::rewrite_response(self.forward.send(request).await, fields.answer, root).await
    }

    fn health(&self, method: &Method, path: &str) -> Result<Response<Body>, Problem> {
        match (path, method) {
            ("/healthz", &Method::GET | &Method::HEAD) => Ok(self.operate.health()),
            (_, &Method::GET | &Method::HEAD) => Ok(self.operate.ready()),
            _ => {
                let message = format!("{method} is not possible on {path}; use GET or HEAD");
                Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", message)
                    .header(ALLOW, HeaderValue::from_static("GET, HEAD")))
            }
        }
    }

    fn root(&self, host: Option<&Authority>, tls: bool, identity: Option<&Identity>) -> Response<Body> {
        let scheme = if tls { "https" } else { "http" };
        let origin = format!("{scheme}://{}", host.map_or("localhost", Authority::as_str));
        let ready = self.operate.ready().status() == StatusCode::OK;
        self.pages.root(&origin, identity, ready)
    }
}

impl Handler for Proxy {
    async fn answer(&self, mut request: Request<Body>, peer: Peer) -> Response<Body> {
        let start = Instant::now();
        let id = request_id::take(request.headers_mut());
        let method = request.method().clone();
        let target = request.uri().path_and_query().cloned();
        let client = client::address(request.headers(), peer.address, self.behind_balancer);
        let tls = peer.tls || request.headers().get(FORWARDED_PROTO).is_some_and(|scheme| scheme == "https");
        let unanswered = self.operate.watch(&method, start);
        let origin = Origin { id, client, tls };
        let decision = self.decide(request, &origin).await;
        let mut response = decision.answer.unwrap_or_else(Problem::into_response);
        unanswered.answered(&Answered {
            class: decision.class,
            method: &method,
            path: target.as_ref().map_or("", |target| target.path()),
            status: response.status(),
            duration: start.elapsed(),
            request_id: origin.id(),
            user: decision.user.as_deref(),
            client,
        });
        secure(response.headers_mut(), tls);
        response.headers_mut().insert(request_id::REQUEST_ID, origin.id);
        response
    }
}

fn class(route: Option<&'static Route>) -> Class {
    match route.map(|route| route.kind) {
        Some(Kind::Mlflow | Kind::PresignedUrl | Kind::File) => Class::Mlflow,
        Some(Kind::Artifacts) => Class::Artifacts,
        Some(Kind::Graphql) => Class::Graphql,
        Some(Kind::Traces) => Class::Traces,
        Some(Kind::Gateway | Kind::Page) | None => Class::Other,
    }
}

/// Why somebody was not let in.
fn failure(problem: &Problem) -> AuthenticationFailure {
    match problem.login {
        None => AuthenticationFailure::Unknown,
        Some(LoginFailure::Missing) => AuthenticationFailure::Missing,
        Some(LoginFailure::Expired) => AuthenticationFailure::Expired,
        Some(LoginFailure::Malformed) => AuthenticationFailure::Malformed,
        Some(LoginFailure::NoRole) => AuthenticationFailure::NoRole,
        Some(LoginFailure::Limited) => AuthenticationFailure::Limited,
        Some(LoginFailure::Unavailable) => AuthenticationFailure::Unavailable,
    }
}

/// Headers that keep browsers from being used against their users.
fn secure(headers: &mut HeaderMap, tls: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("SAMEORIGIN"));
    if tls {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(TLS_ONLY);
    }
}

//! Looks into the bodies that decide what a request is: those of GraphQL.

use http::{Method, Request, StatusCode};

use super::graphql::{self, Operation};
use super::routes::{Kind, Route};
use super::{Access, Identity, Role};
use crate::body::{Body, full};
use crate::held;
use crate::problem::Problem;
use crate::share::Share;

/// The greatest body of GraphQL. MLflow's user interface sends a few KiB.
const GREATEST: usize = 1024 * 1024;

/// A request after a look into its body.
pub struct Inspected {
    /// The request, with its body whole again.
    pub request: Request<Body>,
    /// Whether it may change something.
    pub changes: bool,
}

impl Access {
    /// Whether a request may change something, as far as that can be told without its body.
    pub fn may_change(method: &Method, route: Option<&'static Route>) -> bool {
        route.map_or(!method.is_safe(), |route| route.changes || route.kind == Kind::Graphql)
    }

    /// Looks into the body where it decides what is asked for; other requests pass as they are.
    ///
    /// # Errors
    ///
    /// 403 when a reader sends what is not plainly a query, 413 when the body is too long, 408 when it comes
    /// too slowly, 503 when too many such bodies wait, 400 when it breaks off.
    pub async fn inspect(
        &self,
        identity: &Identity,
        route: Option<&'static Route>,
        request: Request<Body>,
    ) -> Result<Inspected, Problem> {
        let changes = match route {
            Some(route) if route.kind == Kind::Graphql => {
                return Box::pin(graphql_request(identity, request)).await;
            }
            _ => Self::may_change(request.method(), route),
        };
        Ok(Inspected { request, changes })
    }
}

async fn graphql_request(identity: &Identity, request: Request<Body>) -> Result<Inspected, Problem> {
    let (parts, body) = request.into_parts();
    let held = held::collect(body, GREATEST, Share::find(&parts.extensions).count()).await?;
    let changes = graphql::operation(&held) == Operation::Other;
    if changes && identity.role < Role::Writer {
        let message =
            format!("{} is a reader, and this GraphQL request is not plainly a query", identity.name);
        let problem = Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message);
        return Err(problem
            .hint("readers may send one JSON object with `query` definitions; mutations need a writer"));
    }
    Ok(Inspected { request: Request::from_parts(parts, full(held)), changes })
}

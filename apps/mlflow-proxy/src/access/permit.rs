//! Whether somebody may do what they ask for, and the words in which they are told that not.

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Method, StatusCode};

use super::routes::{Miss, Route};
use super::users::EXPIRED;
use super::{Access, Identity, Role, UserStore, jwt};
use crate::problem::{LoginFailure, Problem};

impl Access {
    /// Whether a user may call a route, as [`super::routes::look_up`] found it. What has no route is for admins.
    ///
    /// # Errors
    ///
    /// 403 with what would be needed.
    pub fn permit(
        &self,
        identity: &Identity,
        method: &Method,
        route: Result<&'static Route, Miss>,
    ) -> Result<(), Problem> {
        let need = route.map_or(Role::Admin, |route| route.need);
        if identity.role >= need {
            return Ok(());
        }
        let Identity { name, role, .. } = identity;
        let (message, hint) = match route {
            Ok(route) => (
                format!("{name} is a {role}, and {method} {} ({}) needs a {need}", route.pattern, route.name),
                self.how_to_rise(need),
            ),
            Err(Miss::Unknown) => (
                format!("{name} is a {role}, and this is no route of MLflow that is open to a {role}"),
                "look at the method and the path; routes that this proxy does not know are for admins"
                    .to_owned(),
            ),
            Err(Miss::Ambiguous) => (
                "the path could be read in more than one way".to_owned(),
                "send it without `.`, `..`, empty or needlessly encoded parts".to_owned(),
            ),
        };
        Err(Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message).hint(hint))
    }

    fn how_to_rise(&self, need: Role) -> String {
        let greatest = self.settings.greatest;
        if greatest < need {
            return format!("nobody is more than a {greatest} here; MLFLOW_PROXY_ACCESS sets it");
        }
        match (self.settings.methods.tokens, &self.jwt) {
            (true, _) => {
                format!("ask for a user with that role: `formwork proxy user add NAME --role {need}`")
            }
            (false, Some(jwt)) => {
                format!("ask to be put into a group that is a {need} here (claim {})", jwt.roles_claim())
            }
            (false, None) => "ask whoever runs this proxy".to_owned(),
        }
    }

    /// The answer to who did not show who they are.
    pub(super) fn refused(&self, message: &'static str) -> Problem {
        let methods = self.settings.methods;
        let hint = match (methods.passwords, methods.tokens, methods.jwt) {
            (true, ..) => {
                "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; \
                 `formwork proxy user add NAME --role reader` makes a user"
            }
            (_, true, _) => {
                "set MLFLOW_TRACKING_TOKEN to a token that `formwork proxy user add NAME --role reader` printed"
            }
            _ if self.jwt.as_ref().is_some_and(jwt::Verifier::takes_bearer) => {
                "set MLFLOW_TRACKING_TOKEN to a token of the issuer MLFLOW_PROXY_JWT_ISSUER"
            }
            _ => "come through the load balancer that authenticates",
        };
        self.unauthenticated(message).hint(hint)
    }

    fn unauthenticated(&self, message: &str) -> Problem {
        let expired = message == EXPIRED;
        let mut problem = Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
        if expired {
            problem = problem.login(LoginFailure::Expired);
        }
        let methods = self.settings.methods;
        if methods.tokens || methods.jwt {
            problem =
                problem.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"MLflow proxy\""));
        }
        // Browsers know no bearer tokens: they may send a token as the password.
        if methods.tokens || methods.passwords {
            let basic = HeaderValue::from_static("Basic realm=\"MLflow proxy\", charset=\"UTF-8\"");
            problem = problem.header(WWW_AUTHENTICATE, basic);
        }
        problem
    }

    /// The answer to an unknown credential: another one while it cannot be told, or while nobody is known at all.
    pub(super) fn unless_unread(&self, store: &UserStore, message: &'static str) -> Problem {
        let state = store.state();
        if !state.loaded {
            let problem = Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "TEMPORARILY_UNAVAILABLE",
                "the proxy could not read its users",
            );
            return problem
                .hint("whoever runs this proxy finds the reason in its log and at /readyz")
                .login(LoginFailure::Unavailable)
                .retry_after(std::time::Duration::from_secs(5));
        }
        if state.users == 0 {
            return self
                .unauthenticated("nobody may use this proxy yet: it has no users")
                .hint("`formwork proxy user add NAME --role admin` makes the first one");
        }
        self.refused(message)
    }

    /// The answer to a JSON Web Token that is of no use.
    pub(super) fn no_jwt(&self, error: jwt::Refusal) -> Problem {
        match error {
            jwt::Refusal::Token(message) => {
                let hint = "get a new token of the issuer for the audience of this proxy";
                self.unauthenticated(message).hint(hint)
            }
            jwt::Refusal::NoRole(name) => {
                let message = format!("{name} is in none of the groups that have a role here");
                Problem::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
                    .hint("ask to be put into one, or for MLFLOW_PROXY_JWT_ROLE to be set")
                    .login(LoginFailure::NoRole)
            }
            jwt::Refusal::Unavailable(reason) => {
                tracing::warn!(target: "access", event = "keys_not_read", "{reason}");
                let message = "the keys of the issuer cannot be fetched at present";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "TEMPORARILY_UNAVAILABLE", message)
                    .hint("whoever runs this proxy finds the reason in its log")
                    .login(LoginFailure::Unavailable)
                    .retry_after(std::time::Duration::from_secs(5))
            }
        }
    }
}

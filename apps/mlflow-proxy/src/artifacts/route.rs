//! Which operation a request asks for. Source: `mlflow_artifacts.proto` and `service.proto` of MLflow 3.17.2.

use http::header::ALLOW;
use http::{HeaderValue, Method, Request, StatusCode};

use super::path::{PathError, RelativePath, decode};
use crate::problem::Problem;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// What is directly below a path.
    List(RelativePath),
    /// A file.
    Download(RelativePath),
    /// A file is sent.
    Upload(RelativePath),
    /// A file, or all below a path, goes.
    Delete(RelativePath),
    /// A directory gets a file by links, one a part.
    CreateUpload(RelativePath),
    /// The parts become the file.
    CompleteUpload(RelativePath),
    /// The parts go.
    AbortUpload(RelativePath),
    /// A link to a file.
    Link(RelativePath),
    /// Something whose refusal makes clients go on by the other operations, in MLflow's words.
    Unsupported(&'static str),
}

/// The families of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Artifacts,
    MultipartUpload,
    PresignedDownload,
    PresignedUpload,
}

// MLflow's clients look for the begin of the first of these before they send a file in the plain way, and its user
// interface for the status. Source: `mlflow/exceptions.py`.
const NO_MULTIPART: &str = "Multipart upload is not supported for the current artifact repository";
const NO_DOWNLOAD_LINK: &str = "Multipart download is not supported for the current artifact repository";
const NO_UPLOAD_LINK: &str = "Presigned upload is not supported for the current artifact repository";

/// The family of a path and what follows it; `None` for a path that is not answered here.
pub(super) fn find(path: &str) -> Option<(Family, &str)> {
    let path = path.strip_prefix("/api/2.0/").or_else(|| path.strip_prefix("/ajax-api/2.0/"))?;
    if let Some(rest) = path.strip_prefix("mlflow-artifacts/") {
        let (family, rest) = rest.split_once('/').unwrap_or((rest, ""));
        return match family {
            "artifacts" => Some((Family::Artifacts, rest)),
            "mpu" => Some((Family::MultipartUpload, rest)),
            "presigned" => Some((Family::PresignedDownload, rest)),
            _ => None,
        };
    }
    match path.strip_prefix("mlflow/artifacts/")? {
        "presigned-upload-url" => Some((Family::PresignedUpload, "")),
        "presigned-download-url" => Some((Family::PresignedDownload, "")),
        _ => None,
    }
}

/// Reads what a request asks for. `links` says whether there are links to S3.
pub(super) fn read<T>(request: &Request<T>, links: bool) -> Result<Operation, Problem> {
    let path = request.uri().path();
    let Some((family, rest)) = find(path) else {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "ENDPOINT_NOT_FOUND",
            format!("there is nothing at {path}"),
        ));
    };
    match family {
        Family::MultipartUpload if links => upload(request.method(), rest),
        Family::PresignedDownload if links && !rest.is_empty() => match *request.method() {
            Method::GET => Ok(Operation::Link(file(RelativePath::from_url(rest)?, rest)?)),
            ref method => Err(not_possible(method, "a link to an artifact", "GET")),
        },
        Family::MultipartUpload => Ok(Operation::Unsupported(NO_MULTIPART)),
        Family::PresignedDownload => Ok(Operation::Unsupported(NO_DOWNLOAD_LINK)),
        Family::PresignedUpload => Ok(Operation::Unsupported(NO_UPLOAD_LINK)),
        Family::Artifacts if rest.is_empty() => match *request.method() {
            Method::GET | Method::HEAD => Ok(Operation::List(listed(request.uri().query())?)),
            ref method => Err(not_possible(method, "the root of the artifacts", "GET, HEAD")),
        },
        Family::Artifacts => {
            let whole = RelativePath::from_url(rest)?;
            match *request.method() {
                Method::GET | Method::HEAD => Ok(Operation::Download(file(whole, rest)?)),
                Method::PUT => Ok(Operation::Upload(file(whole, rest)?)),
                Method::DELETE => Ok(Operation::Delete(whole)),
                ref method => Err(not_possible(method, "an artifact", "DELETE, GET, HEAD, PUT")),
            }
        }
    }
}

/// The steps of an upload by links. The path is the directory's; the file's name is in the body.
fn upload(method: &Method, rest: &str) -> Result<Operation, Problem> {
    let (step, directory) = rest.split_once('/').unwrap_or((rest, ""));
    let operation = match step {
        "create" => Operation::CreateUpload,
        "complete" => Operation::CompleteUpload,
        "abort" => Operation::AbortUpload,
        _ => {
            let message = format!("there is no step `{step}` of an upload");
            return Err(Problem::new(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", message));
        }
    };
    if *method != Method::POST {
        return Err(not_possible(method, "a step of an upload", "POST"));
    }
    Ok(operation(RelativePath::from_url(directory)?))
}

/// A path that names a file: no slash ends it.
fn file(path: RelativePath, encoded: &str) -> Result<RelativePath, Problem> {
    if decode(encoded).is_some_and(|decoded| decoded.ends_with('/')) {
        let message = format!("the artifact path `{path}/` names a directory, not a file");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message));
    }
    Ok(path)
}

/// The path of a list. Clients take it from a location, which is a URI, and encode it once more for the query.
fn listed(query: Option<&str>) -> Result<RelativePath, Problem> {
    let given = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("path="));
    let text = given.unwrap_or_default().replace('+', "%20");
    let text = decode(&text).ok_or_else(|| PathError::not_text(&text))?;
    Ok(RelativePath::from_url(&text)?)
}

fn not_possible(method: &Method, what: &str, allowed: &'static str) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST", format!("{method} is not possible on {what}"))
        .hint(format!("use one of {allowed}"))
        .header(ALLOW, HeaderValue::from_static(allowed))
}

impl From<PathError> for Problem {
    fn from(error: PathError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, uri: &str) -> Result<Operation, Problem> {
        read(&Request::builder().method(method).uri(uri).body(()).unwrap(), false)
    }

    fn linked(method: &str, uri: &str) -> Result<Operation, Problem> {
        read(&Request::builder().method(method).uri(uri).body(()).unwrap(), true)
    }

    fn path(text: &str) -> RelativePath {
        RelativePath::from_text(text).unwrap()
    }

    #[test]
    fn paths_and_methods_make_operations() {
        let base = "/api/2.0/mlflow-artifacts/artifacts";
        assert_eq!(asked("GET", base), Ok(Operation::List(path(""))));
        assert_eq!(
            asked("GET", &format!("{base}?path=1/a%20b+c%2Bd")),
            Ok(Operation::List(path("1/a b c+d")))
        );
        assert_eq!(
            asked("GET", &format!("{base}?x=y&path=1%2F100%2525")),
            Ok(Operation::List(path("1/100%")))
        );
        assert_eq!(asked("GET", &format!("{base}/1/a%20b+c")), Ok(Operation::Download(path("1/a b+c"))));
        assert_eq!(asked("HEAD", &format!("{base}/x")), Ok(Operation::Download(path("x"))));
        assert_eq!(asked("PUT", &format!("{base}/x")), Ok(Operation::Upload(path("x"))));
        assert_eq!(asked("DELETE", &format!("{base}/x/")), Ok(Operation::Delete(path("x"))));
        assert_eq!(
            asked("GET", "/ajax-api/2.0/mlflow-artifacts/artifacts/x"),
            Ok(Operation::Download(path("x")))
        );
    }

    #[test]
    fn what_is_not_done_here_is_said_in_mlflows_words() {
        for uri in [
            "/api/2.0/mlflow-artifacts/mpu/create/x",
            "/api/2.0/mlflow-artifacts/mpu/complete/x",
            "/api/2.0/mlflow-artifacts/mpu/abort/x",
            "/api/2.0/mlflow-artifacts/mpu/create",
        ] {
            assert_eq!(asked("POST", uri), Ok(Operation::Unsupported(NO_MULTIPART)), "{uri}");
        }
        let uri = "/ajax-api/2.0/mlflow-artifacts/presigned/1/x";
        assert_eq!(asked("GET", uri), Ok(Operation::Unsupported(NO_DOWNLOAD_LINK)));
        let uri = "/api/2.0/mlflow/artifacts/presigned-upload-url";
        assert_eq!(asked("POST", uri), Ok(Operation::Unsupported(NO_UPLOAD_LINK)));
        let uri = "/api/2.0/mlflow/artifacts/presigned-download-url";
        assert_eq!(asked("POST", uri), Ok(Operation::Unsupported(NO_DOWNLOAD_LINK)));
    }

    #[test]
    fn links_are_given_where_they_are_turned_on() {
        let base = "/api/2.0/mlflow-artifacts";
        let linked = |method: &str, rest: &str| linked(method, &format!("{base}/{rest}"));
        assert_eq!(linked("POST", "mpu/create/1/a%20b"), Ok(Operation::CreateUpload(path("1/a b"))));
        assert_eq!(linked("POST", "mpu/complete/1"), Ok(Operation::CompleteUpload(path("1"))));
        assert_eq!(linked("POST", "mpu/abort"), Ok(Operation::AbortUpload(path(""))));
        assert_eq!(linked("GET", "presigned/1/x"), Ok(Operation::Link(path("1/x"))));
        for (method, rest, status) in [
            ("POST", "mpu/create/../x", 400),
            ("GET", "mpu/create/x", 405),
            ("POST", "mpu/x", 404),
            ("POST", "presigned/x", 405),
        ] {
            assert_eq!(linked(method, rest).unwrap_err().status.as_u16(), status, "{rest}");
        }
    }

    #[test]
    fn other_paths_are_not_answered_here() {
        for path in [
            "/api/2.0/mlflow/artifacts/list",
            "/get-artifact",
            "/api/2.0/mlflow-artifacts",
            "/api/2.0/mlflow-artifactsx/artifacts/x",
            "/api/3.0/mlflow-artifacts/artifacts/x",
            "/api/2.0/mlflow-artifacts/other/x",
            "/",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let base = "/api/2.0/mlflow-artifacts/artifacts";
        for (method, uri, status) in [
            ("POST", format!("{base}/x"), 405),
            ("PUT", base.to_owned(), 405),
            ("DELETE", base.to_owned(), 405),
            ("PUT", format!("{base}/x/"), 400),
            ("GET", format!("{base}/x%2f"), 400),
            ("GET", format!("{base}/../x"), 400),
            ("PUT", format!("{base}/%2e%2e/x"), 400),
            ("GET", format!("{base}?path=../x"), 400),
            ("GET", format!("{base}?path=%252e%252e/x"), 400),
            ("GET", format!("{base}?path=%ff"), 400),
        ] {
            assert_eq!(asked(method, &uri).unwrap_err().status.as_u16(), status, "{method} {uri}");
        }
        assert_eq!(asked("DELETE", &format!("{base}//")).unwrap_err().status.as_u16(), 400);
    }
}

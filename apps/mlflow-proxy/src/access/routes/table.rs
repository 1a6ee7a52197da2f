//! The rows as text, read once.

use std::sync::LazyLock;

use http::Method;

use super::{Kind, Locations, Route};

/// The two prefixes that MLflow serves most routes under: for clients and for its user interface.
const API: [&str; 2] = ["/api", "/ajax-api"];

/// All rows of both tables.
pub(super) static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    let tables = [include_str!("published.txt"), include_str!("own.txt")];
    let lines = tables.into_iter().flat_map(str::lines);
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.flat_map(|line| {
        read(line).unwrap_or_else(|| panic!("a row of the built-in route tables cannot be read: {line}"))
    })
    .collect()
});

/// The routes of a row: `METHODS PATTERN NAME NEED EFFECT KIND REQUEST-LOCATIONS ANSWER-LOCATIONS`.
fn read(line: &'static str) -> Option<Vec<Route>> {
    let mut fields = line.split(' ');
    let mut next = || fields.next();
    let (methods, pattern, name, need, effect, kind) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let locations = Locations { request: names(next()?), answer: names(next()?) };
    let need = need.parse().ok()?;
    let changes = match effect {
        "changes" => true,
        "reads" => false,
        _ => return None,
    };
    let kind = match kind {
        "mlflow" => Kind::Mlflow,
        "artifacts" => Kind::Artifacts,
        "presigned" => Kind::PresignedUrl,
        "file" => Kind::File,
        "graphql" => Kind::Graphql,
        "traces" => Kind::Traces,
        "gateway" => Kind::Gateway,
        "page" => Kind::Page,
        _ => return None,
    };
    let patterns: Vec<&'static str> = match pattern.strip_prefix("{api}") {
        // The table lives as long as the program, and so do the patterns that it spells out.
        Some(rest) => {
            API.iter().map(|prefix| &*Box::leak(format!("{prefix}{rest}").into_boxed_str())).collect()
        }
        None => vec![pattern],
    };
    let mut routes = Vec::new();
    for method in methods.split(',') {
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        for pattern in &patterns {
            let method = method.clone();
            routes.push(Route { name, method, pattern, need, changes, locations, kind });
        }
    }
    fields.next().is_none().then_some(routes)
}

fn names(text: &'static str) -> &'static [&'static str] {
    if text == "-" { &[] } else { Vec::leak(text.split(',').collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    #[test]
    fn a_row_is_read_and_a_wrong_one_is_not() {
        let row = "GET,POST {api}/2.0/x/{id} getX writer changes mlflow source a,b";
        let routes = read(row).unwrap();
        assert_eq!(routes.len(), 4);
        assert_eq!((routes[3].method.as_str(), routes[3].pattern), ("POST", "/ajax-api/2.0/x/{id}"));
        assert_eq!(routes[0].locations, Locations { request: &["source"], answer: &["a", "b"] });
        assert_eq!((routes[0].need, routes[0].changes), (Role::Writer, true));
        for wrong in [
            "GET /x getX writer changes mlflow -",
            "GET /x getX writer changes mlflow - - -",
            "GET /x getX owner changes mlflow - -",
            "GET /x getX writer maybe mlflow - -",
            "GET /x getX writer changes other - -",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

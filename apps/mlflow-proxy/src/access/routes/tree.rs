//! Finds the row of a request: a tree by segments, built once.

use std::sync::LazyLock;

use http::Method;

use super::segments::{Segment, split};
use super::{Route, table};

/// Why a request has no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// MLflow has no such path, or not with this method.
    Unknown,
    /// The path could be read in more than one way.
    Ambiguous,
}

/// A place in the tree.
#[derive(Default)]
struct Node {
    /// Segments that are written out, sorted by them.
    literals: Vec<(&'static str, Node)>,
    /// Any one segment.
    parameter: Option<Box<Node>>,
    /// The rows that end here.
    ends: Vec<&'static Route>,
    /// The rows of which the rest of the path is the last placeholder.
    tails: Vec<&'static Route>,
}

static TREE: LazyLock<Node> = LazyLock::new(|| {
    let mut root = Node::default();
    for route in table::ROUTES.iter() {
        root.insert(route);
    }
    root
});

/// The row of a request, or why there is none: then nobody but an admin may send it. `path` is as it was received, without
/// the query.
///
/// # Errors
///
/// The path is ambiguous, or MLflow has no such route.
pub fn look_up(method: &Method, path: &str) -> Result<&'static Route, Miss> {
    let segments = split(path).ok_or(Miss::Ambiguous)?;
    let method = if method == Method::HEAD { &Method::GET } else { method };
    match TREE.find(method, &segments) {
        Some(Found::Route(route)) => Ok(route),
        Some(Found::Encoded) => Err(Miss::Ambiguous),
        None => Err(Miss::Unknown),
    }
}

enum Found {
    Route(&'static Route),
    /// A part of the path that the route has written out is encoded, which no client does.
    Encoded,
}

impl Node {
    fn insert(&mut self, route: &'static Route) {
        let mut node = self;
        for part in route.pattern.split('/').skip(1) {
            if part.starts_with('{') {
                if part.ends_with("...}") {
                    return node.tails.push(route);
                }
                node = node.parameter.get_or_insert_default();
            } else {
                let place = match node.literals.binary_search_by_key(&part, |(text, _)| text) {
                    Ok(place) => place,
                    Err(place) => {
                        node.literals.insert(place, (part, Node::default()));
                        place
                    }
                };
                node = &mut node.literals[place].1;
            }
        }
        node.ends.push(route);
    }

    /// What is written out goes before placeholders, and those before the rest of a path, as in MLflow's own router.
    fn find(&self, method: &Method, segments: &[Segment<'_>]) -> Option<Found> {
        let Some((segment, rest)) = segments.split_first() else {
            let route = self.ends.iter().find(|route| route.method == *method)?;
            return Some(Found::Route(route));
        };
        if let Ok(place) = self.literals.binary_search_by(|(text, _)| (*text).cmp(&segment.text))
            && let Some(found) = self.literals[place].1.find(method, rest)
        {
            return Some(if segment.plain { found } else { Found::Encoded });
        }
        if segment.single
            && let Some(node) = &self.parameter
            && let Some(found) = node.find(method, rest)
        {
            return Some(found);
        }
        let route = self.tails.iter().find(|route| route.method == *method)?;
        // A path that ends in a slash names no file.
        let named = segments.last().is_some_and(|last| !last.text.is_empty());
        named.then_some(Found::Route(route))
    }
}

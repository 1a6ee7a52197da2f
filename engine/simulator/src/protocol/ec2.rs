//! EC2's dialect of AWS Query: answers without a `Result`, lists of `<item>`, and errors in a list of their own.

use bytes::Bytes;

use super::{response, xml};
use crate::api::{ApiError, Content, Element};

/// A list in EC2's form: each item as `<item>`.
pub fn list(name: &str, items: impl IntoIterator<Item = Vec<Element>>) -> Element {
    let item = |elements| Element { name: "item".to_owned(), content: Content::Elements(elements) };
    Element::of(name, items.into_iter().map(item))
}

/// The answer of an action.
pub fn answer(
    action: &str,
    namespace: &str,
    result: Vec<Element>,
    request_id: &str,
) -> http::Response<Bytes> {
    let inner = [vec![Element::text("requestId", request_id)], result].concat();
    respond(200, &Element::of(&format!("{action}Response"), inner), Some(namespace), request_id)
}

/// The answer of an action that failed.
pub fn failure(error: &ApiError, request_id: &str) -> http::Response<Bytes> {
    let described =
        [Element::text("Code", error.code.as_str()), Element::text("Message", error.message.as_str())];
    let errors = Element::of("Errors", [Element::of("Error", described)]);
    let root = Element::of("Response", [errors, Element::text("RequestID", request_id)]);
    respond(error.status, &root, None, request_id)
}

fn respond(status: u16, root: &Element, namespace: Option<&str>, request_id: &str) -> http::Response<Bytes> {
    let headers =
        [("content-type", "text/xml;charset=UTF-8".to_owned()), ("x-amzn-requestid", request_id.to_owned())];
    response(status, &headers, xml::document(root, namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_items_and_no_result() {
        let found = list("vpcSet", [vec![Element::text("vpcId", "vpc-1")]]);
        let sent = answer("DescribeVpcs", "urn:x", vec![found], "id-1");
        let body = String::from_utf8(sent.body().to_vec()).unwrap();
        assert!(body.contains("<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>"), "{body}");
        assert!(!body.contains("Result"), "{body}");
    }

    #[test]
    fn an_error_stands_in_a_list() {
        let sent = failure(&ApiError::new("InvalidVpcID.NotFound", "no"), "id-1");
        let body = String::from_utf8(sent.body().to_vec()).unwrap();
        assert!(
            body.contains("<Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message>"),
            "{body}"
        );
    }
}

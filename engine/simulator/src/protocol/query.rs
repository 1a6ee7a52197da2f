//! AWS Query: a form in, XML out.

use std::collections::BTreeMap;

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::{response, xml};
use crate::api::{ApiError, Element, Parameters};

/// The fields of a form, `a=b&c=d`, decoded. A field that comes twice keeps its last value.
pub fn form(text: &str) -> BTreeMap<String, String> {
    text.split('&').filter(|field| !field.is_empty()).map(field).collect()
}

/// The fields of a form in the order they came.
pub fn fields(text: &str) -> Vec<(String, String)> {
    text.split('&').filter(|field| !field.is_empty()).map(field).collect()
}

fn field(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decoded(name), decoded(value))
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The action and the parameters of a call: from the body, or from the address of a GET.
pub fn call(request: &http::Request<Bytes>) -> Option<(String, Parameters)> {
    let text = if request.body().is_empty() {
        request.uri().query().unwrap_or_default().to_owned()
    } else {
        String::from_utf8_lossy(request.body()).into_owned()
    };
    let mut values = form(&text);
    let action = values.remove("Action")?;
    values.remove("Version");
    Some((action, Parameters::new(values)))
}

/// The answer of an action.
pub fn answer(
    action: &str,
    namespace: &str,
    result: Vec<Element>,
    request_id: &str,
) -> http::Response<Bytes> {
    let mut inner = Vec::new();
    // Actions without a result have none, not an empty one; readers take both.
    if !result.is_empty() || HAS_EMPTY_RESULT.contains(&action) {
        inner.push(Element::of(&format!("{action}Result"), result));
    }
    inner.push(Element::of("ResponseMetadata", [Element::text("RequestId", request_id)]));
    let root = Element::of(&format!("{action}Response"), inner);
    respond(200, &root, namespace, request_id)
}

/// The actions whose results have no member and yet an element.
const HAS_EMPTY_RESULT: [&str; 6] = [
    "ContinueUpdateRollback",
    "DeleteChangeSet",
    "DescribeChangeSetHooks",
    "DescribeEvents",
    "ExecuteChangeSet",
    "RollbackStack",
];

/// The answer of an action that failed.
pub fn failure(error: &ApiError, namespace: &str, request_id: &str) -> http::Response<Bytes> {
    let kind = if error.status >= 500 { "Receiver" } else { "Sender" };
    let described = [
        Element::text("Type", kind),
        Element::text("Code", error.code.as_str()),
        Element::text("Message", error.message.as_str()),
    ];
    let root = Element::of(
        "ErrorResponse",
        [Element::of("Error", described), Element::text("RequestId", request_id)],
    );
    respond(error.status, &root, namespace, request_id)
}

fn respond(status: u16, root: &Element, namespace: &str, request_id: &str) -> http::Response<Bytes> {
    let headers = [("content-type", "text/xml".to_owned()), ("x-amzn-requestid", request_id.to_owned())];
    response(status, &headers, xml::document(root, Some(namespace)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_with_plus_and_percent() {
        let request = http::Request::post("/")
            .body(Bytes::from_static(b"Action=DescribeStacks&Version=2010-05-15&StackName=a+b%2Fc%C3%A9"))
            .unwrap();
        let (action, parameters) = call(&request).unwrap();
        assert_eq!((action.as_str(), parameters.get("StackName")), ("DescribeStacks", Some("a b/cé")));
        assert_eq!(parameters.get("Version"), None);
    }

    #[test]
    fn a_get_has_its_parameters_in_the_address() {
        let request = http::Request::get("/?Action=GetCallerIdentity").body(Bytes::new()).unwrap();
        assert_eq!(call(&request).unwrap().0, "GetCallerIdentity");
    }

    #[test]
    fn a_failure_names_whose_fault_it_is() {
        let sent = failure(&ApiError::validation("no & never"), "urn:x", "id-1");
        assert_eq!(sent.status(), 400);
        let body = String::from_utf8(sent.body().to_vec()).unwrap();
        assert!(
            body.contains("<Type>Sender</Type><Code>ValidationError</Code><Message>no &amp; never"),
            "{body}"
        );
        let broken = failure(&ApiError::new("InternalFailure", "").with_status(500), "urn:x", "id-1");
        assert!(String::from_utf8_lossy(broken.body()).contains("<Type>Receiver</Type>"));
    }
}

//! Answers in the form of the service that was asked, and the damage that a script does to them.

use bytes::Bytes;

use super::{Call, Input, Output};
use crate::api::{ApiError, Content, Element, Request};
use crate::protocol::{ec2, json, query, set_header};
use crate::services::namespace;
use crate::storage;

/// An error and the headers that come with it.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    /// The error.
    pub(super) error: ApiError,
    /// Headers by name.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Failed {
    /// An error without headers.
    pub(super) fn of(error: ApiError) -> Self {
        Self { error, headers: Vec::new() }
    }
}

/// The answer of a request that is no call.
pub(super) fn refusal(request: &Request, error: &ApiError, request_id: &str) -> http::Response<Bytes> {
    if request.headers().contains_key("x-amz-target") {
        json::failure(json::content_type(request), error, request_id)
    } else if request.headers().contains_key("x-amz-content-sha256") && !request.method().as_str().eq("POST")
    {
        storage::failure(request, error, request_id)
    } else {
        query::failure(error, namespace(""), request_id)
    }
}

/// The answer of a call.
pub(super) fn response(
    asked: Result<Output, Failed>,
    call: &Call,
    request: &Request,
    request_id: &str,
) -> http::Response<Bytes> {
    match asked {
        Ok(Output::Elements(elements)) if call.service == "ec2" => {
            ec2::answer(&call.operation, namespace(&call.service), elements, request_id)
        }
        Ok(Output::Elements(elements)) => {
            query::answer(&call.operation, namespace(&call.service), elements, request_id)
        }
        Ok(Output::Json(output)) => json::answer(json::content_type(request), &output, request_id),
        Ok(Output::Whole(mut response)) => {
            set_header(&mut response, "x-amz-request-id", request_id);
            response
        }
        Err(failed) => {
            let error = &failed.error;
            let mut response = match &call.input {
                Input::Query(_) if call.service == "ec2" => ec2::failure(error, request_id),
                Input::Query(_) => query::failure(error, namespace(&call.service), request_id),
                Input::Json(_) => json::failure(json::content_type(request), error, request_id),
                Input::Storage(_) => storage::failure(request, error, request_id),
            };
            for (name, value) in &failed.headers {
                set_header(&mut response, name, value);
            }
            response
        }
    }
}

/// Says the items of every list twice, as an event may come twice.
pub(super) fn duplicate(asked: &mut Result<Output, Failed>) {
    change_lists(asked, |members| {
        let twice = members.iter().flat_map(|member| [member.clone(), member.clone()]).collect();
        *members = twice;
    });
}

/// Turns the order of every list around.
pub(super) fn reorder(asked: &mut Result<Output, Failed>) {
    change_lists(asked, |members| members.reverse());
}

fn change_lists(asked: &mut Result<Output, Failed>, change: impl Fn(&mut Vec<Element>)) {
    let Ok(Output::Elements(elements)) = asked else { return };
    for element in elements {
        if let Content::Elements(members) = &mut element.content
            && members.iter().all(|member| member.name == "member" || member.name == "item")
        {
            change(members);
        }
    }
}

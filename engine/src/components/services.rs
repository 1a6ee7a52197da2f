//! What the services say of single things, as plain data. Only reads.

pub(crate) mod balancing;
pub(crate) mod compute;
pub(crate) mod network;
pub(crate) mod sagemaker;

use crate::aws::xml::Element;
use crate::aws::{Error, Session};

/// The version of EC2's API.
const EC2: &str = "2016-11-15";

/// A call of EC2 with one filter, all pages: the items of a list.
async fn ec2(
    session: &Session,
    action: &'static str,
    list: &str,
    filter: &str,
    values: &[&str],
) -> Result<Vec<Element>, Error> {
    let mut items = Vec::new();
    // EC2 takes 200 values in a filter.
    for values in values.chunks(200) {
        let mut parameters = vec![("Filter.1.Name".to_owned(), filter.to_owned())];
        let numbered = values.iter().enumerate();
        parameters.extend(
            numbered.map(|(index, value)| (format!("Filter.1.Value.{}", index + 1), (*value).to_owned())),
        );
        let mut page: Option<String> = None;
        loop {
            let mut asked = parameters.clone();
            asked.extend(page.clone().map(|token| ("NextToken".to_owned(), token)));
            let answer = session.call().query("ec2", action, EC2, &asked).await?;
            items.extend(answer.members(list).cloned());
            let next = answer.text_of("nextToken").filter(|token| !token.is_empty()).map(str::to_owned);
            if next.is_none() || next == page {
                break;
            }
            page = next;
        }
    }
    Ok(items)
}

fn text(element: &Element, name: &str) -> String {
    element.text_of(name).unwrap_or_default().to_owned()
}

fn given(element: &Element, name: &str) -> Option<String> {
    element.text_of(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(element: &Element, list: &str) -> Vec<String> {
    element.members(list).map(|item| item.text.clone()).collect()
}

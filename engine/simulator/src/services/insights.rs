//! CloudWatch Logs Insights: queries over the lines that a script put into log groups.
//!
//! Of the language there is what the engine asks: equality of fields, and the greatest time by fields. Any other query is
//! refused as the service refuses one that it cannot read. A query runs when it is asked for the first time and has ended
//! by the second.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Services;
use super::logs::lines_of;
use super::others::text;
use crate::api::ApiError;
use crate::cloudformation::Context;

/// A query that was started.
#[derive(Clone, Debug)]
pub struct Query {
    results: Vec<Value>,
    is_asked: bool,
}

impl Services {
    /// The operations on queries; nothing for the others.
    pub(super) fn insights(
        &mut self,
        context: &Context,
        operation: &str,
        input: &Value,
    ) -> Option<Result<Value, ApiError>> {
        match operation {
            "StartQuery" => Some(self.start_query(context, input)),
            "GetQueryResults" => Some(self.query_results(input)),
            _ => None,
        }
    }

    fn start_query(&mut self, context: &Context, input: &Value) -> Result<Value, ApiError> {
        let query = text(input, "queryString")?;
        let malformed =
            || ApiError::new("MalformedQueryException", format!("cannot read the query `{query}`"));
        let [from, to] = ["startTime", "endTime"].map(|name| input[name].as_i64());
        let (Some(from), Some(to)) = (from, to) else { return Err(malformed()) };
        if from > to {
            return Err(ApiError::new("InvalidParameterException", "the query ends before it starts"));
        }
        let parsed = Parsed::of(query).ok_or_else(malformed)?;
        // A script's lines have no time of their own: they are as new as can be asked for.
        let results = parsed.run(&lines_of(self, context, input)?, to * 1_000);
        self.queries.push(Query { results, is_asked: false });
        Ok(json!({ "queryId": (self.queries.len() - 1).to_string() }))
    }

    fn query_results(&mut self, input: &Value) -> Result<Value, ApiError> {
        let id = text(input, "queryId")?;
        let query =
            id.parse::<usize>().ok().and_then(|index| self.queries.get_mut(index)).ok_or_else(|| {
                ApiError::new("ResourceNotFoundException", format!("there is no query {id}"))
            })?;
        if !std::mem::replace(&mut query.is_asked, true) {
            return Ok(json!({ "status": "Running", "results": [] }));
        }
        Ok(json!({ "status": "Complete", "results": query.results }))
    }
}

/// `filter A = "x" and B = "y" | stats max(@timestamp) as NAME by C, D`.
struct Parsed<'q> {
    conditions: Vec<(&'q str, &'q str)>,
    name: &'q str,
    by: Vec<&'q str>,
}

impl<'q> Parsed<'q> {
    fn of(query: &'q str) -> Option<Self> {
        let (filter, stats) = query.split_once('|')?;
        let condition = |text: &'q str| {
            let (field, value) = text.split_once('=')?;
            Some((field.trim(), value.trim().strip_prefix('"')?.strip_suffix('"')?))
        };
        let conditions = filter.trim().strip_prefix("filter ")?.split(" and ").map(condition);
        let (name, by) = stats.trim().strip_prefix("stats max(@timestamp) as ")?.split_once(" by ")?;
        Some(Self {
            conditions: conditions.collect::<Option<_>>()?,
            name: name.trim(),
            by: by.split(',').map(str::trim).collect(),
        })
    }

    /// A row for each combination of what the lines that fit have in the fields.
    fn run(&self, lines: &[&str], milliseconds: i64) -> Vec<Value> {
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let fitting =
            lines.filter(|line| self.conditions.iter().all(|(field, value)| line[*field] == **value));
        let combinations: BTreeSet<Vec<String>> = fitting
            .map(|line| self.by.iter().map(|by| line[*by].as_str().unwrap_or_default().to_owned()).collect())
            .collect();
        let row = |values: Vec<String>| {
            let fields = self.by.iter().zip(values).map(|(by, value)| json!({ "field": by, "value": value }));
            fields.chain([json!({ "field": self.name, "value": milliseconds.to_string() })]).collect()
        };
        combinations.into_iter().map(row).collect()
    }
}

//! The functions that need more than a line.

use serde_json::Value;

use super::{Evaluated, Scope, UNKNOWN};
use crate::cloudformation::template::cidr;

impl Scope<'_> {
    pub(super) fn select(&self, items: &[Value]) -> Evaluated {
        let index = self.text(items.first().unwrap_or(&Value::Null))?;
        let list = self.list(items.get(1).unwrap_or(&Value::Null))?;
        if list.len() == 1 && list[0].as_str().is_some_and(|text| text.contains(UNKNOWN)) {
            return Ok(Some(Value::from(UNKNOWN)));
        }
        let chosen = index.parse::<usize>().ok().and_then(|index| list.get(index).cloned());
        chosen.map(Some).ok_or_else(|| {
            format!("Template error: Fn::Select cannot select nonexistent value at index {index}")
        })
    }

    pub(super) fn find_in_map(&self, items: &[Value]) -> Result<Value, String> {
        let name = |index: usize| self.text(items.get(index).unwrap_or(&Value::Null));
        let (map, top, second) = (name(0)?, name(1)?, name(2)?);
        let found = self.template.get("Mappings").and_then(|maps| maps.get(&map)?.get(&top)?.get(&second));
        let default = items.get(3).and_then(|options| options.get("DefaultValue"));
        match (found, default) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(default)) => self.required(default),
            (None, None) => Err(format!("Template error: Unable to get mapping for {map}::{top}::{second}")),
        }
    }

    pub(super) fn cidr(&self, items: &[Value]) -> Result<Value, String> {
        let text = |index: usize| items.get(index).map(|item| self.text(item)).transpose();
        let block = text(0)?.unwrap_or_default();
        if block.contains(UNKNOWN) {
            return Ok(Value::from(UNKNOWN));
        }
        let count = text(1)?.and_then(|text| text.parse().ok()).unwrap_or(1);
        let bits = text(2)?.and_then(|text| text.parse().ok()).unwrap_or(8);
        let blocks = cidr::blocks(&block, count, bits)
            .ok_or_else(|| "Template error: Fn::Cidr needs a larger address block".to_owned())?;
        Ok(Value::Array(blocks.into_iter().map(Value::from).collect()))
    }

    pub(super) fn stack_output(&self, argument: &Value) -> Result<Value, String> {
        let part = |name: &str| argument.get(name).map(|value| self.text(value)).transpose();
        let stack = part("StackName")?.unwrap_or_default();
        let output = part("OutputName")?.unwrap_or_default();
        let region = part("Region")?;
        match self.lookup.stack_output(&stack, &output, region.as_deref()) {
            Some(value) => Ok(Value::from(value)),
            None if self.lookup.is_strict() => {
                Err(format!("Output {output} of stack {stack} does not exist"))
            }
            None => Ok(Value::from(UNKNOWN)),
        }
    }

    pub(super) fn dynamic(&self, text: &str) -> Result<Value, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{resolve:ssm:") {
            let Some(length) = rest[start..].find("}}") else { break };
            out.push_str(&rest[..start]);
            let name = &rest[start + 14..start + length];
            let name = name
                .rsplit_once(':')
                .filter(|(_, version)| version.parse::<u64>().is_ok())
                .map_or(name, |it| it.0);
            match self.lookup.parameter(name) {
                Some(value) => out.push_str(&value),
                None => return Err(format!("Parameters: [ssm:{name}] cannot be found.")),
            }
            rest = &rest[start + length + 2..];
        }
        out.push_str(rest);
        Ok(Value::from(out))
    }
}

/// A text in Base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

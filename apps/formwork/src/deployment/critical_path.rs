//! The longest way through a plan, for people: which stacks a run waits for, and because of which resources.

use std::time::Duration;

use formwork_engine::plan::{CriticalResource, CriticalStack};

use super::progress::words::duration;
use crate::console::table;

/// How many resources of a stack are named: those that take longest.
const NAMED: usize = 3;

/// The way, a line a stack; nothing when nothing is done.
pub(crate) fn text(way: &[CriticalStack]) -> String {
    if way.is_empty() {
        return String::new();
    }
    let total = way.iter().map(|stack| stack.seconds).sum();
    let mut rows = vec![["critical path", "typically", "because of"].map(str::to_owned).to_vec()];
    for stack in way {
        rows.push(vec![stack.name.clone(), of_seconds(stack.seconds), slowest(&stack.resources)]);
    }
    format!("\n{}about {} in all, by the typical times of resource types\n", table(&rows), of_seconds(total))
}

/// The resources of a way that take longest, in the order of the way.
fn slowest(way: &[CriticalResource]) -> String {
    let mut times: Vec<u64> = way.iter().map(|resource| resource.seconds).collect();
    times.sort_unstable_by(|one, other| other.cmp(one));
    let least = times.get(NAMED - 1).copied().unwrap_or(0);
    let named = way.iter().filter(|resource| resource.seconds >= least).take(NAMED);
    let words = named.map(|it| format!("{} {} {}", it.logical_id, it.resource_type, of_seconds(it.seconds)));
    words.collect::<Vec<String>>().join(", ")
}

fn of_seconds(seconds: u64) -> String {
    duration(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_names_what_takes_longest_and_how_long_it_takes_in_all() {
        let resource = |id: &str, seconds| CriticalResource {
            logical_id: id.to_owned(),
            resource_type: "AWS::X::Y".to_owned(),
            seconds,
        };
        let resources = vec![resource("A", 5), resource("B", 100), resource("C", 40), resource("D", 60)];
        let way = [
            CriticalStack { name: "net".to_owned(), seconds: 205, resources },
            CriticalStack { name: "domain".to_owned(), seconds: 30, resources: Vec::new() },
        ];
        let text = text(&way);
        assert!(text.contains("B AWS::X::Y 1 min 40 s, C AWS::X::Y 40 s, D AWS::X::Y 1 min"), "{text}");
        assert!(!text.contains("A AWS"), "{text}");
        assert!(text.contains("about 3 min 55 s in all"), "{text}");
        assert_eq!(super::text(&[]), "");
    }
}

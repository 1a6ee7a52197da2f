//! What a deployment took and asked, from the simulator's log of requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The figures of one deployment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figures {
    seconds: f64,
    critical_path: f64,
    requests: usize,
    reads: usize,
    most_reads: usize,
    peak_megabytes: Option<f64>,
    operations: BTreeMap<String, usize>,
}

/// A request as far as it counts.
struct Request {
    at: f64,
    operation: String,
    place: (String, String),
    mutating: bool,
}

/// The requests of a deployment.
pub(super) struct Log(Vec<Request>);

impl Log {
    /// Reads the log of a simulator.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has lines of another form.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::of(&text).ok_or_else(|| format!("{} is no log of requests", path.display()))
    }

    fn of(text: &str) -> Option<Self> {
        let request = |line: &str| {
            let value: Value = serde_json::from_str(line).ok()?;
            let word = |name: &str| Some(value[name].as_str()?.to_owned());
            Some(Request {
                at: seconds_of(value["time"].as_str()?)?,
                operation: word("operation")?,
                place: (word("access_key").unwrap_or_default(), word("region")?),
                mutating: value["mutating"].as_bool()?,
            })
        };
        text.lines().map(request).collect::<Option<_>>().map(Self)
    }

    /// The figures, with what the log does not know.
    pub(super) fn figures(&self, seconds: f64, critical_path: f64, peak_megabytes: Option<f64>) -> Figures {
        let mut operations = BTreeMap::new();
        let mut places: BTreeMap<&(String, String), Vec<f64>> = BTreeMap::new();
        for request in &self.0 {
            *operations.entry(request.operation.clone()).or_default() += 1;
            if !request.mutating {
                places.entry(&request.place).or_default().push(request.at);
            }
        }
        let reads = places.values().map(Vec::len).sum();
        let most_reads = places.values().map(|times| most_in_a_second(times)).max().unwrap_or(0);
        let requests = self.0.len();
        Figures { seconds, critical_path, requests, reads, most_reads, peak_megabytes, operations }
    }
}

/// The most times in any second.
fn most_in_a_second(times: &[f64]) -> usize {
    let from = |start: f64| times.iter().filter(|at| **at >= start && **at < start + 1.0).count();
    times.iter().map(|start| from(*start)).max().unwrap_or(0)
}

impl Figures {
    /// The figures that a test in virtual time prints.
    ///
    /// # Errors
    ///
    /// The line has another form.
    pub(super) fn of_json(line: &str) -> Result<Self, String> {
        let read = || {
            let value: Value = serde_json::from_str(line).ok()?;
            let count = |name: &str| usize::try_from(value[name].as_u64()?).ok();
            let operations = value["operations"]
                .as_object()?
                .iter()
                .filter_map(|(name, count)| Some((name.clone(), usize::try_from(count.as_u64()?).ok()?)));
            Some(Self {
                seconds: value["wall"].as_f64()?,
                critical_path: value["criticalPath"].as_f64()?,
                requests: count("requests")?,
                reads: count("reads")?,
                most_reads: count("mostReadsInASecond")?,
                peak_megabytes: value["peakMegabytes"].as_f64(),
                operations: operations.collect(),
            })
        };
        read().ok_or_else(|| format!("these are no figures: {line}"))
    }
}

/// The figures as a table, and where the requests went.
pub(super) fn table(rows: &[(&str, usize, Figures)]) -> String {
    let mut text = String::from(
        "| stacks | program | critical path (s) | wall (s) | ratio | requests | a stack | reads | writes | most reads in \
         a second | reads a second | peak memory (MB) |\n|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (program, stacks, figures) in rows {
        let Figures { seconds, critical_path, requests, reads, most_reads, peak_megabytes, .. } = figures;
        let memory = peak_megabytes.map_or_else(|| "?".to_owned(), |peak| format!("{peak:.0}"));
        let (ratio, each) = (seconds / critical_path, *requests as f64 / *stacks as f64);
        let (mean, writes) = (*reads as f64 / seconds, requests - reads);
        // Writing into a text cannot fail.
        let _ = writeln!(
            text,
            "| {stacks} | {program} | {critical_path:.1} | {seconds:.1} | {ratio:.2} | {requests} | {each:.1} | {reads} | \
             {writes} | {most_reads} | {mean:.1} | {memory} |"
        );
    }
    text.push_str("\n| stacks | program | requests by operation |\n|--:|---|---|\n");
    for (program, stacks, figures) in rows {
        let mut operations: Vec<_> = figures.operations.iter().collect();
        operations.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let told: Vec<String> = operations.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let _ = writeln!(text, "| {stacks} | {program} | {} |", told.join(", "));
    }
    text
}

/// A time such as `2026-01-02T03:04:05.678Z` as seconds since some moment long ago.
pub(super) fn seconds_of(time: &str) -> Option<f64> {
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut clock = clock.split(':');
    let (hours, minutes) = (clock.next()?.parse::<f64>().ok()?, clock.next()?.parse::<f64>().ok()?);
    let seconds = clock.next()?.parse::<f64>().ok()?;
    // Days by the proleptic Gregorian calendar, the year beginning in March so that the leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some(days as f64 * 86_400.0 + hours * 3_600.0 + minutes * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_apart_by_what_lies_between_them() {
        let between = |from, to| seconds_of(to).unwrap() - seconds_of(from).unwrap();
        assert_eq!(between("2026-01-31T23:59:59.5Z", "2026-02-01T00:00:00.25Z"), 0.75);
        assert_eq!(between("2028-02-28T00:00:00Z", "2028-03-01T00:00:00Z"), 2.0 * 86_400.0);
        assert_eq!(between("2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z"), 86_400.0);
        assert_eq!(seconds_of("yesterday"), None);
    }

    #[test]
    fn requests_are_counted_by_second_and_place() {
        let line = |second: f64, region: &str, operation: &str, mutating: bool| {
            format!(
                r#"{{"time":"2026-01-01T00:00:0{second}Z","operation":"{operation}","region":"{region}","access_key":"A","mutating":{mutating}}}"#
            )
        };
        let text = [
            line(0.0, "a", "DescribeStacks", false),
            line(0.5, "a", "DescribeStacks", false),
            line(0.6, "b", "DescribeStacks", false),
            line(0.7, "a", "ExecuteChangeSet", true),
            line(1.0, "a", "ListStacks", false),
        ];
        let figures = Log::of(&text.join("\n")).unwrap().figures(2.0, 1.0, None);
        assert_eq!((figures.requests, figures.reads, figures.most_reads), (5, 4, 2));
        assert_eq!(figures.operations["DescribeStacks"], 3);
        assert!(
            table(&[("formwork", 4, figures)])
                .contains("| 4 | formwork | 1.0 | 2.0 | 2.00 | 5 | 1.2 | 4 | 1 | 2 | 2.0 | ? |")
        );
    }
}

//! Events as lines of a log: each complete in itself, none ever changed.

use std::collections::BTreeMap;

use formwork_engine::Event;
use formwork_engine::event::What;
use formwork_engine::plan::Environment;

use super::super::labels::Labels;
use super::words;

/// Makes lines of events.
pub(crate) struct Lines {
    resources: bool,
    /// The last status of each resource: CloudFormation tells some twice, with another reason.
    told: BTreeMap<(Stack, Vec<String>), String>,
    /// What each stack was last said to wait for: the same is not said twice.
    waiting: BTreeMap<Stack, String>,
}

/// A stack by its name and its place.
type Stack = (Option<String>, Option<Environment>);

impl Lines {
    /// A line for each event.
    pub(crate) fn all() -> Self {
        Self { resources: true, told: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// No lines for resources that go as they should.
    pub(crate) fn stacks_only() -> Self {
        Self { resources: false, ..Self::all() }
    }

    /// The line of an event, with its end; some events have none.
    pub(crate) fn show(&mut self, event: &Event, labels: &Labels) -> Option<String> {
        let subject = || (event.stack.clone(), event.environment.clone());
        match &event.what {
            What::Resource(resource) if !self.resources && !words::is_failed_status(&resource.status) => {
                return None;
            }
            What::Resource(resource) => {
                let key = (subject(), resource.path.clone());
                if self.told.insert(key, resource.status.clone()).as_ref() == Some(&resource.status) {
                    return None;
                }
            }
            // How far an upload is suits a bar, not a log.
            What::AssetUploading { sent, .. } if *sent > 0 => return None,
            What::AssetPresent { .. } if !self.resources => return None,
            What::StackWaiting { reason }
                if self.waiting.insert(subject(), reason.clone()).as_ref() == Some(reason) =>
            {
                return None;
            }
            _ => {}
        }
        let text = words::text(event)?;
        let time = event.time.strftime("%H:%M:%S");
        let stack = labels.of_event(event).map(|stack| format!("{stack}  ")).unwrap_or_default();
        let mut lines = text.lines();
        let mut shown = format!("{time}  {stack}{}\n", lines.next().unwrap_or_default());
        for line in lines {
            shown.push_str(&format!("          {line}\n"));
        }
        Some(shown)
    }
}

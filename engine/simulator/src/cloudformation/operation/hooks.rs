//! Hooks: somebody else's code that looks at a resource before it is made, by script.

use super::super::state::{HookEvent, StackKey};
use super::Engine;

impl Engine<'_> {
    /// Lets the hooks of a resource have their word: the reason why the resource fails, if one refuses it.
    pub(super) fn hook(&mut self, key: StackKey, id: &str, kind: &str) -> Option<String> {
        let name = self.world.stacks[key].name.clone();
        let hooks = self.world.faults.hooks.iter();
        let hooks: Vec<_> = hooks.filter(|it| it.stack == name && it.logical_id == id).cloned().collect();
        let mut failed = Vec::new();
        for hook in hooks {
            self.event(key, id, "", kind, "CREATE_IN_PROGRESS", None, None);
            let (status, failure_mode) =
                if hook.fails { ("HOOK_COMPLETE_FAILED", "FAIL") } else { ("HOOK_FAILED", "WARN") };
            if let Some(event) = self.stack(key).events.last_mut() {
                event.hook = Some(HookEvent {
                    hook: hook.hook.clone(),
                    status,
                    reason: hook.reason.clone(),
                    failure_mode,
                });
            }
            if hook.fails {
                failed.push(hook.hook);
            }
        }
        (!failed.is_empty()).then(|| format!("The following hook(s) failed: [{}]", failed.join(", ")))
    }
}

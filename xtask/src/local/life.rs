//! The life of both modes in a region: deployed, left alone, changed, failed, repaired, deleted one by one.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::ACCOUNT;
use super::walk::Walk;

/// A resource that only two NAT gateways need.
const SECOND_GATEWAY: &str = "NetworkingNat2GatewayC2B73F01";

const TRACKING: &str = "mlflowType=tracking";
const SERVERLESS: &str = "mlflowType=serverless";

/// The built-in app in one region.
pub(super) struct Life<'walk> {
    walk: &'walk Walk,
    region: &'static str,
    prefix: &'static str,
    /// The setting that says the prefix.
    named: String,
    /// The physical ids that `destroy` said stay.
    stays: RefCell<BTreeSet<String>>,
}

impl<'walk> Life<'walk> {
    pub(super) fn new(walk: &'walk Walk, region: &'static str, prefix: &'static str) -> Self {
        let named = format!("prefix={prefix}");
        Self { walk, region, prefix, named, stays: RefCell::default() }
    }

    pub(super) fn bootstrap(&self) -> Result<(), String> {
        let place = format!("aws://{ACCOUNT}/{}", self.region);
        self.walk.expect(self.region, 0, &["bootstrap", &place, "--yes"]).map(drop)
    }

    /// From nothing to the serverless mode with a handler of its own, the other mode being there in between.
    pub(super) fn grow(&self) -> Result<(), String> {
        self.step(2, &["plan", "--detailed-exitcode"], &[TRACKING])?;
        self.deploy(0, &[TRACKING])?;
        self.walk.only_reads(|| {
            self.step(0, &["plan", "--detailed-exitcode"], &[TRACKING])?;
            self.deploy(0, &[TRACKING])
        })?;
        // The shared stacks are there already, and stay as they are.
        let shared = self.lines(&["networking", "sagemaker-domain"])?;
        self.deploy(0, &[SERVERLESS])?;
        self.is_same(&shared)?;
        self.step(0, &["outputs"], &[SERVERLESS])?;
        self.is_there(&["mlflow-tracking", "proxyapp-tracking", "mlflow-serverless", "proxyapp-serverless"])?;
        // A changed property fails, is taken back, and goes through once the quota is raised.
        self.walk.emulator.fail(
            SECOND_GATEWAY,
            "The maximum number of addresses has been reached (AddressLimitExceeded)",
        )?;
        self.deploy(4, &[SERVERLESS, "natGateways=2"])?;
        self.walk.emulator.fail_nothing()?;
        self.deploy(0, &[SERVERLESS, "natGateways=2"])?;
        // A custom resource, whose handler really runs, takes the place of the native one.
        self.step(
            0,
            &["deploy", "--yes", "--allow", "replace,delete"],
            &[SERVERLESS, "natGateways=2", "provisioner=custom"],
        )?;
        let kept =
            self.lines(&["networking", "sagemaker-domain", "mlflow-serverless", "proxyapp-serverless"])?;
        self.destroy(TRACKING)?;
        self.is_same(&kept)?;
        self.is_gone(&["mlflow-tracking", "proxyapp-tracking"])
    }

    /// The stacks that [`grow`](Self::grow) ends with are there.
    pub(super) fn is_grown(&self) -> Result<(), String> {
        self.is_there(&["networking", "sagemaker-domain", "mlflow-serverless", "proxyapp-serverless"])
    }

    /// Deletes what is left: of what was not there before only that stays which was said to stay.
    pub(super) fn end(&self, before: &BTreeSet<String>) -> Result<(), String> {
        self.destroy(SERVERLESS)?;
        self.is_gone(&["networking", "sagemaker-domain", "mlflow-serverless", "proxyapp-serverless"])?;
        let stays = self.stays.borrow();
        let after = self.walk.inventory(self.region)?;
        let is_ours = |entry: &&String| entry.contains(self.prefix) || entry.starts_with("network ");
        let unsaid: Vec<&str> = after
            .difference(before)
            .filter(is_ours)
            .filter(|entry| !entry.split_once(' ').is_some_and(|(_, name)| stays.contains(name)))
            .map(|entry| &**entry)
            .collect();
        if !unsaid.is_empty() {
            return Err(format!("left in {} without a word:\n{}", self.region, unsaid.join("\n")));
        }
        println!("nothing is left in {} but what was said to stay: {}", self.region, stays.len());
        Ok(())
    }

    /// A command with settings of the app.
    fn step(&self, code: i32, command: &[&str], context: &[&str]) -> Result<String, String> {
        let mut arguments = command.to_vec();
        arguments.extend(["-c", &*self.named]);
        arguments.extend(context.iter().flat_map(|value| ["-c", value]));
        self.walk.expect(self.region, code, &arguments)
    }

    fn deploy(&self, code: i32, context: &[&str]) -> Result<(), String> {
        self.step(code, &["deploy", "--require-approval", "never"], context).map(drop)
    }

    fn destroy(&self, mode: &str) -> Result<(), String> {
        let said = self.step(0, &["destroy", "--yes", "--allow", "delete"], &[mode])?;
        self.stays.borrow_mut().extend(retained(&said).map(str::to_owned));
        Ok(())
    }

    fn names(&self, stacks: &[&str]) -> Vec<String> {
        stacks.iter().map(|stack| format!("{}-{stack}", self.prefix)).collect()
    }

    fn is_there(&self, stacks: &[&str]) -> Result<(), String> {
        self.walk.look(self.region, &self.names(stacks), true)
    }

    fn is_gone(&self, stacks: &[&str]) -> Result<(), String> {
        self.walk.look(self.region, &self.names(stacks), false)
    }

    /// Stacks with all that a change to them would change.
    fn lines(&self, stacks: &[&str]) -> Result<Vec<String>, String> {
        let names = self.names(stacks);
        self.is_there(stacks)?;
        let lines = self.walk.stacks(self.region)?.into_iter();
        Ok(lines.filter(|line| names.iter().any(|name| line.split(' ').next() == Some(name))).collect())
    }

    fn is_same(&self, lines: &[String]) -> Result<(), String> {
        let now = self.walk.stacks(self.region)?;
        match lines.iter().find(|line| !now.contains(line)) {
            None => Ok(()),
            Some(line) => Err(format!("{line} has changed:\n{}", now.join("\n"))),
        }
    }
}

/// The physical ids in the lines of a plan that say what stays: `= Bucket (AWS::S3::Bucket, the-id) stays`.
fn retained(said: &str) -> impl Iterator<Item = &str> {
    said.lines().filter_map(|line| {
        let (described, _) = line.trim_start().strip_prefix("= ")?.split_once(") stays")?;
        Some(described.split_once(" (")?.1.split_once(", ")?.1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_read_from_a_plan() {
        let said = "- network  delete: 2 resources\n    - Vpc  AWS::EC2::VPC  deleted\n    \
                    = Logs (AWS::Logs::LogGroup, /aws/network) stays; its logs are billed\n= other  nothing";
        assert_eq!(retained(said).collect::<Vec<_>>(), ["/aws/network"]);
    }
}

//! The same app written with the AWS CDK: deployed by its own command line it is none of our business, and its assembly
//! is deployed by us like one of ours.

use std::path::PathBuf;

use super::ACCOUNT;
use super::walk::Walk;

const PREFIX: &str = "sagemaker-infra";

/// The stacks of the twin in a region, deployed by the AWS CDK.
pub(super) struct Twin<'walk> {
    walk: &'walk Walk,
    region: &'static str,
    assembly: String,
    /// Its stacks as they were when it was done.
    stacks: Vec<String>,
}

/// Writes the twin's assembly for a mode.
fn synthesised(walk: &Walk, region: &str, mode: &str) -> Result<String, String> {
    let assembly: PathBuf = walk.folder.join(format!("twin-{mode}"));
    let assembly = assembly.display().to_string();
    let context = format!("mlflowType={mode}");
    let arguments = ["synth", "--quiet", "--output", &assembly, "--context", &context];
    walk.cdk(region, &walk.paths.join("tests/twin"), &arguments)?;
    Ok(assembly)
}

/// The stacks of a mode by their names.
fn names(mode: &str) -> [String; 4] {
    let name = |stack: &str| format!("{PREFIX}-{stack}");
    [
        name("networking"),
        name("sagemaker-domain"),
        name(&format!("mlflow-{mode}")),
        name(&format!("proxyapp-{mode}")),
    ]
}

/// Deploys the twin's assembly in its other mode, whose custom resource really runs, and deletes it.
pub(super) fn deployed_by_us(walk: &Walk, region: &str) -> Result<(), String> {
    let assembly = synthesised(walk, region, "serverless")?;
    walk.expect(region, 0, &["deploy", "--app", &assembly, "--yes"])?;
    let outputs = walk.expect(region, 0, &["outputs", "--app", &assembly, "--json"])?;
    if !outputs.contains(":mlflow-app/") {
        return Err("the custom resource of the twin has not given the ARN of an app".to_owned());
    }
    walk.only_reads(|| walk.expect(region, 0, &["deploy", "--app", &assembly, "--yes"]).map(drop))?;
    walk.expect(region, 0, &["destroy", "--app", &assembly, "--yes", "--allow", "delete"])?;
    walk.look(region, &names("serverless"), false)
}

impl<'walk> Twin<'walk> {
    /// Bootstraps the region as the AWS CDK does, and deploys the twin by its command line.
    pub(super) fn deployed_by_cdk(walk: &'walk Walk, region: &'static str) -> Result<Self, String> {
        let assembly = synthesised(walk, region, "tracking")?;
        walk.cdk(region, &walk.folder, &["bootstrap", &format!("aws://{ACCOUNT}/{region}")])?;
        let deploy =
            ["deploy", "--app", &assembly, "--all", "--require-approval", "never", "--concurrency", "4"];
        walk.cdk(region, &walk.folder, &deploy)?;
        let twin = Self { walk, region, stacks: Vec::new(), assembly };
        walk.look(region, &names("tracking"), true)?;
        Ok(Self { stacks: twin.lines()?, ..twin })
    }

    /// Our commands refuse stacks of the same names that do not carry our mark, without a write.
    pub(super) fn is_not_ours(&self) -> Result<(), String> {
        let mode = "mlflowType=tracking";
        // The parameters of our own bootstrap are looked for first.
        self.walk.expect(
            self.region,
            0,
            &["bootstrap", &format!("aws://{ACCOUNT}/{}", self.region), "--yes"],
        )?;
        self.walk.only_reads(|| {
            self.refuse(&["deploy", "--yes", "--allow", "replace,delete", "-c", mode])?;
            self.refuse(&["destroy", "--yes", "--allow", "delete", "-c", mode])?;
            self.refuse(&["deploy", "--yes", "--app", &self.assembly])?;
            self.refuse(&["destroy", "--yes", "--allow", "delete", "--app", &self.assembly])
        })?;
        self.is_unchanged()
    }

    /// Nothing has happened to its stacks since they were deployed.
    pub(super) fn is_unchanged(&self) -> Result<(), String> {
        let now = self.lines()?;
        if now == self.stacks {
            println!("the stacks of the twin in {} are as they were", self.region);
            return Ok(());
        }
        Err(format!(
            "the stacks of the twin in {} have changed from\n{}\nto\n{}",
            self.region,
            self.stacks.join("\n"),
            now.join("\n")
        ))
    }

    /// With `--adopt` they become ours, and are deleted as ours.
    pub(super) fn is_adopted(&self) -> Result<(), String> {
        let app = ["--app", &*self.assembly];
        self.expect(0, &["deploy", "--yes", "--adopt"], &app)?;
        let lines = self.lines()?;
        if let Some(line) = lines.iter().find(|line| line.contains(" unmarked ")) {
            return Err(format!("not marked as ours: {line}"));
        }
        self.walk.only_reads(|| self.expect(0, &["deploy", "--yes"], &app))?;
        self.expect(0, &["outputs"], &app)?;
        self.expect(0, &["destroy", "--yes", "--allow", "delete"], &app)?;
        self.walk.look(self.region, &names("tracking"), false)
    }

    fn expect(&self, code: i32, command: &[&str], app: &[&str]) -> Result<(), String> {
        self.walk.expect(self.region, code, &[command, app].concat()).map(drop)
    }

    fn refuse(&self, arguments: &[&str]) -> Result<(), String> {
        self.walk.expect(self.region, 3, arguments).map(drop)
    }

    fn lines(&self) -> Result<Vec<String>, String> {
        let names = names("tracking");
        let lines = self.walk.stacks(self.region)?.into_iter();
        Ok(lines.filter(|line| names.iter().any(|name| line.split(' ').next() == Some(name))).collect())
    }
}

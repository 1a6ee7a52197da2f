use std::fs;

use clap::Parser;
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A project directory with a home of its own, so that the AWS files of whoever runs the tests have no say.
struct Project {
    directory: TempDir,
    variables: BTreeMap<String, String>,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let home = directory.path().display().to_string();
        Self { directory, variables: BTreeMap::from([("HOME".to_owned(), home)]) }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn resolve_in(&self, directory: &str, arguments: &[&str]) -> Result<Settings, String> {
        let arguments = [&["formwork"], arguments, &["list"]].concat();
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        let directory = self.directory.path().join(directory);
        let surroundings = Surroundings { directory, variables: self.variables.clone() };
        Settings::resolve(&arguments, &surroundings).map_err(|failure| {
            assert_eq!(failure.exit_code(), crate::failure::exit::USAGE);
            failure.to_string()
        })
    }

    fn resolve(&self, arguments: &[&str]) -> Result<Settings, String> {
        self.resolve_in("", arguments)
    }

    fn region(&self, arguments: &[&str]) -> Option<(String, String)> {
        self.resolve(arguments).unwrap().region.map(|setting| (setting.value, setting.origin))
    }
}

fn pair(value: &str, origin: &str) -> Option<(String, String)> {
    Some((value.to_owned(), origin.to_owned()))
}

const FILE: &str = r#"# what everybody uses
prefix = "team"
natGateways = 2
zones = ["a", "b"]
region = "eu-west-1"

[env.prod]
account = "123456789012"
region = "eu-central-1"
prefix = "team-prod"
"#;

#[test]
fn arguments_go_before_the_environment_and_that_before_the_file() {
    let project = Project::new(&[("formwork.toml", FILE)]);
    let context = |arguments: &[&str]| {
        let settings = project.resolve(arguments).unwrap();
        settings
            .context
            .iter()
            .map(|(key, entry)| (key.to_owned(), entry.value.clone(), entry.origin.clone()))
            .collect::<Vec<_>>()
    };
    let entry = |key: &str, value, origin: &str| (key.to_owned(), value, origin.to_owned());
    let nat = entry("natGateways", json!(2), "formwork.toml:3");
    let zones = entry("zones", json!(["a", "b"]), "formwork.toml:4");
    assert_eq!(context(&[]), [nat.clone(), entry("prefix", json!("team"), "formwork.toml:2"), zones.clone()]);
    let prod = entry("prefix", json!("team-prod"), "formwork.toml:10");
    assert_eq!(context(&["--env", "prod"]), [nat.clone(), prod, zones.clone()]);
    let mine = entry("prefix", json!("mine"), "-c");
    assert_eq!(context(&["--env", "prod", "-c", "prefix=x", "-c", "prefix=mine"]), [nat, mine, zones]);
}

#[test]
fn regions_come_in_their_order() {
    let aws = ".aws/config";
    let config = "[default]\nregion = us-east-2\n[profile one]\nsso_region = us-east-1\ns3 =\n  region = no\nregion=ap-south-1 # near\n[profile bare]\n";
    let bare = Project::new(&[(aws, config)]);
    assert_eq!(bare.region(&[]), pair("us-east-2", "AWS profile default"));
    assert_eq!(bare.region(&["--profile", "one"]), pair("ap-south-1", "AWS profile one"));
    assert_eq!(bare.region(&["--profile", "bare"]), None);
    let named = Project::new(&[(aws, config)]).with("AWS_PROFILE", "one");
    assert_eq!(named.region(&[]), pair("ap-south-1", "AWS profile one"));
    let shell = named.with("AWS_DEFAULT_REGION", "sa-east-1");
    assert_eq!(shell.region(&["--profile", "one"]), pair("sa-east-1", "AWS_DEFAULT_REGION"));
    let shell = shell.with("AWS_REGION", "eu-north-1");
    assert_eq!(shell.region(&[]), pair("eu-north-1", "AWS_REGION"));
    let shell = shell.with("CDK_DEFAULT_REGION", "eu-west-3");
    assert_eq!(shell.region(&[]), pair("eu-west-3", "CDK_DEFAULT_REGION"));
    fs::write(shell.directory.path().join("formwork.toml"), FILE).unwrap();
    assert_eq!(shell.region(&[]), pair("eu-west-1", "formwork.toml:5"));
    assert_eq!(shell.region(&["--env", "prod"]), pair("eu-central-1", "formwork.toml:9"));
    assert_eq!(shell.region(&["--env", "prod", "--region", "us-west-2"]), pair("us-west-2", "--region"));
    assert_eq!(Project::new(&[]).region(&[]), None);
}

#[test]
fn accounts_and_regions_have_to_look_right() {
    let wrong = Project::new(&[]).with("CDK_DEFAULT_ACCOUNT", "1234").resolve(&[]).unwrap_err();
    assert_eq!(
        wrong,
        "account `1234` (set by CDK_DEFAULT_ACCOUNT) is not an account\nhint: give its 12 digits"
    );
    let wrong = Project::new(&[]).resolve(&["--region", "useast1"]).unwrap_err();
    assert_eq!(wrong, "region `useast1` (set by --region) is not a region\nhint: did you mean us-east-1?");
    let odd = Project::new(&[]).resolve(&["--region", "eu-wset-1"]).unwrap();
    assert_eq!(odd.warnings[0].rule, "unknown-region");
    assert!(odd.warnings[0].hint.as_ref().unwrap().contains("did you mean eu-west-1?"));
    assert!(Project::new(&[]).resolve(&["--region", "us-gov-west-1"]).unwrap().warnings.is_empty());
}

#[test]
fn environments_and_profiles_have_to_exist() {
    let project =
        Project::new(&[("formwork.toml", &format!("{FILE}[env.dev]\n")), (".aws/credentials", "[work]\n")]);
    assert_eq!(
        project.resolve(&["--env", "pord"]).unwrap_err(),
        "formwork.toml has no environment `pord` (set by --env)\nhint: did you mean prod? it has dev, prod"
    );
    assert_eq!(
        project.resolve(&["--profile", "wrok"]).unwrap_err(),
        "profile `wrok` (set by --profile) is not in the AWS configuration files\nhint: there is work"
    );
    let message = Project::new(&[]).resolve(&["--env", "prod"]).unwrap_err();
    assert!(message.starts_with("--env prod needs a formwork.toml"), "{message}");
}

#[test]
fn mistakes_in_the_file_have_its_name_and_line() {
    for (text, wanted) in [
        ("a = 1\nb = \n", "formwork.toml:2: the file is not valid TOML: "),
        ("a = 1\na = 2\n", "formwork.toml:2: the file is not valid TOML: duplicate key"),
        ("\n\naccount = 123456789012\n", "formwork.toml:3: account is wrong: 123456789012 is not of type"),
        ("[env.dev]\nregion = 5\n", "formwork.toml:2: env.dev.region is wrong: 5 is not of type"),
        ("x = 1\nenv = \"prod\"\n", "formwork.toml:2: env is wrong: \"prod\" is not of type"),
        ("[env]\nprod = 1\n", "formwork.toml:2: env.prod is wrong: 1 is not of type"),
        ("a = 99999999999999999999\n", "formwork.toml:1: the number 99999999999999999999 is out of range"),
        ("a = inf\n", "formwork.toml:1: the number inf is out of range"),
    ] {
        let message = Project::new(&[("formwork.toml", text)]).resolve(&[]).unwrap_err();
        assert!(message.starts_with(wanted), "{text:?} gives {message}");
    }
    let project = Project::new(&[]);
    fs::write(project.directory.path().join("formwork.toml"), b"a = 1\nb = \"\xff\"\n").unwrap();
    assert_eq!(
        project.resolve(&[]).unwrap_err(),
        "formwork.toml:2: the file is not UTF-8 text\nhint: save it as UTF-8"
    );
    let project = Project::new(&[("formwork.toml/inside", "")]);
    assert!(
        project
            .resolve(&[])
            .unwrap_err()
            .starts_with("formwork.toml: the file cannot be read: is a directory")
    );
}

#[test]
fn the_file_is_found_above_and_its_paths_start_there() {
    let project = Project::new(&[
        ("formwork.toml", "app = \"cargo run -q\"\noutput = \"out\"\nprefix = \"x\"\n"),
        ("a/b/c", ""),
    ]);
    let settings = project.resolve_in("a/b", &[]).unwrap();
    let root = project.directory.path();
    let words = ["cargo", "run", "-q"].map(str::to_owned).to_vec();
    assert_eq!(settings.application, Application::Command { words, directory: root.to_path_buf() });
    assert_eq!(settings.output, root.join("out"));
    assert_eq!(settings.context.get("prefix").unwrap().origin, "../../formwork.toml:3");
    let settings = project.resolve_in("a/b", &["--output", "mine", "--app", "./run 'one word'"]).unwrap();
    let words = ["./run", "one word"].map(str::to_owned).to_vec();
    assert_eq!(settings.application, Application::Command { words, directory: root.join("a/b") });
    assert_eq!(settings.output, root.join("a/b/mine"));
}

#[test]
fn an_app_is_a_command_line_or_a_directory() {
    let project = Project::new(&[("built/manifest.json", "{}")]);
    let application = |app: &str| project.resolve(&["--app", app]).map(|settings| settings.application);
    assert_eq!(application("built").unwrap(), Application::Assembly(project.directory.path().join("built")));
    assert!(application("").unwrap_err().starts_with("the app is empty (set by --app)"));
    assert!(application("run 'it").unwrap_err().contains("has a quote that is not closed"));
    assert_eq!(project.resolve(&[]).unwrap().application, Application::BuiltIn);
}

#[test]
fn built_assets_are_kept_in_the_xdg_directories() {
    let mut surroundings = Surroundings::default();
    surroundings.variables.insert("HOME".to_owned(), "/home/ada".to_owned());
    assert_eq!(surroundings.asset_cache(), Path::new("/home/ada/.cache/formwork/assets"));
    surroundings.variables.insert("XDG_CACHE_HOME".to_owned(), "/cache".to_owned());
    assert_eq!(surroundings.asset_cache(), Path::new("/cache/formwork/assets"));
    surroundings.variables.insert("XDG_CACHE_HOME".to_owned(), "not/absolute".to_owned());
    assert_eq!(surroundings.asset_cache(), Path::new("/home/ada/.cache/formwork/assets"));
}

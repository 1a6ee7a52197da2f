//! Who may use a deployed proxy: `formwork proxy user` against a simulated account.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use support::account::Account;
use support::{Done, assert_schema};

/// An account with deployed proxies, and the app that they are of.
struct Deployed {
    account: Account,
    app: Option<&'static str>,
}

impl Deployed {
    /// The proxy of the platform.
    fn platform() -> Self {
        let account = Account::of_speed(6_000.0);
        std::fs::write(account.project.path().join("proxy"), "a stand-in").unwrap();
        let platform = Self { account, app: None };
        platform.run(&["bootstrap", "aws://123456789012/eu-west-1", "--yes"]).ends_with(0);
        platform
            .run(&["deploy", "--yes", "-c", "proxyBinary=proxy"])
            .ends_with(0)
            .prints("Use2Token")
            .prints("Use3Check  ");
        platform
    }

    /// Nothing but users of so many proxies, which is deployed in no time.
    fn users(proxies: &str) -> Self {
        let users = Self { account: Account::of_speed(6_000.0), app: Some("users") };
        users.run(&["deploy", "--yes", "-c", &format!("topics={proxies}")]).ends_with(0);
        users
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = match self.app {
            Some(app) => self.account.command_of(app, arguments),
            None => self.account.command_of_platform(&[arguments, &["-c", "prefix=team"]].concat()),
        };
        Done::of(command.output().unwrap())
    }

    fn user(&self, arguments: &[&str]) -> Done {
        self.run(&[&["proxy", "user"], arguments].concat())
    }

    /// What the proxy would read.
    fn document(&self) -> Option<Json> {
        self.account.served.with(|simulator| {
            let services = simulator.services_mut();
            let secret = services.resources.keys().find(|key| key.2 == "AWS::SecretsManager::Secret");
            let text = services.secrets.value(&secret.unwrap().3);
            text.map(|text| serde_json::from_str(text).unwrap())
        })
    }

    fn list(&self) -> Vec<Json> {
        let report = serde_json::from_str(&self.user(&["list", "--json"]).ends_with(0).stdout).unwrap();
        assert_schema("proxy-users.json", &report);
        let Json::Array(users) = report["users"].clone() else { panic!("{report}") };
        users
    }
}

#[test]
fn a_token_is_printed_once_and_kept_as_its_hash() {
    let platform = Deployed::platform();
    platform.user(&["list"]).ends_with(0).says("nobody may use team-proxyapp-tracking yet");
    assert_eq!(platform.document(), None, "the stack makes the secret without a value");
    platform.run(&["doctor"]).prints("`formwork proxy user add NAME --role writer");

    let added = platform
        .user(&["add", "ci", "--role", "writer", "--expires", "30d"])
        .ends_with(0)
        .says("ci is a writer of team-proxyapp-tracking, until ")
        .says("export MLFLOW_TRACKING_URI=http://")
        .says("export MLFLOW_TRACKING_TOKEN=<the token>")
        .says("mlflow experiments search")
        .says("aws ssm start-session");
    let token = added.stdout.strip_suffix('\n').unwrap();
    assert!(token.starts_with("fwp_") && !token.contains('\n') && !added.stderr.contains(token));
    let document = platform.document().unwrap();
    let user = &document["users"][0];
    let hash: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (&document["version"], &user["kind"], &user["sha256"]),
        (&json!(1), &json!("token"), &json!(hash))
    );
    assert!(!document.to_string().contains(token));
    platform.run(&["doctor"]).prints("the secret has a value");

    let listed = platform
        .user(&["ls"])
        .ends_with(0)
        .prints("ci")
        .prints("writer")
        .prints(token.split('_').nth(1).unwrap());
    assert!(!listed.stdout.contains(&hash) && !listed.stdout.contains(token));
    assert!(listed.stdout.contains("not in the log"), "{}", listed.stdout);
    let id = token.split('_').nth(1).unwrap();
    let used = json!({ "target": "access", "event": "credential_used", "user": "ci", "credential": format!("token {id}") });
    platform.account.served.with(|simulator| {
        simulator.services_mut().log_lines.push(("*".to_owned(), used.to_string()));
    });
    platform.user(&["ls"]).ends_with(0).prints(" UTC");
    assert!(platform.list()[0]["last_used"].is_string());
    let journals = platform.account.project.names(".formwork/journal");
    let told: String = journals
        .iter()
        .map(|name| platform.account.project.read(&format!(".formwork/journal/{name}")))
        .collect();
    assert!(told.contains("PutSecretValue") && !told.contains(token) && !told.contains(&hash));
}

#[test]
fn names_are_given_once_and_tokens_are_changed_without_a_gap() {
    let platform = Deployed::users("1");
    let id = |done: &Done| done.stdout.split('_').nth(1).unwrap().to_owned();
    let first = id(&platform.user(&["add", "ci", "--role", "writer"]).ends_with(0));
    platform
        .user(&["add", "ci", "--role", "writer"])
        .ends_with(3)
        .says("there is a user ci already: writer, with a token")
        .says("hint: --another");
    platform
        .user(&["add", "ci", "--role", "admin", "--another"])
        .ends_with(3)
        .says("cannot be admin as well");
    platform.user(&["add", "x", "--role", "admin", "--another"]).ends_with(1).says("there is no user x yet");
    platform.user(&["add", "two words", "--role", "reader"]).ends_with(10).says("is not a name of a user");
    platform
        .user(&["add", "ann", "--role", "owner"])
        .ends_with(10)
        .says("possible values: reader, writer, admin");
    platform.user(&["add", "ann", "--role", "reader", "--expires", "0h"]).ends_with(10).says("has passed");
    let second = id(&platform
        .user(&["add", "ci", "--role", "writer", "--another", "--expires", "never"])
        .ends_with(0));
    assert_eq!(platform.list().len(), 2);

    platform
        .user(&["revoke", "ci", "--id", "00000000"])
        .ends_with(1)
        .says("ci has no token of the id 00000000");
    platform
        .user(&["revoke", "ci", "--id", &first])
        .ends_with(0)
        .says(&format!("token {first} of ci revoked"));
    let left = platform.list();
    assert_eq!((left.len(), &left[0]["id"], left[0].get("expires")), (1, &json!(second), None));
    platform.user(&["add", "ci", "--role", "admin", "--replace"]).ends_with(0).says("proxyAccess=writer");
    let left = platform.list();
    assert_eq!((left.len(), &left[0]["role"]), (1, &json!("admin")));
    assert_ne!(left[0]["id"], json!(second));

    platform
        .user(&["revoke", "nobody"])
        .ends_with(1)
        .says("there is no user nobody")
        .says("formwork proxy user list");
    platform.user(&["revoke", "ci"]).ends_with(0).says("1 way in of ci revoked").says("nobody is left");
    assert_eq!(platform.list(), Vec::<Json>::new());
}

#[test]
fn a_password_comes_from_standard_input_and_never_from_the_command_line() {
    let platform = Deployed::users("1");
    let given = |arguments: &[&str], input: &str| {
        let mut command =
            platform.account.command_of("users", &[&["proxy", "user", "add"], arguments].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Done::of(child.wait_with_output().unwrap())
    };
    let ann = ["ann", "--role", "reader", "--password"];
    given(&ann, "").ends_with(10).says("standard input has no password");
    given(&ann, "short\n").ends_with(10).says("the password has 5 bytes");
    let added = given(&ann, "correct horse battery\n").ends_with(0).says("MLFLOW_TRACKING_USERNAME=ann");
    assert_eq!(added.stdout, "");
    let document = platform.document().unwrap().to_string();
    assert!(document.contains("$argon2id$") && !document.contains("correct horse"));
    let listed = &platform.list()[0];
    assert_eq!((&listed["kind"], listed.get("id"), listed.get("expires")), (&json!("password"), None, None));
    platform
        .user(&["add", "ci", "--role", "writer"])
        .ends_with(0)
        .says("the token is sent as the password of ci");
    platform
        .user(&["add", "ann", "--role", "reader", "--another"])
        .ends_with(3)
        .says("ann has a password, not a token");
}

#[test]
fn the_proxy_is_found_by_its_stack_or_it_is_said_why_not() {
    let two = Deployed::users("2");
    two.user(&["list", "-c", "topics=2"])
        .ends_with(10)
        .says("app-proxy1, app-proxy2")
        .says("hint: say which one");
    two.user(&["add", "ci", "--role", "reader", "--stack", "app-proxy1"])
        .ends_with(0)
        .says("reader of app-proxy1");
    two.user(&["list"])
        .ends_with(0)
        .prints("not known")
        .says("when users came last is not known: stack app-proxy1 has no output LogGroupName");
    two.user(&["list", "--stack", "app-nothing"]).ends_with(1).says("app-nothing is not deployed");
    two.user(&["list", "-c", "prefix=other"]).ends_with(1).says("other-proxy1 is not deployed");
    let other = Deployed { account: Account::of_speed(6_000.0), app: Some("good") };
    other.run(&["deploy", "--yes"]).ends_with(0);
    other.user(&["list"]).ends_with(1).says("no deployed stack of the app has a proxy with users");
    other.user(&["list", "--stack", "app-proxy"]).ends_with(1).says("stack app-proxy has no proxy");
}

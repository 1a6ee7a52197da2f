//! The boot script, run by real bash in a root of its own. The programs that would reach AWS or change the machine are
//! stand-ins that write down how they were called.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use formwork::{BucketName, IntoValue};

use super::{BTreeMap, BootSettings, GREATEST_USER_DATA_BYTES, SCRIPT};

mod real_curl;

const BINARY: &str = "the proxy";
const OTHER_SHA256: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const SECRET: &str = "SECRETACCESSKEYOFTHEINSTANCE";

/// A machine in a folder.
struct Machine {
    folder: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("formwork-boot-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("bin")).expect("a writable folder");
        let machine = Self { folder };
        // Answers of the metadata service and of S3; every call is written down with its arguments and its input.
        machine.program(
            "curl",
            &format!(
                r#"input=""
case " $* " in *" --config - "*) input="$(cat)" ;; esac
printf 'curl %s\n' "$*" >>"$CALLS"
printf '%s\n' "$input" >>"$CALLS.input"
output=""; previous=""
for argument in "$@"; do [ "$previous" = --output ] && output="$argument"; previous="$argument"; done
case "$*" in
  *api/token*) echo token ;;
  *security-credentials/role*) echo '{{ "AccessKeyId" : "AKIA", "SecretAccessKey" : "{SECRET}", "Token" : "SESSION" }}' ;;
  *security-credentials/*) echo role ;;
  *instance-id*) echo i-0123456789 ;;
  *//s3.*) printf '{BINARY}' >"$output" ;;
  *Action=SignalResource*) case "$*" in *Status=SUCCESS*) echo SUCCESS ;; *) echo FAILURE ;; esac >>"$CALLS.signals" ;;
  *PutLogEvents*) for argument in "$@"; do case "$argument" in @*) cp "${{argument#@}}" "$CALLS.log" ;; esac; done ;;
  *healthz*) [ -e "$HEALTHY" ] ;;
esac"#
            ),
        );
        for name in ["systemctl", "useradd", "journalctl"] {
            machine.program(name, &format!("printf '{name} %s\\n' \"$*\" >>\"$CALLS\""));
        }
        machine.program("sleep", "true");
        machine.program("id", "exit 1");
        machine
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.folder.join("bin").join(name);
        fs::write(&path, format!("#!/bin/bash\n{body}\n")).expect("a writable file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("own file");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    fn make_healthy(&self) {
        fs::write(self.file("healthy"), "").expect("a writable file");
    }

    fn boot(&self, sha256: &str) -> Output {
        self.boot_with(sha256, "http://169.254.169.254")
    }

    fn boot_with(&self, sha256: &str, metadata: &str) -> Output {
        let path = format!("{}:{}", self.file("bin").display(), std::env::var("PATH").unwrap_or_default());
        let script = self.file("user-data");
        fs::write(&script, script_text(sha256)).expect("a writable file");
        Command::new("bash")
            .arg(&script)
            .env("PATH", path)
            .env("PROXY_ROOT", self.file("root"))
            .env("PROXY_METADATA", metadata)
            .env("CALLS", self.file("calls"))
            .env("HEALTHY", self.file("healthy"))
            .output()
            .expect("bash runs")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The script with known values in the place of what CloudFormation fills in.
fn script_text(sha256: &str) -> String {
    let settings = BootSettings {
        signal_resource: "Group".to_owned(),
        binary_bucket: BucketName::literal("assets"),
        binary_key: "binary".into_value(),
        binary_sha256: sha256.into_value(),
        log_group: "logs".into_value(),
        port: 5000,
        environment: BTreeMap::from([(
            "SM_MLFLOW_ROLE_ARN",
            "arn:aws:iam::123456789012:role/mlflow".into_value(),
        )]),
    };
    // Pseudo parameters are what is left unknown; a shell would read their braces, so they are filled in here.
    let formwork::Expression::Text(parts) = super::script(settings).into_expression() else {
        panic!("the script is text");
    };
    flatten(parts)
}

fn flatten(parts: Vec<formwork::Expression>) -> String {
    parts
        .into_iter()
        .map(|part| match part {
            formwork::Expression::Literal(text) => text.as_str().expect("text").to_owned(),
            formwork::Expression::Text(inner) => flatten(inner),
            formwork::Expression::Pseudo(name) => name.to_lowercase().replace("::", "-"),
            other => panic!("not known at this point: {other:?}"),
        })
        .collect()
}

fn digest(text: &str) -> String {
    let output = Command::new("bash")
        .args(["-c", &format!("printf '{text}' | sha256sum")])
        .output()
        .expect("bash runs");
    String::from_utf8_lossy(&output.stdout).split(' ').next().expect("a digest").to_owned()
}

#[test]
fn a_good_boot_starts_the_service_and_signals_success() {
    let machine = Machine::new("good");
    machine.make_healthy();
    let output = machine.boot(&digest(BINARY));
    let log = machine.read("root/var/log/user-data.log");
    assert!(output.status.success(), "{log}");
    assert_eq!(machine.read("calls.signals"), "SUCCESS\n", "{log}");
    assert_eq!(machine.read("root/opt/mlflow-proxy/mlflow-proxy"), BINARY);
    assert_eq!(
        machine.read("root/etc/mlflow-proxy/environment"),
        "SM_MLFLOW_ROLE_ARN=arn:aws:iam::123456789012:role/mlflow\n"
    );
    let calls = machine.read("calls");
    let position = |text: &str| calls.find(text).unwrap_or_else(|| panic!("{text} is not in\n{calls}"));
    assert!(position("//s3.") < position("useradd --system"));
    assert!(position("useradd --system") < position("systemctl enable mlflow-proxy.service"));
    assert!(position("systemctl start --no-block mlflow-proxy.service") < position("/healthz"));
    assert!(position("/healthz") < position("Action=SignalResource"));
}

#[test]
fn a_binary_with_another_digest_is_not_run_and_the_log_is_shipped_before_the_signal() {
    let machine = Machine::new("digest");
    machine.make_healthy();
    let output = machine.boot(OTHER_SHA256);
    assert!(!output.status.success());
    assert_eq!(machine.read("calls.signals"), "FAILURE\n");
    assert!(!machine.file("root/opt/mlflow-proxy/mlflow-proxy").exists());
    let calls = machine.read("calls");
    assert!(!calls.contains("systemctl"), "{calls}");
    assert!(
        calls.find("PutLogEvents").expect("the log is shipped")
            < calls.find("SignalResource").expect("a signal")
    );
    let shipped: formwork::Json = serde_json::from_str(&machine.read("calls.log")).expect("the log is JSON");
    let events = shipped["logEvents"].as_array().expect("events");
    assert!(
        events.iter().any(|event| event["message"].as_str().expect("text").contains("FAILED")),
        "{shipped}"
    );
    assert!(machine.read("root/var/log/user-data.log").contains("failed with exit code"), "the log stays");
}

#[test]
fn a_proxy_that_does_not_answer_fails_the_boot() {
    let machine = Machine::new("silent");
    let output = machine.boot(&digest(BINARY));
    assert!(!output.status.success());
    assert_eq!(machine.read("calls.signals"), "FAILURE\n");
    assert!(machine.read("calls").contains("journalctl"), "the proxy's own words are in the log");
}

#[test]
fn credentials_are_on_no_command_line_and_in_no_log() {
    let machine = Machine::new("secret");
    machine.make_healthy();
    machine.boot(&digest(BINARY));
    assert!(machine.read("calls.input").contains(SECRET), "they reach curl on its standard input");
    for name in ["calls", "root/var/log/user-data.log", "root/etc/mlflow-proxy/environment"] {
        assert!(!machine.read(name).contains(SECRET), "{name}");
        assert!(!machine.read(name).contains("SESSION"), "{name}");
    }
}

#[test]
fn the_script_needs_no_package_manager_and_fits() {
    for word in ["apt-get", "apt ", "dpkg -", "snap ", "pip install"] {
        assert!(!SCRIPT.contains(word), "{word}");
    }
    // Values take the place of short names, so there has to be room for them.
    assert!(SCRIPT.len() + 4096 < GREATEST_USER_DATA_BYTES, "{} bytes", SCRIPT.len());
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let unit =
        SCRIPT.split("<<'UNIT'\n").nth(1).and_then(|rest| rest.split("\nUNIT\n").next()).expect("a unit");
    for setting in ["NoNewPrivileges=true", "ProtectSystem=strict", "User=mlflow-proxy", "Restart=always"] {
        assert!(unit.lines().any(|line| line == setting), "{setting}");
    }
    if !Path::new("/usr/bin/systemd-analyze").exists() {
        println!("skipped: systemd-analyze is not here to verify the unit");
        return;
    }
    let folder = std::env::temp_dir().join(format!("formwork-unit-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a writable folder");
    let path = folder.join("mlflow-proxy.service");
    // The program is on the instance only.
    fs::write(&path, unit.replace("/opt/mlflow-proxy/mlflow-proxy", "/bin/true")).expect("a writable file");
    let output =
        Command::new("systemd-analyze").arg("verify").arg(&path).output().expect("systemd-analyze runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let _ = fs::remove_dir_all(&folder);
    assert!(!said.contains("Unknown key") && !said.contains("Failed to parse"), "{said}");
}

#[test]
fn a_quote_in_a_value_ends_no_assignment() {
    let settings = BootSettings {
        signal_resource: "Group".to_owned(),
        binary_bucket: BucketName::literal("assets"),
        binary_key: "it's; echo broken".into_value(),
        binary_sha256: OTHER_SHA256.into_value(),
        log_group: "logs".into_value(),
        port: 5000,
        environment: BTreeMap::new(),
    };
    let formwork::Expression::Text(parts) = super::script(settings).into_expression() else {
        panic!("the script is text");
    };
    let text = flatten(parts);
    let assignments = text.split("\n# Everything above").next().expect("the assignments");
    let script = format!("{assignments}\nprintf %s \"$BINARY_KEY\"");
    let output = Command::new("bash").args(["-c", &script]).output().expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "it's; echo broken");
}

//! The table of routes is that of the pinned MLflow, and every route of its real server was judged.

use std::path::Path;
use std::process::Command;

#[test]
fn the_routes_are_those_of_the_real_server() {
    let Some(python) = std::env::var_os("FORMWORK_MLFLOW_PYTHON") else {
        let required = std::env::var_os("FORMWORK_REQUIRE_ORACLES").is_some();
        assert!(!required, "FORMWORK_MLFLOW_PYTHON has to name a Python with `mlflow`");
        eprintln!("skipped: FORMWORK_MLFLOW_PYTHON names no Python with `mlflow`");
        return;
    };
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/proxy/routes/generate.py");
    let output = Command::new(python)
        .args(["-B", "-W", "ignore"])
        .arg(program)
        .arg("--check")
        .output()
        .expect("the Python that FORMWORK_MLFLOW_PYTHON names starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

//! The table of all settings for the documentation, made from the declarations so that it cannot be out of date.

use std::fmt::Write as _;

use super::VARIABLES;

/// All settings as a Markdown document.
pub fn table() -> String {
    let mut text = String::from(
        "# Settings of the MLflow proxy\n\n\
         <!-- Made from the declarations in apps/mlflow-proxy/src by its tests: FORMWORK_BLESS=1 cargo test -p mlflow-proxy -->\n\n\
         Every setting is a variable of the environment and a flag of `mlflow-proxy`; a flag wins. An empty variable counts as\n\
         none. `mlflow-proxy --check` says what is wrong with them and what they lead to. None of them is a secret: who may get\n\
         in stands in the secret that `MLFLOW_PROXY_SECRET_ARN` names. [proxy.md](proxy.md) says how to operate the proxy.\n",
    );
    for (heading, variables) in VARIABLES {
        let _ =
            write!(text, "\n## {heading}\n\n| variable | flag | default | meaning |\n|---|---|---|---|\n");
        for variable in *variables {
            let default = match variable.default {
                "" => String::new(),
                default => format!("`{}`", default.replace('|', "\\|")),
            };
            let about = variable.about.replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | `--{}` | {default} | {about} |", variable.name, variable.flag());
        }
    }
    text
}

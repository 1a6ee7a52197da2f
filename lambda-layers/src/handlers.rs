//! The handlers' source files.

/// The Lambda runtime that the handlers are written and the layer is built for.
pub const PYTHON_RUNTIME: &str = "python3.13";

/// The `Handler` of the function that [`mlflow_app_handler`] makes.
pub const MLFLOW_APP_ENTRY_POINT: &str = "mlflow_app.handler.handle";

/// A source file in the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// Where it belongs in the function's archive, parts joined by `/`.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

macro_rules! mlflow_app {
    ($($name:literal),+ $(,)?) => {
        &[$(EmbeddedFile {
            path: concat!("mlflow_app/", $name),
            bytes: include_bytes!(concat!("../mlflow-app/mlflow_app/", $name)),
        }),+]
    };
}

/// The handler of the custom resource `Custom::MlflowApp`: every file of its archive, sorted by path.
///
/// It needs boto3 1.42.0 or later (the boto3 layer brings it) and a timeout of 900 seconds: an app is ready after 2 to
/// 5 minutes, and the function answers 30 seconds before its own end at the latest.
pub fn mlflow_app_handler() -> &'static [EmbeddedFile] {
    const FILES: &[EmbeddedFile] = mlflow_app![
        "__init__.py",
        "clock.py",
        "endpoint.py",
        "errors.py",
        "handler.py",
        "lifecycle.py",
        "ownership.py",
        "properties.py",
        "request.py",
        "response.py",
        "service.py",
    ];
    FILES
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_handler_is_embedded_and_sorted() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/mlflow-app/mlflow_app");
        let mut on_disk: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("mlflow_app/{}", entry.unwrap().file_name().to_string_lossy()))
            .filter(|name| name.ends_with(".py"))
            .collect();
        on_disk.sort();
        let embedded: Vec<&str> = mlflow_app_handler().iter().map(|file| file.path).collect();
        assert_eq!(embedded, on_disk);
    }

    #[test]
    fn the_entry_point_names_a_function_of_an_embedded_file() {
        let (module, function) = MLFLOW_APP_ENTRY_POINT.rsplit_once('.').unwrap();
        let path = format!("{}.py", module.replace('.', "/"));
        let file = mlflow_app_handler().iter().find(|file| file.path == path).unwrap();
        let source = str::from_utf8(file.bytes).unwrap();
        assert!(source.contains(&format!("\ndef {function}(event, context):\n")));
    }
}

//! The handlers' source files.

/// The Lambda runtime that the handlers are written and the layer is built for.
pub const PYTHON_RUNTIME: &str = "python3.13";

/// The `Handler` of the function that [`mlflow_app_handler`] makes.
pub const MLFLOW_APP_ENTRY_POINT: &str = "mlflow_app.handler.handle";

/// The `Handler` of the function that [`metaflow_migration_handler`] makes.
pub const METAFLOW_MIGRATION_ENTRY_POINT: &str = "metaflow_migration.handler.handle";

/// A source file in the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// Where it belongs in the function's archive, parts joined by `/`.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

/// The files of a package, and before them those of the package that all handlers share.
macro_rules! handler {
    ($folder:literal, $package:literal: $($name:literal),+ $(,)?) => {
        &[
            handler!(@file "custom-resource", "custom_resource", "__init__.py"),
            handler!(@file "custom-resource", "custom_resource", "answering.py"),
            handler!(@file "custom-resource", "custom_resource", "clock.py"),
            handler!(@file "custom-resource", "custom_resource", "errors.py"),
            handler!(@file "custom-resource", "custom_resource", "request.py"),
            handler!(@file "custom-resource", "custom_resource", "response.py"),
            $(handler!(@file $folder, $package, $name)),+
        ]
    };
    (@file $folder:literal, $package:literal, $name:literal) => {
        EmbeddedFile {
            path: concat!($package, "/", $name),
            bytes: include_bytes!(concat!("../", $folder, "/", $package, "/", $name)),
        }
    };
}

/// The handler of the custom resource `Custom::MlflowApp`: every file of its archive, sorted by path.
///
/// It needs boto3 1.42.0 or later (the boto3 layer brings it) and a timeout of 900 seconds: an app is ready after 2 to
/// 5 minutes, and the function answers 30 seconds before its own end at the latest.
pub fn mlflow_app_handler() -> &'static [EmbeddedFile] {
    const FILES: &[EmbeddedFile] = handler![
        "mlflow-app",
        "mlflow_app":
        "__init__.py",
        "endpoint.py",
        "errors.py",
        "handler.py",
        "lifecycle.py",
        "ownership.py",
        "properties.py",
        "service.py",
    ];
    FILES
}

/// The handler of the custom resource `Custom::MetaflowSchema`: every file of its archive, sorted by path.
///
/// It needs nothing but Python, the variable `MIGRATION_URL` with the address of the migration server, a way to it, and a
/// timeout of 900 seconds.
pub fn metaflow_migration_handler() -> &'static [EmbeddedFile] {
    const FILES: &[EmbeddedFile] = handler![
        "metaflow-migration",
        "metaflow_migration":
        "__init__.py",
        "handler.py",
        "lifecycle.py",
        "schema.py",
    ];
    FILES
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    type Handler = (&'static str, &'static str, &'static [EmbeddedFile], &'static str);

    fn handlers() -> [Handler; 2] {
        [
            (
                "metaflow-migration",
                "metaflow_migration",
                metaflow_migration_handler(),
                METAFLOW_MIGRATION_ENTRY_POINT,
            ),
            ("mlflow-app", "mlflow_app", mlflow_app_handler(), MLFLOW_APP_ENTRY_POINT),
        ]
    }

    #[test]
    fn every_file_of_the_handlers_is_embedded_and_sorted() {
        for (folder, package, files, _) in handlers() {
            let mut on_disk = Vec::new();
            for (folder, package) in [("custom-resource", "custom_resource"), (folder, package)] {
                let path = format!("{}/{folder}/{package}", env!("CARGO_MANIFEST_DIR"));
                let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
                on_disk.extend(names.map(|name| format!("{package}/{}", name.to_string_lossy())));
            }
            on_disk.retain(|name| name.ends_with(".py"));
            on_disk.sort();
            let embedded: Vec<&str> = files.iter().map(|file| file.path).collect();
            assert_eq!(embedded, on_disk);
        }
    }

    #[test]
    fn the_entry_points_name_functions_of_embedded_files() {
        for (_, _, files, entry_point) in handlers() {
            let (module, function) = entry_point.rsplit_once('.').unwrap();
            let path = format!("{}.py", module.replace('.', "/"));
            let file = files.iter().find(|file| file.path == path).unwrap();
            let source = str::from_utf8(file.bytes).unwrap();
            assert!(source.contains(&format!("\ndef {function}(event, context):\n")), "{entry_point}");
        }
    }
}

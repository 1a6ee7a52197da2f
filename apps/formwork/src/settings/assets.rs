//! Where assets go: the bucket of a bootstrap stack, or one that is given.
//!
//! Templates and manifests name the bucket, so that it is a setting of the app: `assets` in the context. The options of a
//! command are a shorter way to write the same. What a directory of an assembly says is decided already; there the options
//! are for what the assembly leaves open.

use formwork::{AssetDestination, Context, FrameworkSettings, is_bucket_name};

use super::Application;
use crate::failure::Failure;

/// Where assets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssetSettings {
    /// A bucket of the user's own, which needs no bootstrap stack.
    pub(crate) bucket: Option<String>,
    /// The qualifier of the bootstrap stack.
    pub(crate) qualifier: String,
}

impl AssetSettings {
    /// The qualifier of the bootstrap stack, where it is not the usual one.
    #[cfg(feature = "engine")]
    pub(crate) fn other_qualifier(&self) -> Option<String> {
        let usual = FrameworkSettings::default();
        (self.qualifier != usual.qualifier()).then(|| self.qualifier.clone())
    }
}

/// An option of a command: how it is written, the key of the context that means the same, and the value.
pub(crate) type Given<'a> = (&'static str, &'static str, &'a str);

/// Puts the options of a command into the context, before what a file says, and settles where assets go.
///
/// # Errors
/// When an option is no name of a bucket, or `-c` says something else.
pub(crate) fn settle(
    context: &mut Context,
    given: &[Given<'_>],
    application: &Application,
) -> Result<AssetSettings, Failure> {
    for (option, key, value) in given {
        let named = !matches!(*value, "formwork" | "cdk") && is_bucket_name(value);
        if *key == "assets" && !named {
            let message = format!("{option} `{value}` is not the name of a bucket");
            let hint = "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens";
            return Err(Failure::Usage(format!("{message}\nhint: {hint}")));
        }
        if let Some(entry) =
            context.get(key).filter(|entry| entry.origin == "-c" && entry.value.as_str() != Some(value))
        {
            let other = entry.value.as_str().unwrap_or_default();
            return Err(Failure::Usage(format!(
                "{option} says `{value}`, and -c {key}={other} says something else\nhint: leave one of them out"
            )));
        }
        context.set(*key, *value, *option);
    }
    let is_written = matches!(application, Application::Assembly(_));
    let text = |key: &str| {
        let entry = context.get(key)?;
        let counts = !is_written || given.iter().any(|(option, ..)| *option == entry.origin);
        entry.value.as_str().filter(|_| counts).map(str::to_owned)
    };
    let default = FrameworkSettings::default();
    let framework = FrameworkSettings { assets: text("assets").unwrap_or(default.assets.clone()), ..default };
    Ok(match framework.destination() {
        AssetDestination::Bucket(bucket) => {
            AssetSettings { bucket: Some(bucket), qualifier: framework.qualifier().to_owned() }
        }
        // The key then means the CDK's bootstrap stack, and not ours.
        AssetDestination::Cdk => {
            AssetSettings { bucket: None, qualifier: FrameworkSettings::default().qualifier().to_owned() }
        }
        AssetDestination::Formwork => {
            let qualifier = text("qualifier").unwrap_or_else(|| framework.qualifier().to_owned());
            AssetSettings { bucket: None, qualifier }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn settled(context: &[(&str, &str, &str)], given: &[Given<'_>], app: &Application) -> AssetSettings {
        let mut all = Context::new();
        for (key, value, origin) in context {
            all.set(*key, *value, *origin);
        }
        settle(&mut all, given, app).unwrap()
    }

    fn bucket(name: &str) -> AssetSettings {
        AssetSettings { bucket: Some(name.to_owned()), qualifier: "formwork".to_owned() }
    }

    #[test]
    fn an_option_goes_before_the_file_and_not_before_what_stands_beside_it() {
        let app = Application::BuiltIn;
        let file = ("assets", "of-the-file", "formwork.toml:1");
        assert_eq!(settled(&[file], &[], &app), bucket("of-the-file"));
        assert_eq!(settled(&[file], &[("--bucket", "assets", "mine")], &app), bucket("mine"));
        let qualifier = settled(&[], &[("--qualifier", "qualifier", "team")], &app);
        assert_eq!(qualifier, AssetSettings { bucket: None, qualifier: "team".to_owned() });
        let mut both = Context::new();
        both.set("assets", "other", "-c");
        let failed = settle(&mut both, &[("--bucket", "assets", "mine")], &app).unwrap_err().to_string();
        assert!(failed.contains("--bucket says `mine`, and -c assets=other"), "{failed}");
    }

    #[test]
    fn only_the_name_of_a_bucket_is_one() {
        for wrong in ["cdk", "formwork", "Upper", "x"] {
            let given = [("--bucket", "assets", wrong)];
            assert!(settle(&mut Context::new(), &given, &Application::BuiltIn).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_assembly_that_is_written_has_decided_what_the_file_says() {
        let app = Application::Assembly(PathBuf::from("cfn-out"));
        let file = ("assets", "of-the-file", "formwork.toml:1");
        assert_eq!(settled(&[file], &[], &app).bucket, None);
        assert_eq!(settled(&[file], &[("--bucket", "assets", "mine")], &app), bucket("mine"));
    }

    #[test]
    fn the_qualifier_of_the_cdk_is_not_ours() {
        let context = [("assets", "cdk", "-c"), ("qualifier", "theirs", "-c")];
        let settled = settled(&context, &[], &Application::BuiltIn);
        assert_eq!(settled, AssetSettings { bucket: None, qualifier: "formwork".to_owned() });
    }
}

//! Container images: built and pushed by whichever program for containers this machine has.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aws_smithy_types::base64;
use formwork_assembly::CloudAssembly;
use formwork_assembly::asset_manifest::{ImageAsset, ImageCache, ImageDestination, ImageSource};
use serde_json::json;

use super::Publisher;
use super::manifest::{fill, inside};
use super::place::who;
use super::program::{Program, find, shown};
use crate::aws::{Error, ErrorKind, Session};
use crate::error::{Class, EngineError, Moment};
use crate::event::What;
use crate::journal::{Intent, Journal};

/// The programs that are looked for, the first that is found is used. Their command lines agree in what is used here.
const PROGRAMS: [&str; 3] = ["docker", "podman", "finch"];

/// What asks for a password of the registry.
const GET_AUTHORIZATION_TOKEN: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
/// What asks for images of a repository.
const DESCRIBE_IMAGES: &str = "AmazonEC2ContainerRegistry_V20150921.DescribeImages";

/// An image that lies where it has to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedImage {
    /// The repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// The digest by which the repository knows the image, `sha256:...`, where it was told.
    pub digest: Option<String>,
}

/// The program that builds and pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerProgram(PathBuf);

impl ContainerProgram {
    /// The one that is named, else the first of docker, podman and finch that is on the PATH.
    pub fn find(named: Option<PathBuf>) -> Option<Self> {
        named.or_else(|| PROGRAMS.iter().find_map(|name| find(name))).map(Self)
    }
}

/// Where an image goes.
struct Target {
    session: Session,
    repository: String,
    tag: String,
}

impl Publisher {
    pub(super) async fn image(
        &self,
        id: &str,
        image: &ImageAsset,
        destination: &ImageDestination,
        assembly: &CloudAssembly,
        session: &Session,
        journal: &Journal,
    ) -> Result<PublishedImage, EngineError> {
        self.go_on(id)?;
        let target = self.image_target(destination, session).await?;
        // Where nothing is built, nothing has to be there to put it into.
        let there = if self.0.options.stand_ins { None } else { target.digest().await? };
        if there.is_some() || self.0.options.stand_ins {
            self.0.runtime.tell(What::AssetPresent { asset: id.to_owned() });
            return Ok(PublishedImage { repository: target.repository, tag: target.tag, digest: there });
        }
        let program = ContainerProgram::find(self.0.options.container_program.clone()).ok_or_else(|| {
            let message = format!(
                "asset {id} is a container image, and none of {} is on the PATH to build it with",
                PROGRAMS.join(", ")
            );
            EngineError::new(Class::Usage, message).with_hint("install one of them and start it")
        })?;
        let _turn = self.0.builds.acquire().await;
        self.go_on(id)?;
        let local = self.build_image(id, &image.source, assembly, &program).await?;
        let registry = self.log_in(&program, &target.session).await?;
        let remote = format!("{registry}/{}:{}", target.repository, target.tag);
        self.contain(&program, &["tag", &local, &remote], None, format!("tag asset {id}")).await?;
        // Pushing the same image once more sends nothing.
        let ticket = journal.intent(Intent::new("PutImage", remote.clone()))?;
        let pushed = self.contain(&program, &["push", &remote], None, format!("push asset {id}")).await;
        let failed = Error::new("PutImage", ErrorKind::Other, "the program for containers failed");
        journal.outcome(&ticket, if pushed.is_ok() { Ok(BTreeMap::new()) } else { Err(&failed) });
        pushed?;
        let digest = target.digest().await?;
        self.0.runtime.tell(What::AssetUploaded { asset: id.to_owned(), bytes: 0 });
        Ok(PublishedImage { repository: target.repository, tag: target.tag, digest })
    }

    async fn image_target(
        &self,
        destination: &ImageDestination,
        session: &Session,
    ) -> Result<Target, EngineError> {
        let session = match &destination.region {
            Some(region) => session.in_region(&fill(region, session)?),
            None => session.clone(),
        };
        let role = destination.assume_role_arn.as_deref().map(|role| fill(role, &session)).transpose()?;
        let repository = fill(&destination.repository_name, &session)?;
        let tag = fill(&destination.image_tag, &session)?;
        let session = match (&role, destination.assume_role_external_id.as_deref()) {
            (Some(role), Some(id)) => session.assuming(role, Some(id)).await,
            (Some(role), None) => self.0.runtime.sessions.session(Some(session.region()), Some(role)).await,
            (None, _) => Ok(session),
        }
        .map_err(|error| who(error, role.as_deref()))?;
        Ok(Target { session, repository, tag })
    }

    /// Builds the image, and returns the name that it has on this machine.
    async fn build_image(
        &self,
        id: &str,
        source: &ImageSource,
        assembly: &CloudAssembly,
        program: &ContainerProgram,
    ) -> Result<String, EngineError> {
        if let Some((name, rest)) = source.executable.as_deref().and_then(<[String]>::split_first) {
            let command = shown(name, rest);
            self.0.runtime.tell(What::AssetBuilding { asset: id.to_owned(), command: command.clone() });
            let maker = PathBuf::from(name);
            let run = Program {
                program: &maker,
                arguments: rest,
                input: None,
                directory: Some(assembly.directory()),
                limit: self.0.options.build_limit,
                purpose: format!("build asset {id} by `{}`", command.trim_end()),
            };
            let printed = run.run(&self.0.runtime).await?;
            let image = printed.trim();
            if image.is_empty() || image.contains(char::is_whitespace) {
                let message = format!(
                    "`{command}` has to print the name of the image that it made for asset {id}, and printed {image:?}"
                );
                return Err(EngineError::new(Class::Input, message));
            }
            return Ok(image.to_owned());
        }
        let Some(directory) = &source.directory else {
            return Err(EngineError::new(
                Class::Input,
                format!("container image {id} has neither a directory nor a program"),
            )
            .with_hint("synthesise again"));
        };
        let directory = inside(assembly, directory)?;
        let local = format!("formwork-asset-{}", id.to_lowercase());
        let arguments = build_arguments(source, &local);
        let shown = shown(&program.0.display().to_string(), &arguments);
        self.0.runtime.tell(What::AssetBuilding { asset: id.to_owned(), command: shown });
        let run = Program {
            program: &program.0,
            arguments: &arguments,
            input: None,
            directory: Some(&directory),
            limit: self.0.options.build_limit,
            purpose: format!("build asset {id}"),
        };
        run.run(&self.0.runtime).await?;
        Ok(local)
    }

    /// Logs in at the account's registry, and returns the registry's host.
    async fn log_in(&self, program: &ContainerProgram, session: &Session) -> Result<String, EngineError> {
        let answer =
            session.call().json("ecr", GET_AUTHORIZATION_TOKEN, &json!({})).await.map_err(|error| {
                let message = format!(
                    "the registry of account {} lets nobody in: {}",
                    session.account(),
                    error.message
                );
                let told = EngineError::of_call(message, &error, Moment::Before);
                match error.kind {
                    ErrorKind::Denied => told.with_hint("allow ecr:GetAuthorizationToken to the caller"),
                    _ => told,
                }
            })?;
        let data = &answer["authorizationData"][0];
        let decoded = data["authorizationToken"].as_str().and_then(|token| base64::decode(token).ok());
        let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = pair.as_deref().and_then(|pair| pair.split_once(':'));
        let (Some((user, password)), Some(endpoint)) = (parts, data["proxyEndpoint"].as_str()) else {
            return Err(EngineError::new(Class::NeedsAction, "the registry's answer has no token"));
        };
        let registry = endpoint.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let arguments = ["login", "--username", user, "--password-stdin", &registry];
        self.contain(program, &arguments, Some(password), format!("log in at {registry}")).await?;
        Ok(registry)
    }

    async fn contain(
        &self,
        program: &ContainerProgram,
        arguments: &[&str],
        input: Option<&str>,
        purpose: String,
    ) -> Result<String, EngineError> {
        let arguments: Vec<String> = arguments.iter().map(|&it| it.to_owned()).collect();
        let limit = self.0.options.build_limit;
        let run =
            Program { program: &program.0, arguments: &arguments, input, directory: None, limit, purpose };
        run.run(&self.0.runtime).await
    }
}

impl Target {
    /// The digest of the image that has the tag, if there is one.
    async fn digest(&self) -> Result<Option<String>, EngineError> {
        let question = json!({ "repositoryName": self.repository, "imageIds": [{ "imageTag": self.tag }] });
        let (account, region) = (self.session.account(), self.session.region());
        match self.session.call().json("ecr", DESCRIBE_IMAGES, &question).await {
            Ok(answer) => Ok(answer["imageDetails"][0]["imageDigest"].as_str().map(str::to_owned)),
            Err(error) if error.code.as_deref() == Some("ImageNotFoundException") => Ok(None),
            Err(error) if error.code.as_deref() == Some("RepositoryNotFoundException") => {
                let message = format!(
                    "there is no repository {} for container images: is account {account} bootstrapped in {region}?",
                    self.repository
                );
                Err(EngineError::new(Class::Refused, message)
                    .with_hint(format!("run `cdk bootstrap aws://{account}/{region}`"))
                    .with_source(error))
            }
            Err(error) => {
                let message =
                    format!("cannot ask repository {} for its images: {}", self.repository, error.message);
                Err(EngineError::of_call(message, &error, Moment::Before))
            }
        }
    }
}

/// The arguments of a build, in the words that all three programs know.
fn build_arguments(source: &ImageSource, tag: &str) -> Vec<String> {
    let mut arguments = vec!["build".to_owned()];
    let mut add = |option: &str, value: String| arguments.extend([option.to_owned(), value]);
    for (name, value) in &source.docker_build_args {
        add("--build-arg", format!("{name}={value}"));
    }
    for (name, value) in &source.docker_build_contexts {
        add("--build-context", format!("{name}={value}"));
    }
    for (id, value) in &source.docker_build_secrets {
        add("--secret", format!("id={id},{value}"));
    }
    let cache = |cache: &ImageCache| {
        let params = cache.params.iter().map(|(name, value)| format!(",{name}={value}"));
        format!("type={}{}", cache.kind, params.collect::<String>())
    };
    let single = [
        ("--ssh", source.docker_build_ssh.clone()),
        ("--target", source.docker_build_target.clone()),
        ("--file", source.docker_file.clone()),
        ("--network", source.network_mode.clone()),
        ("--platform", source.platform.clone()),
        ("--cache-to", source.cache_to.as_ref().map(cache)),
    ];
    for (option, value) in single {
        if let Some(value) = value {
            add(option, value);
        }
    }
    source.docker_outputs.iter().for_each(|output| add("--output", output.clone()));
    source.cache_from.iter().for_each(|from| add("--cache-from", cache(from)));
    add("--tag", tag.to_owned());
    if source.cache_disabled {
        arguments.push("--no-cache".to_owned());
    }
    arguments.push(".".to_owned());
    arguments
}

#[cfg(test)]
mod tests;

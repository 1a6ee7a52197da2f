//! STS: who somebody is, and sessions of roles.

use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

use crate::api::{ApiError, Element, Parameters};
use crate::cloudformation::Context;
use crate::faults::{expired, fits};
use crate::protocol::encoding::hex;
use crate::protocol::iso_time;
use crate::simulator::{Credential, SimulatorOptions};

/// How long a session lasts that does not say: an hour.
const DEFAULT_SESSION: u64 = 3600;

/// Sessions, and what roles ask of those who assume them.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    seed: u64,
    sessions: BTreeMap<String, Session>,
    /// Roles, by name or ARN with `*`, that nobody may assume.
    pub denied: Vec<String>,
    /// Roles that nobody may assume with session tags.
    pub tags_denied: Vec<String>,
    /// Roles and the external ids that they want.
    pub external_ids: Vec<(String, String)>,
    /// The time by which sessions begin and end: the clients' own.
    pub clock: Timestamp,
    /// How long sessions last, whatever was asked for.
    pub sessions_last: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Session {
    account: String,
    arn: String,
    token: String,
    expires: Timestamp,
}

impl Tokens {
    /// No session yet.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Who signed.
    ///
    /// # Errors
    /// `ExpiredToken`, and `InvalidClientTokenId` where the account is not opted in.
    pub fn identify(
        &self,
        now: Timestamp,
        credential: &Credential,
        region: &str,
        options: &SimulatorOptions,
    ) -> Result<Context, ApiError> {
        if options.disabled_regions.iter().any(|it| it == region) {
            let error = ApiError::new(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            );
            return Err(error.with_status(403));
        }
        let mut context = self.anonymous(now, region, options);
        match self.sessions.get(&credential.access_key) {
            Some(session) if self.clock >= session.expires => return Err(expired()),
            Some(session) if credential.session_token.as_deref() != Some(&session.token) => {
                let message = "The security token included in the request is invalid.";
                return Err(ApiError::new("InvalidClientTokenId", message).with_status(403));
            }
            Some(session) => {
                context.account.clone_from(&session.account);
                context.caller.clone_from(&session.arn);
            }
            None => {
                let account = options.accounts.get(&credential.access_key).unwrap_or(&options.account);
                context.account.clone_from(account);
                context.caller = format!("arn:{}:iam::{account}:user/simulated", context.partition);
            }
        }
        Ok(context)
    }

    /// Nobody in particular.
    pub fn anonymous(&self, now: Timestamp, region: &str, options: &SimulatorOptions) -> Context {
        let partition = if region.starts_with("cn-") {
            "aws-cn"
        } else if region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        };
        Context {
            now,
            account: options.account.clone(),
            region: region.to_owned(),
            caller: String::new(),
            partition: partition.to_owned(),
        }
    }

    pub(crate) fn call(
        &mut self,
        context: &Context,
        action: &str,
        parameters: &Parameters,
    ) -> Result<Vec<Element>, ApiError> {
        match action {
            "GetCallerIdentity" => Ok(vec![
                Element::text("Arn", context.caller.as_str()),
                Element::text("UserId", user_id(&context.caller)),
                Element::text("Account", context.account.as_str()),
            ]),
            "AssumeRole" | "AssumeRoleWithWebIdentity" => self.assume(context, parameters),
            "GetSessionToken" => {
                let lasts = duration(parameters, 43_200)?;
                let (account, caller) = (context.account.clone(), context.caller.clone());
                Ok(vec![self.session(account, caller, lasts)])
            }
            "DecodeAuthorizationMessage" => decode(parameters.required("EncodedMessage")?),
            _ => Err(ApiError::new(
                "InvalidAction",
                format!("Could not find operation {action} for version 2011-06-15"),
            )),
        }
    }

    fn assume(&mut self, context: &Context, parameters: &Parameters) -> Result<Vec<Element>, ApiError> {
        let role = parameters.required("RoleArn")?;
        let session = parameters.required("RoleSessionName")?;
        if !(2..=64).contains(&session.len()) {
            return Err(ApiError::validation(
                "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member must have \
                 length between 2 and 64",
            ));
        }
        let (account, name) =
            parts(role).ok_or_else(|| ApiError::validation(format!("{role} is invalid")))?;
        let means = |pattern: &str| fits(pattern, role) || fits(pattern, name);
        let tagged = !parameters.structures("Tags").is_empty();
        let wanted = self.external_ids.iter().find(|(pattern, _)| means(pattern)).map(|(_, id)| id.as_str());
        let refused = self.denied.iter().any(|pattern| means(pattern))
            || (wanted.is_some() && parameters.get("ExternalId") != wanted);
        let tags_refused = tagged && self.tags_denied.iter().any(|pattern| means(pattern));
        if refused || tags_refused {
            let action = if refused { "sts:AssumeRole" } else { "sts:TagSession" };
            let message = format!(
                "User: {} is not authorized to perform: {action} on resource: {role}",
                context.caller
            );
            return Err(ApiError::new("AccessDenied", message).with_status(403));
        }
        let lasts = duration(parameters, DEFAULT_SESSION)?;
        let short = name.rsplit('/').next().unwrap_or(name);
        let arn = format!("arn:{}:sts::{account}:assumed-role/{short}/{session}", context.partition);
        let credentials = self.session(account.to_owned(), arn.clone(), lasts);
        let id = format!("{}:{session}", user_id(role));
        let user = [Element::text("AssumedRoleId", id), Element::text("Arn", arn)];
        Ok(vec![credentials, Element::of("AssumedRoleUser", user)])
    }

    fn session(&mut self, account: String, arn: String, lasts: Duration) -> Element {
        let lasts = self.sessions_last.unwrap_or(lasts);
        let expires = self.clock + lasts;
        let digest = hex(&Sha256::digest(format!("{}/{}/{arn}", self.seed, self.sessions.len())));
        let access_key = format!("ASIA{}", digest[..16].to_uppercase());
        let token = format!("simulated-session-{}", &digest[16..48]);
        let session = Session { account, arn, token: token.clone(), expires };
        self.sessions.insert(access_key.clone(), session);
        Element::of(
            "Credentials",
            [
                Element::text("AccessKeyId", access_key),
                Element::text("SecretAccessKey", &digest[..40]),
                Element::text("SessionToken", token),
                Element::text("Expiration", iso_time(expires)),
            ],
        )
    }
}

fn duration(parameters: &Parameters, default: u64) -> Result<Duration, ApiError> {
    let seconds = match parameters.get("DurationSeconds") {
        Some(text) => text.parse().ok().filter(|seconds| (900..=129_600).contains(seconds)),
        None => Some(default),
    };
    seconds.map(Duration::from_secs).ok_or_else(|| {
        ApiError::validation("1 validation error detected: Value at 'durationSeconds' is out of range")
    })
}

/// The account and the name of a role's ARN.
fn parts(role: &str) -> Option<(&str, &str)> {
    let mut pieces = role.splitn(6, ':').skip(4);
    let account = pieces.next()?;
    let name = pieces.next()?.strip_prefix("role/")?;
    (account.len() == 12).then_some((account, name))
}

fn user_id(arn: &str) -> String {
    let kind = if arn.contains(":user/") { "AIDA" } else { "AROA" };
    format!("{kind}{}", hex(&Sha256::digest(arn))[..16].to_uppercase())
}

/// Messages are encoded as hexadecimal here, so that a script can write one.
fn decode(message: &str) -> Result<Vec<Element>, ApiError> {
    let bytes: Option<Vec<u8>> = (0..message.len())
        .step_by(2)
        .map(|at| message.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| !text.is_empty());
    text.map(|text| vec![Element::text("DecodedMessage", text)])
        .ok_or_else(|| ApiError::new("InvalidAuthorizationMessageException", "Message is not valid"))
}

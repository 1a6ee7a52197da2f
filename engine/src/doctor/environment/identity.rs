//! Who calls, and by whose clock.

use super::super::Check;
use super::Looked;
use crate::aws::Session;

/// A difference that signatures bear without trouble, in seconds.
const UNNOTICED: i64 = 60;
/// A difference with which AWS refuses signatures, in seconds. Source: AWS General Reference, "Elements of an AWS API
/// request signature": within five minutes; S3 bears fifteen.
const REFUSED: i64 = 300;

/// Who the credentials belong to and where they came from.
pub async fn identity(session: &Session) -> Check {
    let detail = format!(
        "{} of account {}, credentials from {}; region {} {}",
        session.identity(),
        session.account(),
        session.credentials_from().await,
        session.region(),
        session.region_source(),
    );
    let root = session.identity().ends_with(":root");
    if !root {
        return Check::ok("identity", "", detail);
    }
    Check::warning("identity", "", format!("{detail}; that is the root user, whom no policy limits"))
        .with_hint("call as a role or through single sign-on, and keep the root user's keys deleted")
}

/// How far our clock is from that of AWS.
pub(super) async fn clock(looked: &Looked) -> Vec<Check> {
    const NAME: &str = "clock";
    let place = looked.place();
    let check = match looked.session.call().clocks().await {
        Err(error) => Check::unknown(NAME, place, &error),
        Ok((theirs, ours)) => {
            let ahead = ours.duration_since(theirs).as_secs();
            let detail = match ahead {
                0 => "as that of AWS".to_owned(),
                1.. => format!("{ahead} s ahead of that of AWS"),
                _ => format!("{} s behind that of AWS", -ahead),
            };
            match ahead.abs() {
                ..UNNOTICED => Check::ok(NAME, place, detail),
                UNNOTICED..REFUSED => Check::warning(NAME, place, detail).with_hint("set the clock by a time server"),
                _ => Check::failed(NAME, place, format!("{detail}: signatures are refused"))
                    .with_hint("set the clock by a time server; Formwork corrects its own signatures, other programs may not"),
            }
        }
    };
    vec![check]
}

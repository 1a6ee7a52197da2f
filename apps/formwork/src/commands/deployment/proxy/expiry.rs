//! Until when somebody may get in, as people write it.

use formwork_engine::{Class, EngineError};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What a token lasts when nothing is said: long enough not to be a burden, short enough that one that leaked and was
/// forgotten ends.
pub(super) const DEFAULT_OF_TOKENS: &str = "90d";
/// The furthest end: what is further is meant to be `never`.
const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// The end of `90d`, `12h`, `2w`, `2027-01-31`, an RFC 3339 time or `never`, which has none.
///
/// # Errors
/// When the text is none of these, or the end has passed.
pub(super) fn end(text: &str, now: Timestamp) -> Result<Option<Timestamp>, EngineError> {
    if text == "never" {
        return Ok(None);
    }
    let refuse = |why: &str| {
        EngineError::new(Class::Usage, format!("--expires {text} {why}"))
            .with_hint("write a time from now such as 90d, 12h or 2w, a day such as 2027-01-31, or never")
    };
    let end = if let Some(lasts) = duration(text) {
        now.checked_add(lasts).map_err(|_| refuse("is beyond all time"))?
    } else if let Some(day) = day(text) {
        // The named day is the last one.
        let next = day.tomorrow().map_err(|_| refuse("is beyond all time"))?;
        next.to_zoned(TimeZone::UTC).map_err(|_| refuse("is no day"))?.timestamp()
    } else {
        text.parse().map_err(|_| refuse("is no time"))?
    };
    if end <= now {
        return Err(refuse("has passed"));
    }
    if end.duration_since(now) > LONGEST {
        return Err(refuse("is more than ten years away"));
    }
    Ok(Some(in_seconds(end)))
}

/// The same time without a fraction of a second.
pub(super) fn in_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// A day alone: of a time with a zone it would be the day that is read, too.
fn day(text: &str) -> Option<Date> {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-').then(|| text.parse().ok())?
}

fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        _ => return None,
    };
    let number: i64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    SignedDuration::try_from_hours(number.checked_mul(hours)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str) -> Result<Option<String>, String> {
        let now = "2026-11-22T08:30:00.5Z".parse().unwrap();
        end(text, now).map(|end| end.map(|end| end.to_string())).map_err(|error| error.to_string())
    }

    #[test]
    fn ends_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("90d", "2027-02-20T08:30:00Z"),
            ("12h", "2026-11-22T20:30:00Z"),
            ("2w", "2026-12-06T08:30:00Z"),
            ("2027-01-31", "2027-02-01T00:00:00Z"),
            ("2026-11-22", "2026-11-23T00:00:00Z"),
            ("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00Z"),
        ] {
            assert_eq!(ends(text).unwrap().as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(ends("never"), Ok(None));
    }

    #[test]
    fn what_is_no_end_is_refused() {
        for (text, why) in [
            ("0d", "has passed"),
            ("2026-11-21", "has passed"),
            ("2026-11-22T08:30:00Z", "has passed"),
            ("99999d", "ten years"),
            ("99999999999999999d", "is no time"),
            ("-5d", "is no time"),
            ("", "is no time"),
            ("é", "is no time"),
            ("soon", "is no time"),
        ] {
            assert!(ends(text).is_err_and(|error| error.contains(why)), "{text}: {:?}", ends(text));
        }
    }
}

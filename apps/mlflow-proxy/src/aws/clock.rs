//! The time that signatures carry: the machine's, moved by what AWS's own clock differs from it.
//!
//! AWS refuses a signature that is five minutes off. Every answer says what time it is on the other side, so a wrong clock
//! costs one request, and a line in the log, instead of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::DATE;

/// Differences below this are not a clock's fault.
const TOLERANCE: i64 = 30;

/// The time to sign with. Clones share what one of them learns.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Seconds to add to the machine's time.
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// What time it is for AWS, as far as is known.
    pub fn now(&self) -> SystemTime {
        let offset = self.offset.load(Ordering::Relaxed);
        let duration = Duration::from_secs(offset.unsigned_abs());
        let now = SystemTime::now();
        let moved = if offset < 0 { now.checked_sub(duration) } else { now.checked_add(duration) };
        moved.unwrap_or(now)
    }

    /// Takes the time from an answer. `true` if signatures made from now on differ from those before.
    pub fn learn(&self, headers: &HeaderMap) -> bool {
        let Some(theirs) = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(parse) else {
            return false;
        };
        let machine = seconds(SystemTime::now());
        let before = self.offset.load(Ordering::Relaxed);
        let offset = theirs - machine;
        if (offset - before).abs() < TOLERANCE {
            return false;
        }
        let offset = if offset.abs() < TOLERANCE { 0 } else { offset };
        self.offset.store(offset, Ordering::Relaxed);
        tracing::warn!(
            seconds = offset,
            "the clock of this machine differs from AWS's; signatures follow AWS's"
        );
        true
    }
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A date as HTTP writes it, in seconds since 1970. Source: RFC 9110, section 5.6.7.
fn parse(date: &str) -> Option<i64> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(time.as_second())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn dated(offset: i64) -> HeaderMap {
        let time = jiff::Timestamp::from_second(seconds(SystemTime::now()) + offset).unwrap();
        let date = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        HeaderMap::from_iter([(DATE, HeaderValue::from_str(&date).unwrap())])
    }

    #[test]
    fn a_date_of_http_is_read() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse("tomorrow"), None);
    }

    #[test]
    fn a_clock_that_is_off_follows_and_comes_back() {
        let clock = Clock::default();
        assert!(!clock.learn(&dated(3)), "a few seconds are the network's");
        for offset in [600, -600] {
            assert!(clock.learn(&dated(offset)));
            let apart = seconds(clock.now()) - seconds(SystemTime::now());
            assert!((apart - offset).abs() < 3, "{apart} {offset}");
            assert!(!clock.learn(&dated(offset)), "known already");
        }
        assert!(clock.learn(&dated(0)), "somebody set the machine's clock");
        assert!(seconds(clock.now()) - seconds(SystemTime::now()) < 2);
        assert!(!clock.learn(&HeaderMap::new()));
    }
}

//! The time of a signature, to the second, in the basic form of ISO 8601.

use std::time::SystemTime;

use http::HeaderValue;
use jiff::Timestamp;
use jiff::tz::Offset;

/// Such as `20260131T235959Z`.
pub(super) struct Stamp([u8; 16]);

impl Stamp {
    pub(super) fn at(now: SystemTime) -> Self {
        // Outside of the years 0 to 9999 no signature is valid, whatever it says.
        let now = Timestamp::try_from(now).unwrap_or_default();
        let time = Offset::UTC.to_datetime(now);
        let mut text = *b"00000000T000000Z";
        let mut put = |at: usize, mut number: u16, digits: usize| {
            for place in text[at..at + digits].iter_mut().rev() {
                *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        };
        put(0, time.year().unsigned_abs(), 4);
        for (at, number) in
            [(4, time.month()), (6, time.day()), (9, time.hour()), (11, time.minute()), (13, time.second())]
        {
            put(at, number.unsigned_abs().into(), 2);
        }
        Self(text)
    }

    /// The day: eight digits.
    pub(super) fn day(&self) -> &[u8] {
        &self.0[..8]
    }

    /// The whole of it.
    pub(super) fn second(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("digits and letters can stand in a header")
    }
}

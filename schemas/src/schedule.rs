//! When an activation counts: once or again and again, by the clock of a time zone.
//!
//! What is written here is text and bounds. What it means at a moment, daylight saving included, is computed in
//! the domain, which has the time zones' data.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::command::Fault;
use crate::name::NameError;
use crate::place::as_text;

/// The longest an occurrence may last, in seconds: a hundred years of 365.25 days.
pub const DURATION_MOST_S: u64 = 36_525 * 86_400;

/// When an activation is enabled, as people say it: `"schedule"` of the API.
///
/// ```json
/// {"start": "2026-03-01T22:00:00", "duration_s": 7200, "repeat": "daily", "time_zone": "Europe/Berlin",
///  "enabled": "during", "start_by": "2026-03-08T00:00:00", "end_by": "2026-12-31T00:00:00"}
/// ```
///
/// All times are what clocks show in `time_zone`. An *occurrence* begins at `start`, and when it repeats at the same
/// time of day every day, on the same day of the week, or on the same day of the month: in a month that is
/// shorter on its last day (from the 31st of January to the 28th of February and the 31st of March; a 29th of
/// February is a 28th in other years). It lasts `duration_s` of elapsed time, whatever clocks do meanwhile. One
/// that begins while another lasts prolongs it.
///
/// A time of day that clocks leave out is the moment at which they go on; one that they show twice is the first.
///
/// `start_by` and `end_by` are the *window* in which the schedule is in effect: an occurrence that would begin
/// before `start_by` does not take place, nor one at `end_by` or later, and one that lasts at `end_by` is cut
/// there. Outside of the window nothing is enabled, whatever `enabled` says. Without `start_by` it is in effect from
/// the activation on, without `end_by` for ever.
///
/// Its form has all fields, so that rows may hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// When the first occurrence begins.
    pub start: ClockTime,
    /// How long an occurrence lasts, in seconds: 1 to 3,155,760,000.
    pub duration_s: u64,
    /// How often.
    #[serde(default)]
    pub repeat: Repeat,
    /// Whose clocks; `UTC` if nothing is said.
    #[serde(default)]
    pub time_zone: ZoneName,
    /// Whether the activation is enabled while an occurrence lasts or while none does.
    #[serde(default)]
    pub enabled: Enabled,
    /// From when on it is in effect.
    #[serde(default)]
    pub start_by: Option<ClockTime>,
    /// Until when it is in effect: from this moment on it is not.
    #[serde(default)]
    pub end_by: Option<ClockTime>,
}

impl Schedule {
    /// Checks all that needs no data of time zones. `pointer` is where the schedule stands (RFC 6901).
    ///
    /// # Errors
    /// The first field that is beyond its bounds, or goes against another.
    pub fn check(&self, pointer: &str) -> Result<(), Fault> {
        let fault =
            |field: &str, message: &str| Fault { pointer: format!("{pointer}/{field}"), message: message.to_owned() };
        if !(1..=DURATION_MOST_S).contains(&self.duration_s) {
            let message = format!("is not between 1 and {DURATION_MOST_S} seconds");
            return Err(fault("duration_s", &message));
        }
        if self.repeat == Repeat::Once && self.start_by.is_some_and(|start_by| start_by > self.start) {
            return Err(fault("start_by", "is later than `start`, and there is one occurrence only"));
        }
        match self.end_by {
            Some(end_by) if end_by <= self.start => Err(fault("end_by", "is not later than `start`")),
            Some(end_by) if self.start_by.is_some_and(|start_by| end_by <= start_by) => {
                Err(fault("end_by", "is not later than `start_by`"))
            }
            _ => Ok(()),
        }
    }
}

/// How often an occurrence takes place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// At `start` and never again.
    #[default]
    Once,
    /// Every day.
    Daily,
    /// Every seventh day.
    Weekly,
    /// Every month, in shorter ones on their last day.
    Monthly,
}

/// Where an activation is enabled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enabled {
    /// While an occurrence lasts.
    #[default]
    During,
    /// While none lasts, before the first one too.
    Outside,
}

/// A date and time as clocks show it: `2026-03-01T22:00:00`, the seconds may be left out where they are none. From
/// 1970 until 2999, without an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockTime(DateTime);

impl ClockTime {
    /// Its parts.
    pub const fn get(self) -> DateTime {
        self.0
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ClockTime {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fault =
            || NameError::new(text, "a date and time of 1970 to 2999 without an offset (`2026-03-01T22:00:00`)");
        let full = match text.len() {
            16 => Cow::Owned(format!("{text}:00")),
            19 => Cow::Borrowed(text),
            _ => return Err(fault()),
        };
        let time: DateTime = full.parse().map_err(|_| fault())?;
        // What is printed otherwise was a form that jiff reads and we do not: spaces, compact dates, leap seconds.
        match (1970..=2999).contains(&time.year()) && time.to_string() == *full {
            true => Ok(Self(time)),
            false => Err(fault()),
        }
    }
}

as_text!(
    ClockTime,
    "A date and time as clocks show it, of 1970 to 2999 and without an offset: `2026-03-01T22:00:00`.",
    "^(19[7-9]|2[0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
);

/// The name of a time zone, as in the IANA Time Zone Database: `Europe/Berlin`. Whether there is one of that name only
/// the domain knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneName(Cow<'static, str>);

impl ZoneName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ZoneName {
    fn default() -> Self {
        Self(Cow::Borrowed("UTC"))
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ZoneName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-'))
        };
        match text.len() <= 64 && text.split('/').all(is_part) {
            true => Ok(Self(Cow::Owned(text.to_owned()))),
            false => Err(NameError::new(text, "a time zone's name (`Europe/Berlin`, at most 64 characters)")),
        }
    }
}

as_text!(
    ZoneName,
    "The name of a time zone, as in the IANA Time Zone Database: `Europe/Berlin`.",
    "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*)*$"
);

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_not_said_is_once_during_in_utc() {
        let short = schedule(r#"{"start": "2026-03-01T22:00", "duration_s": 7200}"#);
        let long = schedule(
            r#"{"start": "2026-03-01T22:00:00", "duration_s": 7200, "repeat": "once", "time_zone": "UTC",
                "enabled": "during", "start_by": null, "end_by": null}"#,
        );
        assert_eq!(short, long);
        let text = serde_json::to_string(&short).unwrap();
        assert_eq!(
            text,
            r#"{"start":"2026-03-01T22:00:00","duration_s":7200,"repeat":"once","time_zone":"UTC","enabled":"during","start_by":null,"end_by":null}"#
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused_in_words() {
        for (field, expected) in [
            (r#""start": "2026-03-01""#, "`2026-03-01` is not a date and time of 1970 to 2999 without an offset"),
            (r#""start": "2026-03-01 22:00:00""#, "`2026-03-01 22:00:00` is not a date and time of 1970"),
            (r#""start": "2026-03-01T22:00:60""#, "`2026-03-01T22:00:60` is not a date and time of 1970"),
            (r#""start": "2026-02-29T22:00:00""#, "`2026-02-29T22:00:00` is not a date and time of 1970"),
            (r#""start": "2026-03-01T22:00Z""#, "`2026-03-01T22:00Z` is not a date and time of 1970"),
            (r#""start": "20260301T220000+01""#, "`20260301T220000+01` is not a date and time of 1970"),
            (r#""start": "3000-01-01T00:00:00""#, "`3000-01-01T00:00:00` is not a date and time of 1970"),
            (
                r#""time_zone": "Europe/""#,
                "`Europe/` is not a time zone's name (`Europe/Berlin`, at most 64 characters)",
            ),
            (r#""time_zone": "+01:00""#, "`+01:00` is not a time zone's name"),
            (r#""repeat": "yearly""#, "unknown variant `yearly`, expected one of `once`, `daily`, `weekly`, `monthly`"),
            (r#""until": "x""#, "unknown field `until`"),
        ] {
            let error = serde_json::from_str::<Schedule>(&format!("{{{field}}}")).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn what_is_beyond_its_bounds_names_its_place() {
        let day = r#""start": "2026-03-01T22:00:00", "repeat": "daily""#;
        let once = r#""start": "2026-03-01T22:00:00", "duration_s": 60"#;
        for (text, expected) in [
            (format!(r#"{{{day}, "duration_s": 0}}"#), "`schedule/duration_s` is not between 1 and 3155760000 seconds"),
            (
                format!(r#"{{{day}, "duration_s": 3155760001}}"#),
                "`schedule/duration_s` is not between 1 and 3155760000 seconds",
            ),
            (
                format!(r#"{{{once}, "start_by": "2026-03-01T22:00:01"}}"#),
                "`schedule/start_by` is later than `start`, and there is one occurrence only",
            ),
            (format!(r#"{{{once}, "end_by": "2026-03-01T22:00:00"}}"#), "`schedule/end_by` is not later than `start`"),
            (
                format!(r#"{{{day}, "duration_s": 1, "start_by": "2026-04-01T00:00", "end_by": "2026-04-01T00:00"}}"#),
                "`schedule/end_by` is not later than `start_by`",
            ),
        ] {
            assert_eq!(schedule(&text).check("/schedule").unwrap_err().to_string(), expected);
        }
        let good = format!(r#"{{{day}, "duration_s": 3155760000, "start_by": "2026-04-01T00:00"}}"#);
        assert_eq!(schedule(&good).check("/schedule"), Ok(()));
    }
}

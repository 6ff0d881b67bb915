//! Files that are no bundles: what is reported of them, what is done with those that the log knows, and how many that are.

use std::time::Duration;

use linesman_connectors::device::files::File;
use linesman_domain::reached::{JMB_ERRORS_MOST, JmbErrorRow, WishRow};
use linesman_schemas::bundle;
use linesman_schemas::device::{DeviceState, HEAD_MOST, JmbError};
use linesman_schemas::outcome::Report;

use super::visit::id_of;
use super::way::Trouble;
use super::worker::Worker;

/// After how long a file that is no bundle is told of again, where the log does not know of it.
const TOLD_AGAIN: Duration = Duration::from_secs(300);

/// What is to be done with a file, as the log knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It is the one that was set aside.
    Nothing,
    /// It is to be removed, and is the one that was set aside.
    Removal,
    /// It is to be judged at once, somebody has asked for that.
    Judgement,
    /// It is to be read once it is still: nothing is known of it, or of what has come in its place.
    Reading,
}

/// What is to be done with a file that was set aside, or not.
pub(super) fn due(aside: Option<&JmbErrorRow>, file: &File, modified: i64) -> Due {
    let Some(aside) = aside else { return Due::Reading };
    let is_same = aside.size == file.size && i64::try_from(aside.modified).is_ok_and(|known| known == modified);
    match aside.wish {
        WishRow::None if is_same => Due::Nothing,
        WishRow::Delete if is_same => Due::Removal,
        WishRow::Recheck => Due::Judgement,
        // What has come in its place is not what was to be removed.
        WishRow::None | WishRow::Delete => Due::Reading,
    }
}

/// How it is with a file that was no bundle, so long ago, and that the log does not know as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untold {
    /// The log knows so many that it takes note of no other: it is read again once it changes, or others are gone.
    Full,
    /// The log has not come to what was told of it.
    Waits,
    /// It is told of again.
    Again,
}

/// That, where the log knows so many files of the device.
pub(super) fn untold(refused: Duration, kept: usize) -> Untold {
    match kept >= JMB_ERRORS_MOST {
        true => Untold::Full,
        false if refused < TOLD_AGAIN => Untold::Waits,
        false => Untold::Again,
    }
}

/// What is wrong where the log takes note of no other file.
pub(super) fn too_many() -> Trouble {
    let words = format!("more than {JMB_ERRORS_MOST} files of it are no bundles: look after its directory");
    Trouble::new(DeviceState::Garbled, words)
}

impl Worker {
    /// What is to be reported of a file that is no bundle: its beginning and its fault, and nothing else of it is kept.
    pub(super) fn no_bundle(&self, file: &File, bytes: &[u8], error: &bundle::Error) -> Box<JmbError> {
        metrics::counter!("linesman_device_jmb_errors_total", "fault" => error.fault.name()).increment(1);
        let head = String::from_utf8_lossy(bytes.get(..HEAD_MOST).unwrap_or(bytes)).into_owned();
        Box::new(JmbError {
            device: self.device.name.clone(),
            id: id_of(file),
            file: file.name.to_string(),
            size: file.size,
            modified: file.modified.and_then(|time| u64::try_from(time.as_second()).ok()).unwrap_or_default(),
            fault: error.fault.name().to_owned(),
            detail: error.fault.detail(),
            line: error.line.into(),
            column: error.column.into(),
            head,
        })
    }

    /// Reports a file that is no bundle.
    pub(super) async fn set_aside(&self, report: JmbError) -> Result<(), Trouble> {
        tracing::warn!(
            organization = %self.device.org, device = self.device.name, file = report.file, fault = report.fault,
            "a file of a device is no bundle, and is set aside"
        );
        match self.hands.report(&self.device, &Report::JmbSetAside(report)).await {
            true => Ok(()),
            false => Err(Trouble::new(DeviceState::LogUnavailable, "the log does not take what is wrong with a file")),
        }
    }
}

#[cfg(test)]
mod tests {
    use linesman_connectors::device::files::Name;

    use super::*;

    fn row(size: u64, wish: WishRow) -> JmbErrorRow {
        JmbErrorRow {
            file: "a.xml".to_owned(),
            size,
            modified: 100,
            fault: "truncated".to_owned(),
            detail: String::new(),
            line: 1,
            column: 1,
            head: String::new(),
            found: jiff::Timestamp::UNIX_EPOCH,
            wish,
        }
    }

    #[test]
    fn what_somebody_wants_checked_is_judged_at_once_and_what_came_in_its_place_is_not_removed() {
        let modified = Some(jiff::Timestamp::from_second(100).unwrap());
        let file = File { name: Name::new(b"a.xml".to_vec()).unwrap(), size: 10, modified };
        for (aside, expected) in [
            (None, Due::Reading),
            (Some(row(10, WishRow::None)), Due::Nothing),
            (Some(row(10, WishRow::Delete)), Due::Removal),
            (Some(row(10, WishRow::Recheck)), Due::Judgement),
            (Some(row(11, WishRow::Recheck)), Due::Judgement),
            (Some(row(11, WishRow::None)), Due::Reading),
            (Some(row(11, WishRow::Delete)), Due::Reading),
        ] {
            assert_eq!(due(aside.as_ref(), &file, 100), expected, "{aside:?}");
        }
    }

    #[test]
    fn of_files_beyond_those_that_are_kept_none_is_read_again_however_long_it_lies_there() {
        for (refused, kept, expected) in [
            (0, JMB_ERRORS_MOST, Untold::Full),
            (1_000_000, JMB_ERRORS_MOST, Untold::Full),
            (299, JMB_ERRORS_MOST - 1, Untold::Waits),
            (300, JMB_ERRORS_MOST - 1, Untold::Again),
        ] {
            assert_eq!(untold(Duration::from_secs(refused), kept), expected, "{refused} {kept}");
        }
    }
}

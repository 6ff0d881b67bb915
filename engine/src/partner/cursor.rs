//! Where a list of changed cases, or of messages, goes on: the number of the last change that was told, with a check by which it is told
//! from what was made up or is another end customer's. It tells nothing that its holder does not know.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linesman_schemas::OrgName;
use sha2::{Digest as _, Sha256};

use crate::edge::transport::problem::Problem;

/// What a list is of.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    /// Cases.
    Cases,
    /// Intelligence messages.
    Messages,
}

impl List {
    /// What its cursors are checked by.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cases => "changed cases",
            Self::Messages => "messages",
        }
    }

    /// The parameter that has its cursor.
    const fn parameter(self) -> &'static str {
        match self {
            Self::Cases => "cursor",
            Self::Messages => "after",
        }
    }
}

/// The cursor behind a change of what an organization has at this controller.
pub(super) fn write(list: List, controller: &str, org: &OrgName, change: u64) -> String {
    URL_SAFE_NO_PAD.encode([change.to_be_bytes(), check(list, controller, org, change)].concat())
}

/// The change it stands behind.
///
/// # Errors
/// It is none that this organization was given.
pub(super) fn read(list: List, controller: &str, org: &OrgName, text: &str) -> Result<u64, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let parts = bytes.as_ref().and_then(|bytes| bytes.split_first_chunk::<8>());
    let change = parts.and_then(|(change, checked)| {
        let change = u64::from_be_bytes(*change);
        (checked == check(list, controller, org, change)).then_some(change)
    });
    change.ok_or_else(|| unknown(list))
}

/// The answer to a cursor that is none.
pub(super) fn unknown(list: List) -> Problem {
    let name = list.parameter();
    Problem::parameter(name, format!("`{name}` is none that an answer gave; without one the list begins anew"))
}

fn check(list: List, controller: &str, org: &OrgName, change: u64) -> [u8; 8] {
    let digest = Sha256::digest(format!("{} of {org} at {controller} behind {change}", list.as_str()));
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_taken_and_only_from_whom_it_was_given_to() {
        let (acme, bolt): (OrgName, OrgName) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        for change in [0, 1, u64::MAX] {
            for list in [List::Cases, List::Messages] {
                assert_eq!(read(list, "here", &acme, &write(list, "here", &acme, change)).unwrap(), change);
            }
        }
        let given = |list, here, org| write(list, here, org, 7);
        let (long, others) = (given(List::Cases, "here", &acme) + "AA", given(List::Cases, "here", &bolt));
        let (there, messages) = (given(List::Cases, "there", &acme), given(List::Messages, "here", &acme));
        for text in ["", "7", "AAAAAAAAAAc", &others, &there, &messages, &long, "%%%", "\u{e4}"] {
            let problem = read(List::Cases, "here", &acme, text).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.at()), (400, Some("cursor")), "{text}");
        }
    }
}

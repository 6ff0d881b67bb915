//! Where a list of changed cases goes on: the number of the last change that was told, with a check by which it is told
//! from what was made up or is another end customer's. It tells nothing that its holder does not know.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linesman_schemas::OrgName;
use sha2::{Digest as _, Sha256};

use crate::edge::transport::problem::Problem;

/// The cursor behind a change of an organization's cases at this controller.
pub(super) fn write(controller: &str, org: &OrgName, change: u64) -> String {
    URL_SAFE_NO_PAD.encode([change.to_be_bytes(), check(controller, org, change)].concat())
}

/// The change it stands behind.
///
/// # Errors
/// It is none that this organization was given.
pub(super) fn read(controller: &str, org: &OrgName, text: &str) -> Result<u64, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let parts = bytes.as_ref().and_then(|bytes| bytes.split_first_chunk::<8>());
    let change = parts.and_then(|(change, checked)| {
        let change = u64::from_be_bytes(*change);
        (checked == check(controller, org, change)).then_some(change)
    });
    change.ok_or_else(unknown)
}

/// The answer to a cursor that is none.
pub(super) fn unknown() -> Problem {
    Problem::parameter("cursor", "`cursor` is none that an answer gave; without one the list begins anew")
}

fn check(controller: &str, org: &OrgName, change: u64) -> [u8; 8] {
    let digest = Sha256::digest(format!("changed cases of {org} at {controller} behind {change}"));
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_taken_and_only_from_whom_it_was_given_to() {
        let (acme, bolt): (OrgName, OrgName) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        for change in [0, 1, u64::MAX] {
            assert_eq!(read("here", &acme, &write("here", &acme, change)).unwrap(), change);
        }
        let long = write("here", &acme, 7) + "AA";
        for text in
            ["", "7", "AAAAAAAAAAc", &write("here", &bolt, 7), &write("there", &acme, 7), &long, "%%%", "\u{e4}"]
        {
            let problem = read("here", &acme, text).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.at()), (400, Some("cursor")), "{text}");
        }
    }
}

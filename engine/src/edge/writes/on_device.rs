//! What devices that are reached say themselves of what a preview would tell them, for whoever may look at their
//! configuration. That a device is asked is on record before.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use linesman_domain::activations::drift::LEVEL;
use linesman_schemas::command::UseKind;
use linesman_schemas::reaction::GroupChange;
use linesman_schemas::{OrgName, Place};

use super::preview::{Change, OnDevice};
use crate::edge::recordable;
use crate::edge::sources::Sources;
use crate::edge::undone::{OPERATION, recorded, using};
use crate::edge::viewer::Viewer;
use crate::reach::Hands;

/// How long devices may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many devices are asked, the first ones.
const DEVICES_MOST: usize = 4;
/// Of how many groups each.
const GROUPS_MOST: usize = 20;

/// Asks the devices of changes what those would make of them.
pub(super) async fn ask(sources: &Sources, viewer: &Viewer, org: &OrgName, changes: &mut [Change]) {
    let may = viewer.may(OPERATION, &Place::Organization(org.clone())).is_ok();
    let is_at = sources.lanes.iter().all(|lane| lane.borrow().level >= LEVEL);
    if !may || !is_at {
        return;
    }
    let mut devices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, change) in changes.iter().enumerate().filter(|(_, change)| change.is_told()) {
        if devices.len() < DEVICES_MOST || devices.contains_key(&change.device) {
            let of = devices.entry(change.device.clone()).or_default();
            of.extend((of.len() < GROUPS_MOST).then_some(at));
        }
    }
    let asked = devices.iter().map(|(device, numbers)| {
        let told = numbers.iter().filter_map(|at| changes.get(*at)).map(Change::as_told).collect::<Vec<_>>();
        one(sources, viewer, org, device, told)
    });
    let answers = join_all(asked).await;
    for ((_, numbers), answers) in devices.iter().zip(answers) {
        for (at, answer) in numbers.iter().zip(answers) {
            if let Some(change) = changes.get_mut(*at) {
                change.on_device = Some(answer);
            }
        }
    }
}

/// What one device says of changes, in their order.
async fn one(
    sources: &Sources,
    viewer: &Viewer,
    org: &OrgName,
    device: &str,
    told: Vec<(String, GroupChange)>,
) -> Vec<OnDevice> {
    let unknown = |why: &str| told.iter().map(|_| OnDevice::unknown(why.to_owned())).collect();
    let name = match sources.hands.answering(org, device) {
        Ok(name) => name,
        Err(why) => return unknown(&why),
    };
    let all: String = told
        .iter()
        .map(|(group, change)| match change {
            GroupChange::Put { text } => format!("{group}\n{text}"),
            GroupChange::Remove => format!("{group}\n"),
        })
        .collect();
    let diff = using(&name, UseKind::Diff, recordable::sha256(&all));
    if recorded(sources, viewer, LEVEL, (org, diff)).await.is_err() {
        return unknown("that it is asked cannot be put on record");
    }
    match sources.hands.differences(&Hands::to_tell(org, &name), &told, PATIENCE).await {
        Ok(answers) => answers
            .into_iter()
            .map(|answer| match answer {
                Ok(difference) => OnDevice { diff: difference.text, error: String::new() },
                Err(failure) => OnDevice::unknown(failure.message),
            })
            .collect(),
        Err(failure) => unknown(&failure.message),
    }
}

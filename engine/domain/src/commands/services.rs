//! What is asked of services, as organizations have them: on which versions their subscriptions are.

use std::ops::Bound;

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Rollout;
use linesman_schemas::{OrgName, Place, ServiceName, SubscriptionName};
use serde_json::{Value, json};

use super::Answer;
use crate::desk::Desk;
use crate::jobs::{Jobs, Work};
use crate::rollouts::Target;
use crate::services::{Services, newest_key, version_key};
use crate::subscriptions::{self, SubscriptionRow};
use crate::{Error, places};

/// From which engine level on as many go over as were counted, or none.
const LEVEL: u32 = 6;
/// How many subscriptions that stay on their version the audit names.
const NAMED_MOST: usize = 20;
/// How many that go over are tried out beforehand.
const FIRST_MOST: usize = 200;

/// What a rollout comes to.
pub(crate) struct Going {
    /// The version.
    pub(crate) version: String,
    /// The first subscriptions that go over.
    pub(crate) first: Vec<(Place, SubscriptionName)>,
    /// How many do.
    pub(crate) count: u32,
    /// What the audit shows of it.
    new: Value,
}

impl Going {
    /// Whether more go over than are known by name.
    pub(crate) fn has_more(&self) -> bool {
        self.first.len() < self.count as usize
    }
}

/// Which subscriptions are to go over to another version of their service, or why none are.
pub(crate) fn going(
    desk: &Desk,
    (services, jobs): (&Services, &Jobs),
    rollout: &Rollout,
) -> Result<Result<Going, Answer>, Error> {
    let Rollout { service, version, under, canary, force: _ } = rollout;
    if !places::is_within(desk.state(), under)? {
        return Ok(Err(Answer::unseen(under)));
    }
    let nothing = |detail| Ok(Err(Answer::refused(Verdict::NotFound, detail)));
    let version = match version {
        Some(version) => version.clone(),
        None => match desk.read(&newest_key(service))? {
            Some(row) => row.version,
            None => return nothing(format!("there is no service `{service}`")),
        },
    };
    if desk.bytes(&version_key(service, &version))?.is_none() {
        return nothing(format!("there is no version `{version}` of the service `{service}`"));
    }
    let Some(org) = under.organization() else { return Ok(Err(Answer::unseen(under))) };
    let going = count(desk, services, (org, under), (service, version), canary.unwrap_or(u32::MAX))?;
    let refused = |detail| Ok(Err(Answer::refused(Verdict::Conflict, detail)));
    if jobs.has(|work| matches!(work, Work::Rollout { place, service: of, .. } if place.organization() == Some(org) && of == service)) {
        return refused(format!(
            "subscriptions of `{org}` to `{service}` are going over to a version; ask again when they have"
        ));
    }
    if let Some(meant) = canary.filter(|meant| desk.is_at(LEVEL) && going.count < *meant) {
        // Whoever counted them did so before others went over.
        return refused(format!(
            "{meant} subscriptions of `{org}` to `{service}` were to go over, and {} can by now: others have gone over \
             meanwhile; ask again",
            going.count
        ));
    }
    Ok(Ok(going))
}

/// Counts those that go over, `most` of them at the most, and those that stay.
fn count(
    desk: &Desk,
    services: &Services,
    (org, under): (&OrgName, &Place),
    (service, version): (&ServiceName, String),
    most: u32,
) -> Result<Going, Error> {
    let target = Target::read(desk.state(), services.shelf(), org, (service, &version))?;
    let (mut count, mut first) = (0_u32, Vec::new());
    let (mut staying, mut stay) = (Vec::new(), 0_u32);
    for row in subscriptions::all(desk.state(), org) {
        let (place, name, row) = row?;
        if !target.is_meant(&row) || !under.covers(&place) {
            continue;
        }
        match target.refusal(&place, &row) {
            Some(reason) => {
                stay += 1;
                if staying.len() < NAMED_MOST {
                    staying.push(json!({"place": place, "subscription": name, "reason": reason}));
                }
            }
            None => {
                count += 1;
                if first.len() < FIRST_MOST {
                    first.push((place, name));
                }
            }
        }
        if count >= most {
            break;
        }
    }
    let mut new = json!({"service": service, "version": version, "subscriptions": count});
    if let Some(fields) = new.as_object_mut().filter(|_| stay > 0) {
        fields.insert("staying".to_owned(), json!({"count": stay, "named": staying}));
    }
    Ok(Going { version, first, count, new })
}

/// Begins to let subscriptions go over.
pub(crate) fn begin(desk: &mut Desk, jobs: &mut Jobs, rollout: &Rollout, going: Going) -> Result<Answer, Error> {
    let Going { version, count, new, .. } = going;
    if count == 0 {
        return Ok(Answer::done("unchanged", Value::Null, new));
    }
    let (place, service) = (rollout.under.clone(), rollout.service.clone());
    jobs.begin(desk, Work::Rollout { place, service, version, left: Some(count) })?;
    Ok(Answer::done("begun", Value::Null, new))
}

/// Has the first subscriptions be on a version, as a trial.
pub(crate) fn try_out(desk: &mut Desk, going: &Going) -> Result<(), Error> {
    for (place, name) in &going.first {
        let key = subscriptions::key(place, name);
        if let Some(row) = desk.read(&key)? {
            desk.write(key, &SubscriptionRow { version: going.version.clone(), ..row })?;
        }
    }
    Ok(())
}

/// A slice of subscriptions behind a cursor goes over to a version, `left` of them at the most since the first slice. The
/// cursor where there may be more, and how many rows were looked at.
pub(crate) fn roll_out(
    desk: &mut Desk,
    services: &Services,
    place: &Place,
    (service, version): (&ServiceName, &str),
    left: Option<u32>,
    after: &[u8],
    rows_most: usize,
) -> Result<(Option<Vec<u8>>, u64), Error> {
    let Some(org) = place.organization() else { return Ok((None, 0)) };
    if desk.bytes(&version_key(service, version))?.is_none() {
        // It went meanwhile, since nothing was on it yet.
        return Ok((None, 0));
    }
    let front = subscriptions::below(org, &[]);
    // The cursor begins with how many may go over still.
    let (mut left, after) = match after.split_first_chunk::<4>() {
        Some((count, key)) => (u32::from_be_bytes(*count), key),
        None => (left.unwrap_or(u32::MAX), after),
    };
    let mut from = if after.is_empty() { Bound::Included(front.clone()) } else { Bound::Excluded(after.to_vec()) };
    let mut looked_at = 0;
    let target = Target::read(desk.state(), services.shelf(), org, (service, version))?;
    while let Some((key, _)) = desk.first(from.as_ref().map(Vec::as_slice), &front)? {
        looked_at += 1;
        let own = key.get(front.len()..).and_then(|own| subscriptions::place_and_name(org, own));
        if let Some((at, name)) = own.filter(|(at, _)| place.covers(at)) {
            let row_key = subscriptions::key(&at, &name);
            if let Some(row) =
                desk.read(&row_key)?.filter(|row| target.is_meant(row) && target.refusal(&at, row).is_none())
            {
                desk.write(row_key, &SubscriptionRow { version: version.to_owned(), changed: desk.now, ..row })?;
                left = left.saturating_sub(1);
            }
        }
        if left == 0 {
            return Ok((None, looked_at));
        }
        if looked_at as usize >= rows_most {
            return Ok((Some([&left.to_be_bytes()[..], &key].concat()), looked_at));
        }
        from = Bound::Excluded(key);
    }
    Ok((None, looked_at))
}

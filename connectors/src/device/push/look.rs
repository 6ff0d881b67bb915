//! What changes would make of a device, and what it has of groups: looked at, and nothing is committed.
//!
//! INVARIANT (left as it was): what is loaded to be compared lies in a candidate that we have locked, and goes with the lock,
//! at the latest with the session.

use linesman_schemas::outcome::{Failure, FailureClass};
use linesman_schemas::reaction::GroupChange;

use super::course::{Course, Talk, failed, without};
use super::{Pace, load};
use crate::device::limits::Limits;
use crate::device::netconf::{Body, Error, Part, Request, Session, junos};
use crate::device::ssh::Login;
use crate::device::{failure, syntax};

/// How many groups are read with one request.
const GROUPS_AT_ONCE: usize = 16;
/// How many bytes a device may say of changes in any case.
const TOLD_LEAST: u64 = 2 * 1024 * 1024;
/// How many times as many as it is told it may.
const TOLD_TIMES: u64 = 4;

/// How much a device may say of what it was told: what it says lies in memory, and it is not trusted. In bytes.
pub fn room_for<'a>(told: impl IntoIterator<Item = &'a str>) -> u64 {
    told.into_iter().fold(TOLD_LEAST, |room, text| room.saturating_add(TOLD_TIMES * text.len() as u64))
}

/// The same of changes.
pub(super) fn room_of<'a>(changes: impl IntoIterator<Item = &'a GroupChange>) -> u64 {
    room_for(changes.into_iter().map(|change| match change {
        GroupChange::Put { text } => text.as_str(),
        GroupChange::Remove => "",
    }))
}

/// The pace at which no more than so many bytes are said.
pub(super) fn bounded(pace: &Pace, bytes: u64) -> Pace {
    Pace { work: Limits { bytes: bytes.min(pace.work.bytes), ..pace.work }, ..*pace }
}

/// What a change of a group would make of a device's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// As the device says it (`show | compare`), secrets and all; empty where nothing is to be changed.
    pub text: String,
    /// How many lines would come.
    pub added: usize,
    /// How many would go.
    pub removed: usize,
}

/// What changes of groups would make of a device, each by itself, in their order; of one that the device does not take, why
/// not. The candidate is locked for it, and given back as it was.
///
/// All of it together has no more bytes than [`room_for`] what is told.
///
/// # Errors
/// The device is not reached, is no Junos, says too much, or its configuration is not free: what an attempt to change it fails
/// with.
pub async fn differences(
    login: &Login,
    pace: &Pace,
    changes: &[(String, GroupChange)],
) -> Result<Vec<Result<Difference, Failure>>, Failure> {
    let course = Course { login, pace };
    let mut talk = course.talk().await?;
    let told = match course.lock(&mut talk.session).await {
        Ok(()) => {
            let told = all(&mut talk.session, pace, changes).await;
            course.unlock(&mut talk.session).await;
            told
        }
        Err(failure) => Err(failure),
    };
    course.leave(talk).await;
    told
}

async fn all(
    session: &mut Session,
    pace: &Pace,
    changes: &[(String, GroupChange)],
) -> Result<Vec<Result<Difference, Failure>>, Failure> {
    let mut told = Vec::with_capacity(changes.len());
    let mut room = room_of(changes.iter().map(|(_, change)| change));
    for (group, change) in changes {
        let one = match check(group, change) {
            Ok(()) => {
                let one = one(session, &bounded(pace, room), group, change).await;
                one.map_err(|failure| without(failure, change))
            }
            Err(message) => Err(failure(FailureClass::Refused, message)),
        };
        match one {
            Err(failure) if failure.class != FailureClass::Refused => return Err(failure),
            one => {
                let len = one.as_ref().map_or(0, |one| one.text.len() as u64);
                room = room.saturating_sub(len);
                told.push(one);
            }
        }
    }
    Ok(told)
}

fn check(group: &str, change: &GroupChange) -> Result<(), String> {
    syntax::check_name(group)?;
    match change {
        GroupChange::Put { text } => syntax::check_text(text),
        GroupChange::Remove => Ok(()),
    }
}

async fn one(session: &mut Session, pace: &Pace, group: &str, change: &GroupChange) -> Result<Difference, Failure> {
    let discarded = session.call(Request::discard_changes(), &pace.answer).await;
    discarded.map_err(|error| failed("what is left in its candidate stays there", &error))?;
    let (how, text) = load::of(group, change);
    loaded(session, pace, junos::load_configuration(how, Body::text(text.as_bytes()))).await?;
    compared(session, pace).await
}

/// Has the candidate loaded with something.
///
/// INVARIANT (what is not said is not done): a reply with nothing in it, or without what was asked for, says nothing.
pub(super) async fn loaded(session: &mut Session, pace: &Pace, request: Request<'_>) -> Result<(), Failure> {
    let loaded = session.ask(request, Part::TextOf("load-error-count"), &pace.work).await;
    let (reply, errors) = loaded.map_err(|error| failed("it does not take the group", &error))?;
    let has_failed = !reply.is_ok && !matches!(errors.trim(), "" | "0");
    match reply.has_answer && !has_failed {
        true => Ok(()),
        false => Err(unsaid("whether it takes the group")),
    }
}

/// It is not told what was asked for.
pub(super) fn unsaid(what: &str) -> Failure {
    failure(FailureClass::Garbled, format!("the device does not say {what}"))
}

/// What the candidate changes.
pub(super) async fn compared(session: &mut Session, pace: &Pace) -> Result<Difference, Failure> {
    let compared = session.ask(junos::compare(0), Part::TextOf("configuration-output"), &pace.work).await;
    let (reply, text) = compared.map_err(|error| match error {
        Error::TooMuch(most) => {
            let words = format!("what it says that would change has more than {most} bytes: nothing is changed");
            failure(FailureClass::Garbled, words)
        }
        error => failed("it does not tell the difference", &error),
    })?;
    if !reply.has_part {
        return Err(unsaid("what is different"));
    }
    if text.trim().is_empty() {
        return Ok(Difference::default());
    }
    let (added, removed) = load::count(&text);
    Ok(Difference { text, added, removed })
}

/// What a device has of groups, as it writes them, and which groups it applies: `groups { .. }` and `apply-groups`, the
/// former once for some groups each. What it does not have is left out. All of it together has no more bytes than the work at
/// this pace may bring.
///
/// # Errors
/// The device is not reached, is no Junos, or does not hand its configuration out.
pub async fn held(login: &Login, pace: &Pace, groups: &[String]) -> Result<Vec<String>, Failure> {
    for group in groups {
        syntax::check_name(group).map_err(|message| failure(FailureClass::Refused, message))?;
    }
    let course = Course { login, pace };
    let mut talk = course.talk().await?;
    let read = read(&mut talk, pace, groups).await;
    course.leave(talk).await;
    read
}

async fn read(talk: &mut Talk, pace: &Pace, groups: &[String]) -> Result<Vec<String>, Failure> {
    Course::check_junos(&talk.session)?;
    let mut texts = Vec::new();
    let mut room = pace.work.bytes;
    for some in groups.chunks(GROUPS_AT_ONCE) {
        // Names of groups need no escapes.
        let mut filter: String = some.iter().map(|group| format!("<groups><name>{group}</name></groups>")).collect();
        if texts.is_empty() {
            filter += "<apply-groups/>";
        }
        let request = junos::configuration(false, Some(&filter));
        let limits = Limits { bytes: room, ..pace.work };
        match talk.session.ask(request, Part::TextOf("configuration-text"), &limits).await {
            Ok((_, text)) => {
                room = room.saturating_sub(text.len() as u64);
                texts.push(text);
            }
            Err(Error::TooMuch(_)) => {
                let words = format!("it has more of its groups than {} bytes: they are not read", pace.work.bytes);
                return Err(failure(FailureClass::Garbled, words));
            }
            Err(error @ Error::Refused { .. }) => return Err(failed("it does not hand its groups out", &error)),
            Err(error) => return Err(failed("its groups cannot be read", &error)),
        }
    }
    Ok(texts)
}

//! What one access line's device has of an activation: a configuration group of its own.

use std::borrow::Cow;
use std::ops::Bound;

use jiff::Timestamp;
use linesman_rules::Strictness;
use linesman_schemas::{OrgName, Place, PlacePath, ReactionId, ServiceName, SubscriptionName};
use serde::{Deserialize, Serialize};

use super::leaves::{self, Leaves};
use super::{STRICT, doers, drift};
use crate::desk::Desk;
use crate::state::Base;
use crate::table::{Key, Row, Table};
use crate::{Error, places};

/// What a line's device has of an activation, and is to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRow {
    /// The subscription's name.
    pub name: SubscriptionName,
    /// Where it was made.
    pub subscribed: Place,
    /// Where it was activated.
    pub activated: Place,
    /// The service.
    pub service: ServiceName,
    /// The service's version that it was rendered with last.
    pub version: String,
    /// The serial number of the device that has the group; empty where none has been told of one.
    pub device: String,
    /// The group's name there.
    pub group: String,
    /// What the device was told last that the group holds; empty where it was never told of it.
    pub text: String,
    /// What the group holds as far as the device has answered, where that is not `text`.
    pub held: Option<String>,
    /// What it is to come to.
    pub goal: Goal,
    /// How it stands.
    pub state: State,
    /// Why it failed; empty where it has not. Whoever sees the line may read it.
    pub reason: String,
    /// The same with the other side, where another line's group sets the same otherwise.
    pub conflict: Option<ConflictRow>,
    /// Whether it was the device that failed, and not what was to be told to it.
    pub is_of_device: bool,
    /// What the device has still to answer.
    pub reaction: Option<ReactionId>,
    /// When it came to stand so.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub changed: Timestamp,
    /// Where another group sets the same otherwise: whose that is, its access line and its activation.
    pub against: Option<(PlacePath, String)>,
}

/// Version 1: it did not say which activation the other one is.
#[derive(Deserialize)]
struct PartRowV1 {
    name: SubscriptionName,
    subscribed: Place,
    activated: Place,
    service: ServiceName,
    version: String,
    device: String,
    group: String,
    text: String,
    held: Option<String>,
    goal: Goal,
    state: State,
    reason: String,
    conflict: Option<ConflictRow>,
    is_of_device: bool,
    reaction: Option<ReactionId>,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    changed: Timestamp,
}

impl From<PartRowV1> for PartRow {
    fn from(row: PartRowV1) -> Self {
        let PartRowV1 { name, subscribed, activated, service, version, device, group, text, held, .. } = row;
        let PartRowV1 { goal, state, reason, conflict, is_of_device, reaction, changed, .. } = row;
        Self {
            name,
            subscribed,
            activated,
            service,
            version,
            device,
            group,
            text,
            held,
            goal,
            state,
            reason,
            conflict,
            is_of_device,
            reaction,
            changed,
            against: None,
        }
    }
}

/// What two sides set differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictRow {
    /// The line of the other side.
    pub line: PlacePath,
    /// Both, in words.
    pub told: String,
}

impl PartRow {
    /// What the group is to hold; empty where it is to go.
    pub fn to_hold(&self) -> &str {
        if self.goal == Goal::On { &self.text } else { "" }
    }

    /// What it counts as setting: what the device is being told, or else what that has.
    pub(super) fn sets(&self) -> &str {
        if self.reaction.is_some() { self.to_hold() } else { self.on_device() }
    }

    /// What the group holds, as far as the device has answered.
    pub fn on_device(&self) -> &str {
        self.held.as_deref().unwrap_or(&self.text)
    }

    /// Whether its group is being taken out of the device, or could not be.
    pub(super) fn is_leaving(&self) -> bool {
        self.goal != Goal::On && !self.group.is_empty()
    }

    /// Why it failed, in words for whoever sees what `sees` says.
    pub fn told(&self, sees: impl Fn(&Place) -> bool) -> &str {
        shown(&self.reason, self.conflict.as_ref(), sees)
    }

    pub(super) fn without_reason(self) -> Self {
        Self { reason: String::new(), conflict: None, against: None, is_of_device: false, ..self }
    }
}

/// What is wrong: with the other side for whoever sees its line, otherwise without.
pub(super) fn shown<'a>(told: &'a str, conflict: Option<&'a ConflictRow>, sees: impl Fn(&Place) -> bool) -> &'a str {
    let seen = conflict.filter(|conflict| sees(&Place::Below(conflict.line.clone())));
    seen.map_or(told, |conflict| &conflict.told)
}

/// What a part is to come to. Stored by its place: a new one is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Goal {
    /// The device has the group.
    On,
    /// It does not, for now: its activation stands.
    Off,
    /// It does not, and then the part goes.
    Gone,
}

/// How a part stands. Stored by its place: a new one is added at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// The device has still to answer.
    Pending,
    /// The device has the group as it is to be.
    Active,
    /// It does not, and nothing is under way: [`PartRow::reason`].
    Failed,
    /// It is not to have it now.
    Inactive,
}

impl State {
    /// All of them, in the order of [`State::as_str`]'s words as users list them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Failed, Self::Inactive];

    /// The word that users read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Failed => "failed",
            Self::Inactive => "inactive",
        }
    }
}

/// A configuration group on a device: whose it is and what it sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// Of which access line.
    pub line: PlacePath,
    /// Of which activation.
    pub activation: String,
    /// The leaves that it sets: hashes of which leaf it is and of its value, in their order. None where it is being taken
    /// out, or never came to be.
    pub leaves: Vec<(u64, u64)>,
    /// Whether it is kept out by what another group sets.
    pub is_blocked: bool,
    /// How its leaves are told apart.
    #[serde(with = "Told")]
    pub strictness: Strictness,
}

/// Version 1: leaves were told apart by the names of statements alone.
#[derive(Serialize, Deserialize)]
struct GroupRowV1 {
    line: PlacePath,
    activation: String,
    leaves: Vec<(u64, u64)>,
    is_blocked: bool,
}

/// As it is stored. By its place: a new word is added at the end.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Strictness")]
enum Told {
    Early,
    Full,
    Utmost,
}

impl Row for PartRow {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            1 => postcard::from_bytes::<PartRowV1>(bytes).map(Self::from),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    /// All but the words for people, and whom they name.
    fn form<'a>(&self, _level: u32, _stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        let Self { name, subscribed, activated, service, version, device, group, text, held, .. } = self;
        let Self { goal, state, conflict, is_of_device, reaction, changed, .. } = self;
        let line = conflict.as_ref().map(|conflict| &conflict.line);
        let what = (name, subscribed, activated, service, version);
        let how = (goal, state, line, is_of_device, reaction, changed.as_nanosecond());
        let form = postcard::to_stdvec(&(what, (device, group, text, held), how));
        form.map(Cow::Owned).map_err(Error::Encode)
    }
}
impl Row for GroupRow {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Self, postcard::Error> {
        match version {
            1 => postcard::from_bytes::<GroupRowV1>(bytes).map(Self::from),
            _ => Err(postcard::Error::DeserializeBadEncoding),
        }
    }

    fn form<'a>(&self, level: u32, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
        if level >= STRICT {
            return Ok(Cow::Borrowed(stored));
        }
        let Self { line, activation, leaves, is_blocked, .. } = self.clone();
        let form = postcard::to_stdvec(&GroupRowV1 { line, activation, leaves, is_blocked });
        form.map(Cow::Owned).map_err(Error::Encode)
    }
}

impl From<GroupRowV1> for GroupRow {
    fn from(row: GroupRowV1) -> Self {
        let GroupRowV1 { line, activation, leaves, is_blocked } = row;
        Self { line, activation, leaves, is_blocked, strictness: Strictness::Early }
    }
}

/// The table of parts, by line and activation.
pub const PARTS: Table<PartRow> = Table::new(b'Y');
/// The table of groups, by device.
pub const GROUPS: Table<GroupRow> = Table::new(b'L');

/// A part's key.
pub fn key(line: &PlacePath, id: &str) -> Key<PartRow> {
    let (org, within) = (line.organization.as_str(), places::within(line));
    PARTS.key(&[org, &within], id.as_bytes())
}

/// A group's key.
pub fn group_key(org: &OrgName, device: &str, group: &str) -> Key<GroupRow> {
    GROUPS.key(&[org.as_str(), device], group.as_bytes())
}

/// The parts of a line, by their activations' ids.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn at<'a, B: Base + ?Sized>(
    base: &'a B,
    line: &PlacePath,
) -> impl Iterator<Item = Result<(String, PartRow), Error>> + use<'a, B> {
    let rows = PARTS.rows(base, &[line.organization.as_str(), &places::within(line)]);
    rows.map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// The front of the keys of an organization's parts, from their own keys' beginning on.
pub fn below(org: &OrgName, own: &[u8]) -> Vec<u8> {
    PARTS.prefix(&[org.as_str()], own)
}

/// The front of the keys of the parts of an access line, or of all lines of a site.
pub fn under(place: &PlacePath) -> Vec<u8> {
    let end = if place.line.is_some() { '\0' } else { '/' };
    below(&place.organization, format!("{}{end}", places::within(place)).as_bytes())
}

/// The id under which a part stays that a device is to lose because its line has left it: of several one after the other.
pub(super) fn rest_id(id: &str, number: u32) -> String {
    format!("{id}~{number}")
}

/// Whether a part is such a rest.
pub fn is_rest(id: &str) -> bool {
    id.contains('~')
}

/// Whether lines of an organization have any.
///
/// # Errors
/// The base cannot be read.
pub(crate) fn has_any(base: &(impl Base + ?Sized), org: &OrgName) -> Result<bool, Error> {
    let front = below(org, &[]);
    Ok(base.first(Bound::Included(&front), &front)?.is_some())
}

/// The line and the activation of a part's own key behind the organization's.
pub fn line_and_id(org: &OrgName, own: &[u8]) -> Option<(PlacePath, String)> {
    let (within, id) = std::str::from_utf8(own).ok()?.split_once('\0')?;
    Some((places::path(org, within)?, id.to_owned()))
}

/// The groups of a device, by name.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn groups_of<'a, B: Base + ?Sized>(
    base: &'a B,
    org: &OrgName,
    device: &str,
) -> impl Iterator<Item = Result<(String, GroupRow), Error>> + use<'a, B> {
    let rows = GROUPS.rows(base, &[org.as_str(), device]);
    rows.map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// A device has answered on a group: it is as it was told, or why not. The lines that are to be rendered anew.
pub(crate) fn settle(
    desk: &mut Desk,
    leaves: &mut Leaves,
    org: &OrgName,
    (device, group): (&str, &str),
    reaction: &ReactionId,
    answer: Result<(), String>,
) -> Result<Vec<PlacePath>, Error> {
    let on = (org, device, group);
    let Some(owner) = desk.read(&group_key(org, device, group))? else { return Ok(Vec::new()) };
    let key = key(&owner.line, &owner.activation);
    let part = desk.read(&key)?.filter(|part| part.reaction.as_ref() == Some(reaction));
    let Some(mut part) = part else { return Ok(Vec::new()) };
    (part.reaction, part.changed) = (None, desk.now);
    let mut anew = Vec::new();
    match (answer, part.goal) {
        (Err(reason), _) => {
            // It holds what it held, and that counts again.
            let strictness = leaves::strictness(desk);
            let sets = leaves::of_text(part.on_device(), strictness);
            anew = leaves.put(desk, on, &GroupRow { leaves: sets, strictness, ..owner })?;
            (part.state, part.reason, part.is_of_device) = (State::Failed, reason, true);
            (part.conflict, part.against) = (None, None);
        }
        (Ok(()), Goal::On) => {
            drift::settled(desk, org, device, group)?;
            part.held = None;
            // What it could not be told since stays said.
            if part.state == State::Pending {
                (part.state, part.reason) = (State::Active, String::new());
                doers::forget(desk, &owner.line, &owner.activation)?;
            }
        }
        (Ok(()), Goal::Gone) => {
            desk.remove(key);
            return leaves.remove(desk, on);
        }
        (Ok(()), Goal::Off) => {
            anew = leaves.remove(desk, on)?;
            (part.device, part.group, part.text, part.held) = (String::new(), String::new(), String::new(), None);
            // It was wanted again meanwhile, and could not be.
            let is_wanted = !part.reason.is_empty();
            part.state = if is_wanted { State::Failed } else { State::Inactive };
            anew.extend(is_wanted.then(|| owner.line.clone()));
        }
    }
    desk.write(key, &part)?;
    Ok(anew)
}

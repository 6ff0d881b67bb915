//! Activations: subscriptions become configuration of the devices of access lines.
//!
//! ```text
//! X <organization> <place within it> <name> <id>   ActivationRow   what is to be, at a place and below
//! O <organization> <place within it> <name>        CutRow          what was activated above ends there
//! Y <organization> <line within it> <id>           PartRow         what of it one line's device has
//! > <organization> ...                             PushRow         changes on their way to devices: `pushes`
//! L <organization> <device> <group>                GroupRow        whose a configuration group is, and what it sets
//! < <organization> <device> <group>                DriftRow        what a device was found to have otherwise
//! ```
//!
//! A subscription that is active is an activation itself, at its own place and without values of its own; it has a
//! row only where it has a schedule. What was activated besides has one always.
//!
//! ```text
//! wanted      which activations count at a line, from its path's rows
//! make        what each of them comes to there, rendered
//! drafts      by two threads where there are many
//! render      held against what the line's device has and against what others set on it, and said to the device
//! rehearsal   the same before anything is taken in
//! sample      at which lines, where there are many
//! parts       what the device has, what it was told, what it said
//! pushes      what devices said of changes
//! doers       by whose doing they are to change
//! waves       which devices are told first where there are many
//! drift       what it has otherwise than it was told, and what is done about it
//! recorded    what becomes of them, on record
//! origins     from which parameters come the values that stand in it
//! ids         by what they are known
//! ```
//!
//! An activation's id says what it is, and not when it was made: the same subscriptions, made in whatever order, are the
//! same groups on the same devices.

pub(crate) mod doers;
mod drafts;
pub mod drift;
pub(crate) mod held;
mod ids;
pub(crate) mod leaves;
pub(crate) mod make;
pub mod origins;
pub mod parts;
pub mod pushes;
pub mod recorded;
pub(crate) mod rehearsal;
pub(crate) mod render;
pub(crate) mod sample;
pub mod wanted;
pub mod waves;

pub use ids::id;
pub(crate) use ids::{BESIDE, give_way, is_of, own_row, standing};
use jiff::Timestamp;
use linesman_schemas::schedule::Schedule;
use linesman_schemas::{OrgName, Place, SubscriptionName};
use serde::{Deserialize, Serialize};

use super::Error;
use super::ahead::Ahead;
use super::desk::Desk;
use super::schedules::Calendar;
use super::state::Base;
use super::table::{Key, Row, Table};
use super::timers;
use super::values::{self, Given};
use super::{places, subscriptions};

/// From which engine level on there are activations.
pub const LEVEL: u32 = 5;
/// From which engine level on what is to count later is held against what counts always, whichever comes first; what never
/// counts again is not; and no two lines' groups have one name.
pub(crate) const FORESEEN: u32 = 6;
/// The level from which slices of lines are small.
pub(crate) const PACED: u32 = 7;
/// The level from which what is rendered is looked at strictly.
pub(crate) const STRICT: u32 = 7;
/// The level from which it is looked at as `docs/values.md` says now.
pub(crate) const UTMOST: u32 = 9;
/// The level from which slices of lines are larger while nobody else is there.
pub(crate) const ALONE: u32 = 8;
/// From which engine level on of many lines those are rehearsed too that something tells from others, it is told where not all
/// are, and a rollout is held against lines and values before it begins.
pub(crate) const REHEARSED: u32 = 8;
/// How many activations of one subscription there may be at one place.
pub const ACTIVATIONS_MOST: usize = 1_000;

/// An activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationRow {
    /// Of which subscription: [`SubscriptionRow::number`](super::subscriptions::SubscriptionRow::number).
    pub number: u64,
    /// The values given with it.
    pub substitutions: Vec<Given>,
    /// When it counts; none: always.
    pub schedule: Option<Schedule>,
    /// Whether it counts now.
    pub is_enabled: bool,
    /// When that changes next.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    pub changes: Option<Timestamp>,
    /// By whom it was made, as people read it.
    pub by: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
}

/// That nothing of a subscription that was activated above a place reaches what lies there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutRow {
    /// Of which subscription.
    pub number: u64,
    /// By whom it was made, as people read it.
    pub by: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::required")]
    pub at: Timestamp,
}

impl ActivationRow {
    /// Whether it never counts again: its schedule is over.
    pub const fn is_over(&self) -> bool {
        self.schedule.is_some() && !self.is_enabled && self.changes.is_none()
    }
}

impl Row for ActivationRow {}
impl Row for CutRow {}

/// The table of activations.
pub const ACTIVATIONS: Table<ActivationRow> = Table::new(b'X');
/// The table of where activations of above end.
pub const CUTS: Table<CutRow> = Table::new(b'O');
/// What the keys of its rows end with: nothing ends at the access line where it was made.
const MARKS: [&str; 2] = ["", ":site"];

/// An activation's key.
pub fn key(place: &Place, name: &SubscriptionName, id: &str) -> Key<ActivationRow> {
    let (org, within) = places::own(place);
    ACTIVATIONS.key(&[org, &within, name.as_str()], id.as_bytes())
}

/// The key of where activations of a subscription from above end: of one that was made at a site, from
/// [`APART`](crate::values::APART) on, one of its own beside that of an organization's.
fn cut_key(place: &Place, name: &SubscriptionName, mark: &str) -> Key<CutRow> {
    let (org, within) = places::own(place);
    CUTS.key(&[org, &within], format!("{name}{mark}").as_bytes())
}

/// Whether activations of the subscription of a number end at a place.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn is_cut(
    base: &(impl Base + ?Sized),
    place: &Place,
    name: &SubscriptionName,
    number: u64,
) -> Result<bool, Error> {
    for mark in MARKS {
        if Table::read(base, &cut_key(place, name, mark))?.is_some_and(|cut| cut.number == number) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Activations of a subscription that was made at `made` end at a place from here on.
///
/// # Errors
/// The row has no form.
pub(crate) fn cut(
    desk: &mut Desk,
    place: &Place,
    (name, made): (&SubscriptionName, &Place),
    row: &CutRow,
) -> Result<(), Error> {
    let mark = if desk.is_at(values::APART) { subscriptions::mark(made) } else { "" };
    desk.write(cut_key(place, name, mark), row)
}

/// Activations of the subscription of a number end at a place no more.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn uncut(desk: &mut Desk, place: &Place, name: &SubscriptionName, number: u64) -> Result<(), Error> {
    for mark in MARKS {
        let key = cut_key(place, name, mark);
        if desk.read(&key)?.is_some_and(|cut| cut.number == number) {
            desk.remove(key);
        }
    }
    Ok(())
}

/// The activations of a name that were made at a place itself, by id.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn at<'a, B: Base + ?Sized>(
    base: &'a B,
    place: &Place,
    name: &SubscriptionName,
) -> impl Iterator<Item = Result<(String, ActivationRow), Error>> + use<'a, B> {
    let (org, within) = places::own(place);
    let rows = ACTIVATIONS.rows(base, &[org, &within, name.as_str()]);
    rows.map(|row| row.map(|(own, row)| (String::from_utf8_lossy(&own).into_owned(), row)))
}

/// All activations that were made at a place itself, with the names of their subscriptions.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all_at<'a, B: Base + ?Sized>(
    base: &'a B,
    place: &Place,
) -> impl Iterator<Item = Result<(SubscriptionName, String, ActivationRow), Error>> + use<'a, B> {
    let (org, within) = places::own(place);
    ACTIVATIONS.rows(base, &[org, &within]).filter_map(|row| {
        row.map(|(own, row)| {
            let (name, id) = std::str::from_utf8(&own).ok()?.split_once('\0')?;
            Some((name.parse().ok()?, id.to_owned(), row))
        })
        .transpose()
    })
}

/// Where activations of above end at a place itself, by the name of their subscription.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn cuts_at<'a, B: Base + ?Sized>(
    base: &'a B,
    place: &Place,
) -> impl Iterator<Item = Result<(SubscriptionName, CutRow), Error>> + use<'a, B> {
    let (org, within) = places::own(place);
    let rows = CUTS.rows(base, &[org, &within]);
    rows.filter_map(|row| {
        row.map(|(own, row)| {
            let own = std::str::from_utf8(&own).ok()?;
            Some((own.split_once(':').map_or(own, |(name, _)| name).parse().ok()?, row))
        })
        .transpose()
    })
}

/// All activations of an organization that have a row: where, of which name, and by which id.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub fn all<'a>(
    base: &'a (impl Base + ?Sized),
    org: &'a OrgName,
) -> impl Iterator<Item = Result<(Place, SubscriptionName, String, ActivationRow), Error>> + 'a {
    ACTIVATIONS.rows(base, &[org.as_str()]).filter_map(move |row| {
        row.map(|(own, row)| {
            let (place, name, id) = place_name_id(org, &own)?;
            Some((place, name, id, row))
        })
        .transpose()
    })
}

/// The activations that have a row and were made at a place, above it, or below it.
///
/// # Errors
/// The base cannot be read, or a row of it.
pub(crate) fn about<'a>(
    base: &'a (impl Base + ?Sized),
    place: &Place,
) -> impl Iterator<Item = Result<(Place, SubscriptionName, String, ActivationRow), Error>> + 'a {
    let path = std::iter::successors(Some(place.clone()), Place::parent);
    let path = path.filter(|place| *place != Place::Provider).flat_map(move |at| {
        let rows = all_at(base, &at);
        rows.map(move |row| row.map(|(name, id, row)| (at.clone(), name, id, row)))
    });
    let below = place.organization().cloned().map(|org| {
        let front = match place {
            Place::Below(path) => ACTIVATIONS.prefix(&[org.as_str()], format!("{}/", places::within(path)).as_bytes()),
            Place::Organization(_) | Place::Provider => ACTIVATIONS.prefix(&[org.as_str()], &[]),
        };
        let place = place.clone();
        Table::<ActivationRow>::scan(base, front).filter_map(move |row| {
            row.and_then(|(key, bytes)| {
                let own = std::str::from_utf8(ACTIVATIONS.own(&key)).ok().and_then(|own| own.split_once('\0'));
                let Some((at, name, id)) = own.and_then(|(_, rest)| place_name_id(&org, rest.as_bytes())) else {
                    return Ok(None);
                };
                let is_below = at != place;
                Ok(if is_below { Some((at, name, id, crate::table::decode(&key, &bytes)?)) } else { None })
            })
            .transpose()
        })
    });
    path.chain(below.into_iter().flatten())
}

/// What an own key behind the organization's name says.
fn place_name_id(org: &OrgName, own: &[u8]) -> Option<(Place, SubscriptionName, String)> {
    let mut texts = std::str::from_utf8(own).ok()?.splitn(3, '\0');
    let (within, name, id) = (texts.next()?, texts.next()?, texts.next()?);
    Some((places::at(org, within)?, name.parse().ok()?, id.to_owned()))
}

/// The fronts of the keys of all that was activated, or ends, at a place itself.
pub(crate) fn fronts(place: &Place) -> [Vec<u8>; 2] {
    let (org, within) = places::own(place);
    [ACTIVATIONS.prefix(&[org, &within], &[]), CUTS.prefix(&[org, &within], &[])]
}

/// An activation goes, and nothing is waited for of it.
///
/// # Errors
/// The state cannot be read, or the row.
pub(crate) fn remove(desk: &mut Desk, (place, name, id): (&Place, &SubscriptionName, &str)) -> Result<(), Error> {
    let key = key(place, name, id);
    disarm(desk, &key)?;
    desk.remove(key);
    Ok(())
}

/// What the row under a key waits for it waits for no more.
fn disarm(desk: &mut Desk, key: &Key<ActivationRow>) -> Result<(), Error> {
    match desk.read(key)?.and_then(|row| row.changes) {
        Some(due) => timers::disarm(desk, due, &timers::Timer::Activation(key.as_bytes())),
        None => Ok(()),
    }
}

/// Where activations of above end at a place: what is of subscriptions that are no more goes.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn forget_cuts((desk, ahead): (&mut Desk, &Ahead), place: &Place) -> Result<(), Error> {
    let cuts: Vec<_> = cuts_at(&ahead.of(desk.state()), place).collect::<Result<_, _>>()?;
    for (name, cut) in cuts {
        // One that another takes the place of below counts again when that goes.
        let (mut next, mut stands) = (Some(place.clone()), false);
        while let Some(at) = next.filter(|at| !stands && *at != Place::Provider) {
            stands = desk.read(&subscriptions::key(&at, &name))?.is_some_and(|row| row.number == cut.number);
            next = at.parent();
        }
        if !stands {
            uncut(desk, place, &name, cut.number)?;
        }
    }
    Ok(())
}

/// Writes an activation as its schedule has it now, and wakes up when that changes.
///
/// # Errors
/// The state cannot be read, or the row has no form.
pub(crate) fn keep(
    desk: &mut Desk,
    (place, name, id): (&Place, &SubscriptionName, &str),
    mut row: ActivationRow,
) -> Result<(), Error> {
    give_way(desk, (place, name, id), row.number)?;
    let key = key(place, name, id);
    disarm(desk, &key)?;
    // A schedule that the calendar refuses was never taken in.
    let calendar = row.schedule.as_ref().and_then(|schedule| Calendar::of(schedule, "/schedule").ok());
    if let Some(calendar) = calendar {
        let standing = calendar.at(desk.now);
        // A row holds moments until 2262, and is not read with a later one: none is waited for.
        let changes = standing.changes.filter(|changes| i64::try_from(changes.as_nanosecond()).is_ok());
        (row.is_enabled, row.changes) = (standing.is_enabled, changes);
    }
    if let Some(due) = row.changes {
        timers::arm_at(desk, due, &timers::Timer::Activation(key.as_bytes()))?;
    }
    desk.write(key, &row)
}

/// A schedule's moment has come: where the row stands as it was then, it stands as it is from now on. The place whose lines
/// it is about.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn wake(desk: &mut Desk, key: &[u8], due: Timestamp) -> Result<Option<Place>, Error> {
    let own = std::str::from_utf8(ACTIVATIONS.own(key)).ok();
    let Some((org, rest)) = own.and_then(|own| own.split_once('\0')) else { return Ok(None) };
    let Ok(org) = org.parse::<OrgName>() else { return Ok(None) };
    let Some((place, name, id)) = place_name_id(&org, rest.as_bytes()) else { return Ok(None) };
    let row = desk.read(&self::key(&place, &name, &id))?;
    let Some(row) = row.filter(|row| row.changes == Some(due)) else { return Ok(None) };
    keep(desk, (&place, &name, &id), ActivationRow { changes: None, ..row })?;
    Ok(Some(place))
}

//! Engine levels: a release that decides otherwise raises the level, and a log keeps the one it has.
//!
//! A lane decides at the level in its state, whatever the program's newest is; `Control::Level` raises it, from
//! the input behind it on. So an upgrade decides an old log as it was decided, and the raise is a decision of
//! people's that stands in the log.
//!
//! | level | what it changed |
//! |---|---|
//! | 1 | - |
//! | 2 | the digest covers rows, and no text for people; the rule book comes in sections, which lane 0 composes; work over many rows is cut into slices; commands are audited where there is no organization, and name their principal; dead letters of policies and reactions name the input that brought them; a case's receipt is kept when its answer is older than what is known |
//! | 3 | who may what is decided by what managers were granted; what was done and what was refused is recorded in the audit's trees; policies hear of audits |
//! | 4 | services: the rule book has them, and each lane keeps their versions; values and subscriptions at places, which go with their place |
//! | 5 | a place that goes is taken out of spheres of the provider's people and of API tokens, and none of its name is made before; whom a manager granted anything that is gone is written down as its granter's, and the gone one forgotten; activations: subscriptions become configuration of devices; audit events of sections of the rule book are called as their records are, `load-<section>`; a change of what a node's log tells goes on record |
//! | 6 | what is activated by a schedule is held against what others set that is certain to count then, and no more counts once it is over; groups of two lines never have one name; a place is not set so that two meet on a device; values are held against the lines below, names that places tell are not declared, and a declaration stays while something below is given of it; of several lines a policy means the one whose addresses hold what it gives; of two rollouts of a service at once the later is refused; refusals do not tell what is fixed and hidden; the cascade: end customers report cases, which are sent on or solved here, told below and above; how the installation is connected is in the rule book: there are proxy organizations in mode `partner` alone, and bundles of more than 5 devices of mode `demo` are dead letters |
//! | 7 | lines are rendered in slices of 4; what a load of policies, services, settings or the installation changed is on record when it is taken up, by name and with what was before; what was refused early is on record with what it was about; a login, and another password, forget what was refused before it, be it told late; what was refused is forgotten after a quarter of an hour without another, and with the lock-out it led to; lock-outs without a name are on record as how many they were; the texts of a case leave at every filter level that lets any out, with what the level holds back taken out, secrets at all of them; what they come to is in no digest; that the licence, or a certificate between partner and end customer, runs out is told, and the provider's triggers are judged by policies of everyone's; what another mode alone has is refused; an end customer that closes what is closed, or reopens what is open, is answered as if it were done; what one upstream has taken another is told nothing of; uploads: the bundle of a case that the upstream has goes there too, and what end customers have uploaded with theirs; an attempt that asked nobody says nothing of its destination; values are acquired by the second edition of the rules of values: constraints reach the names that parameters have below, what places tell is nobody's to declare, types are held where they are written, an empty list is no value of what is required; what would break below is told once; two activations that set one leaf differently are told by where statements stand and not by their names alone; a template that compares unlike values fails; a place that goes is taken out of what those who are gone left to groups |
//! | 8 | slices of lines are larger while nobody else is there; in which device group a device is, whoever sees it by that, the organization says as it is now, not as it was at the device's latest bundle; to say which device serves a place takes the right `devices`, and a device that is seen; nobody removes a place that their own sphere names, or that of one above them, and what hangs on a place is not on record where that is refused; another's password is set by whoever has all that the other was granted, in effect or not; a name that somebody has who is not seen is judged as one that nobody has, until nothing else is wrong; ids of commands tell managers of one name apart; what a group is tied to anew is not held back by what somebody had who is gone: it is their heir's; a rollout is refused for values that it would break and for two that would then set the same differently, unless it is forced; of a place with more than 200 access lines those are rehearsed too where something stands that tells them from others, and two of each device that has several; what is not looked at beforehand is told; a subscription is not removed where two would then set the same differently; the newest snapshot of each device goes to the upstream at the interval of its organization; the audit shows all that is set of an organization; what is tried while an upstream is away keeps its place; uploads have a destination of their own beside the cases of their upstream, with a circuit and attempts of their own: one that got on is no failure, strains nobody and gives it its time again, and one that was broken off here says nothing; what is kept goes on as soon as it may, without news of its case; what end customers have uploaded with a case is released some time after its end; a case keeps whether it was opened as a test; on record are changed credentials of end customers, tries of the way to the upstream, pseudonyms undone, and which certificate of the upstream is believed |
//! | 9 | PENDING |
//!
//! A level's code stays as long as logs of it may be decided again. It goes with a release that says so, once
//! every log has a snapshot at a later level to begin from.

use std::ops::RangeInclusive;

use super::Error;

/// The levels this program decides at.
pub const LEVELS: RangeInclusive<u32> = OLDEST..=NEWEST;
/// The level of a log that says nothing of levels.
pub const OLDEST: u32 = 1;
/// The level that a new log begins with.
pub const NEWEST: u32 = 9;

/// Whether this program decides at a level.
///
/// # Errors
/// It does not; the error names what would.
pub fn check(found: u32) -> Result<(), Error> {
    if LEVELS.contains(&found) {
        return Ok(());
    }
    Err(Error::Level { found, oldest: OLDEST, newest: NEWEST })
}

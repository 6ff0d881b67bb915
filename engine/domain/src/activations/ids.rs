//! By what activations are known.
//!
//! From the engine level [`BESIDE`] on, what is activated at a place of a subscription that was made above it is known by
//! where that was made too: what the place's own one of that name has activated with the same values stands beside it.
//! What was activated before the level keeps its id, and gives way only where the own one's comes to have it.

use linesman_schemas::{Place, SubscriptionName};
use sha2::{Digest, Sha256};

use super::{ActivationRow, keep, key, remove};
use crate::Error;
use crate::desk::Desk;
use crate::subscriptions;

/// From which engine level on activations of a place's own subscription and of the one that it inherits are told apart.
pub(crate) const BESIDE: u32 = 10;
/// How many characters of a hash are in an activation's id.
const ID_LENGTH: usize = 12;

/// By what an activation is known: its subscription's name, and the first twelve hexadecimal digits of SHA-256 over where
/// it was made, that name, and the values given with it in the order of their texts, each behind its length. So at the
/// place where its subscription was made; what was activated further below has such an id from before level 10.
pub fn id<'a>(place: &Place, name: &SubscriptionName, substitutions: impl IntoIterator<Item = &'a str>) -> String {
    hashed((place, name), name.as_str(), substitutions)
}

/// By what an activation of a subscription that was made above the place is known: instead of the name there is what the
/// name and that place are together, with a `:` between them.
fn inherited_id<'a>(
    (place, name, made): (&Place, &SubscriptionName, &Place),
    substitutions: impl IntoIterator<Item = &'a str>,
) -> String {
    hashed((place, name), &format!("{name}:{made}"), substitutions)
}

fn hashed<'a>(
    (place, name): (&Place, &SubscriptionName),
    subscription: &str,
    substitutions: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut texts: Vec<&str> = substitutions.into_iter().collect();
    texts.sort_unstable();
    let mut hasher = Sha256::new();
    for text in [place.to_string().as_str(), subscription].into_iter().chain(texts) {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{}", digest.get(..ID_LENGTH).unwrap_or(&digest))
}

/// Whether an id is that of an activation with these values at a place of a subscription that was made at `made`, given
/// at whichever level.
pub(crate) fn is_of(
    id: &str,
    (place, name, made): (&Place, &SubscriptionName, &Place),
    substitutions: &[String],
) -> bool {
    let texts = || substitutions.iter().map(String::as_str);
    id == self::id(place, name, texts()) || (made != place && id == inherited_id((place, name, made), texts()))
}

/// The activation with these values at a place of the subscription of a number that was made at `made`, where there is
/// one, and the id that it has or is to have.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn standing(
    desk: &Desk,
    (place, name): (&Place, &SubscriptionName),
    (made, number): (&Place, u64),
    substitutions: &[&str],
) -> Result<(String, Option<ActivationRow>), Error> {
    let texts = || substitutions.iter().copied();
    let early = id(place, name, texts());
    let row = desk.read(&key(place, name, &early))?.filter(|row| row.number == number);
    if row.is_some() || made == place || !desk.is_at(BESIDE) {
        return Ok((early, row));
    }
    let id = inherited_id((place, name, made), texts());
    let row = desk.read(&key(place, name, &id))?.filter(|row| row.number == number);
    Ok((id, row))
}

/// The row of a subscription that is active by itself, where it has a schedule.
///
/// # Errors
/// The state cannot be read, or the row.
pub(crate) fn own_row(
    desk: &Desk,
    (place, name): (&Place, &SubscriptionName),
    number: u64,
) -> Result<Option<ActivationRow>, Error> {
    let row = desk.read(&key(place, name, &id(place, name, [])))?;
    Ok(row.filter(|row| row.number == number || !desk.is_at(BESIDE)))
}

/// What was activated before [`BESIDE`] of a subscription from above a place, and has the id that one of the place's own
/// subscription is to have, has one of its own from here on.
///
/// # Errors
/// The state cannot be read, or a row of it.
pub(crate) fn give_way(
    desk: &mut Desk,
    (place, name, id): (&Place, &SubscriptionName, &str),
    number: u64,
) -> Result<(), Error> {
    if !desk.is_at(BESIDE) {
        return Ok(());
    }
    let row = desk.read(&key(place, name, id))?.filter(|row| row.number != number);
    let Some(row) = row else { return Ok(()) };
    let mut next = place.parent().filter(|above| *above != Place::Provider);
    while let Some(made) = next {
        if desk.read(&subscriptions::key(&made, name))?.is_some_and(|above| above.number == row.number) {
            let texts = row.substitutions.iter().map(|given| given.text.as_str());
            let inherited = inherited_id((place, name, &made), texts);
            remove(desk, (place, name, id))?;
            return keep(desk, (place, name, &inherited), row);
        }
        next = made.parent().filter(|above| *above != Place::Provider);
    }
    Ok(())
}

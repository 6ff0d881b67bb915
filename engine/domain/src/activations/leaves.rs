//! What is set on devices by whose groups, so that no two set the same differently.
//!
//! What is kept is what the rows of groups say, so what is forgotten is only read again: it changes no decision.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use linesman_rules::Strictness;
use linesman_rules::configuration::{Configuration, Word};
use linesman_schemas::{OrgName, PlacePath};
use sha2::{Digest, Sha256};

use super::parts::{self, GroupRow};
use super::{STRICT, UTMOST, drift};
use crate::Error;
use crate::desk::Desk;

/// Of how many devices is kept what is set on them.
const DEVICES_MOST: usize = 64;

/// Which leaf, and its value, hashed.
pub(super) type Hashed = (u64, u64);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Leaves(BTreeMap<(OrgName, String), Device>);

/// What is set on a device.
#[derive(Debug, Default)]
struct Device {
    /// Which leaf, its value, and the number of the group.
    set: BTreeSet<(u64, u64, u32)>,
    /// The numbers of groups, by name, and back.
    numbers: BTreeMap<Rc<str>, u32>,
    names: BTreeMap<u32, Rc<str>>,
    next: u32,
    /// The lines that are kept out, by group.
    blocked: BTreeMap<Rc<str>, PlacePath>,
    /// How leaves are told apart here.
    strictness: Strictness,
    /// What groups set whose rows tell leaves apart in the early way.
    read_anew: BTreeMap<Rc<str>, Vec<Hashed>>,
}

/// The leaves of a configuration, hashed, in the order of the hashes.
pub(super) fn hashed(configuration: &Configuration, strictness: Strictness) -> Vec<Hashed> {
    let (mut hashed, mut bytes) = (Vec::new(), Vec::new());
    configuration.each_leaf(strictness, |leaf| {
        hashed.push((hash(leaf.identity(), &mut bytes), hash(leaf.value(), &mut bytes)));
    });
    hashed.sort_unstable();
    hashed
}

/// The leaves of a text that was printed from a configuration; none of an empty one.
pub(super) fn of_text(text: &str, strictness: Strictness) -> Vec<Hashed> {
    Configuration::parse(text).map(|configuration| hashed(&configuration, strictness)).unwrap_or_default()
}

/// The first eight bytes of SHA-256 over words, each behind its length; they are gathered in `bytes`.
fn hash(words: &[&Word], bytes: &mut Vec<u8>) -> u64 {
    bytes.clear();
    for word in words {
        bytes.extend_from_slice(&(word.as_str().len() as u64).to_be_bytes());
        bytes.extend_from_slice(word.as_str().as_bytes());
    }
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// How leaves are told apart.
pub(crate) fn strictness(desk: &Desk) -> Strictness {
    if desk.is_at(UTMOST) {
        Strictness::Utmost
    } else if desk.is_at(STRICT) {
        Strictness::Full
    } else {
        Strictness::Early
    }
}

impl Leaves {
    /// The groups of a device that set one of the leaves, to another value.
    pub(super) fn against(
        &mut self,
        desk: &Desk,
        (org, device): (&OrgName, &str),
        leaves: &[Hashed],
    ) -> Result<Vec<Rc<str>>, Error> {
        let known = self.device(desk, org, device)?;
        let mut found: Vec<Rc<str>> = Vec::new();
        for (leaf, value) in leaves {
            for (_, other, number) in known.set.range((*leaf, 0, 0)..=(*leaf, u64::MAX, u32::MAX)) {
                if other != value
                    && let Some(group) = known.names.get(number).filter(|group| !found.contains(group))
                {
                    found.push(Rc::clone(group));
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// What a group of this row sets.
    pub(super) fn of_group(
        &mut self,
        desk: &Desk,
        (org, device, group): (&OrgName, &str, &str),
        row: GroupRow,
    ) -> Result<Vec<Hashed>, Error> {
        let known = self.device(desk, org, device)?;
        Ok(known.read_anew.get(group).cloned().unwrap_or(row.leaves))
    }

    /// Writes what a group sets from here on. The lines that were kept out of the device so far and may come in now.
    pub(super) fn put(
        &mut self,
        desk: &mut Desk,
        (org, device, group): (&OrgName, &str, &str),
        row: &GroupRow,
    ) -> Result<Vec<PlacePath>, Error> {
        let key = parts::group_key(org, device, group);
        let before = desk.read(&key)?;
        let freed = self.device(desk, org, device)?.change(group, before.as_ref(), Some(row));
        desk.write(key, row)?;
        Ok(freed)
    }

    /// Removes a group's row. The lines that may come in now.
    pub(super) fn remove(
        &mut self,
        desk: &mut Desk,
        (org, device, group): (&OrgName, &str, &str),
    ) -> Result<Vec<PlacePath>, Error> {
        let key = parts::group_key(org, device, group);
        let before = desk.read(&key)?;
        let freed = self.device(desk, org, device)?.change(group, before.as_ref(), None);
        desk.remove(key);
        drift::forget(desk, org, device, group)?;
        Ok(freed)
    }

    fn device(&mut self, desk: &Desk, org: &OrgName, device: &str) -> Result<&mut Device, Error> {
        let key = (org.clone(), device.to_owned());
        let strictness = strictness(desk);
        // Another level may have begun since.
        if self.0.get(&key).is_none_or(|known| known.strictness != strictness) {
            if self.0.len() >= DEVICES_MOST {
                self.0.pop_first();
            }
            let mut known = Device { strictness, ..Device::default() };
            for group in parts::groups_of(desk.state(), org, device) {
                let (name, mut row) = group?;
                if row.strictness != strictness && !row.leaves.is_empty() {
                    let part = desk.read(&parts::key(&row.line, &row.activation))?;
                    row.leaves = part.map(|part| of_text(part.sets(), strictness)).unwrap_or_default();
                    known.read_anew.insert(name.as_str().into(), row.leaves.clone());
                }
                known.change(&name, None, Some(&row));
            }
            self.0.insert(key.clone(), known);
        }
        Ok(self.0.entry(key).or_default())
    }
}

impl Device {
    fn number_of(&mut self, group: &str) -> u32 {
        if let Some(number) = self.numbers.get(group) {
            return *number;
        }
        let (number, name) = (self.next, Rc::<str>::from(group));
        self.next += 1;
        self.numbers.insert(Rc::clone(&name), number);
        self.names.insert(number, name);
        number
    }

    /// A group sets what its row says, instead of what the row before said; the lines that were kept out, if that was
    /// anything.
    fn change(&mut self, group: &str, before: Option<&GroupRow>, row: Option<&GroupRow>) -> Vec<PlacePath> {
        let number = self.number_of(group);
        let read_anew = before.and_then(|_| self.read_anew.remove(group));
        let [old, new] = [before, row].map(|row| row.map(|row| row.leaves.as_slice()).unwrap_or_default());
        let old = read_anew.as_deref().unwrap_or(old);
        for (leaf, value) in old.iter().filter(|leaf| new.binary_search(leaf).is_err()) {
            self.set.remove(&(*leaf, *value, number));
        }
        self.set.extend(
            new.iter().filter(|leaf| old.binary_search(leaf).is_err()).map(|(leaf, value)| (*leaf, *value, number)),
        );
        self.blocked.remove(group);
        let freed = if old.is_empty() { Vec::new() } else { self.blocked.values().cloned().collect() };
        match row {
            Some(row) if row.is_blocked => {
                self.blocked.insert(group.into(), row.line.clone());
            }
            Some(_) => {}
            None => {
                self.numbers.remove(group);
                self.names.remove(&number);
            }
        }
        freed
    }
}

//! What lines would come to, before anything is taken in; and what two of them would set differently.

use std::collections::{BTreeMap, BTreeSet};

use linesman_rules::configuration::{Configuration, conflicts};
use linesman_schemas::PlacePath;

use super::UTMOST;
use super::leaves::{self, Leaves};
use super::make::{Failing, Made, Surroundings};
use super::parts::{self, Goal, PartRow, State as Standing};
use super::wanted::{Scope, Wish};
use crate::desk::Desk;
use crate::places::Ties;
use crate::{Error, places};

/// What lines would come to, each held against what is on devices and against those before it.
#[derive(Default)]
pub(crate) struct Rehearsal {
    made: Vec<(PlacePath, Wish, Configuration)>,
    /// By device and leaf, the first that set it and to which value, hashed.
    set: BTreeMap<(String, u64), (u64, usize)>,
    /// What is to count later and does not yet.
    foreseen: Vec<(PlacePath, Wish, Made)>,
    /// By device and leaf, those that will set it and to which value, hashed.
    will_set: BTreeMap<(String, u64), Vec<(u64, usize)>>,
}

/// How many activations that are to count later are rendered, and of how many lines of the devices: what is beyond that is
/// told when they are to count.
const FORESEEN_MOST: usize = 200;

impl Rehearsal {
    /// Takes in what is to count later on the devices of lines, also for other lines of theirs: whatever counts always is
    /// held against it.
    pub(crate) fn foresee(
        &mut self,
        desk: &Desk,
        around: &mut Surroundings<'_>,
        ties: &mut Ties,
        lines: &[PlacePath],
        scope: Scope<'_>,
    ) -> Result<(), Error> {
        let mut all: BTreeSet<PlacePath> = lines.iter().cloned().collect();
        for line in lines {
            let Some(place) = desk.read(&places::key(line))?.filter(|place| !place.device.is_empty()) else { continue };
            let Ok(device) = around.device(desk, &line.organization, &place.device)? else { continue };
            let names = [device.serial_number.as_str(), device.host_name.as_deref().unwrap_or_default()];
            let others = ties.of(desk.state(), &line.organization, names)?;
            all.extend(others.into_iter().filter(|place| place.line.is_some()).take(FORESEEN_MOST));
            if all.len() >= lines.len() + FORESEEN_MOST {
                break;
            }
        }
        for line in &all {
            let Some(place) = desk.read(&places::key(line))?.filter(|place| !place.device.is_empty()) else { continue };
            for (id, wish) in around.wishes(desk, line)? {
                if !wish.waits || scope.later == Some(&id) || self.foreseen.len() >= FORESEEN_MOST {
                    continue;
                }
                // What cannot be made says so when it is to count.
                let Ok(made) = around.make(desk, (line, &place), &wish)? else { continue };
                for (leaf, value) in &made.leaves {
                    let key = (made.device.serial_number.clone(), *leaf);
                    self.will_set.entry(key).or_default().push((*value, self.foreseen.len()));
                }
                self.foreseen.push((line.clone(), wish, made));
            }
        }
        Ok(())
    }

    /// What is wrong with the activations that count at a line: by id, with what each is about, and whether that is a
    /// conflict.
    pub(crate) fn line(
        &mut self,
        (desk, leaves): (&Desk, &mut Leaves),
        around: &mut Surroundings<'_>,
        line: &PlacePath,
        scope: Scope<'_>,
    ) -> Result<Vec<(String, Failing)>, Error> {
        let Some(place) = desk.read(&places::key(line))?.filter(|place| !place.device.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let counts = |(id, wish): &(String, Wish)| wish.is_on || wish.waits && scope.later == Some(id);
        let mut wishes: Vec<_> = around.wishes(desk, line)?.into_iter().filter(counts).collect();
        // What counts now sets what it sets first.
        wishes.sort_by_key(|(_, wish)| wish.waits);
        for (id, wish) in wishes {
            // What its group sets stands among what is on the device.
            if !scope.has(&id) && desk.read(&parts::key(line, &id))?.is_some_and(|part| part.goal == Goal::On) {
                continue;
            }
            let made = match around.make(desk, (line, &place), &wish)? {
                Ok(made) => made,
                Err(wrong) => {
                    found.push((id, wrong));
                    continue;
                }
            };
            let mut wrong = self.beside((desk, around), (line, &wish), &made)?;
            if wrong.is_none() {
                wrong = conflict((desk, leaves), around, (line, &wish), &made, &mut BTreeSet::new())?;
            }
            if wrong.is_none() {
                wrong = self.ahead((desk, around), (line, &wish), &made)?;
            }
            found.extend(wrong.map(|wrong| (id, wrong)));
            self.made.push((line.clone(), wish, made.configuration));
        }
        for (_, wish, made) in self.foreseen.iter().filter(|(at, wish, _)| at == line && scope.has(&wish.id)) {
            let wrong = conflict((desk, leaves), around, (line, wish), made, &mut BTreeSet::new())?;
            found.extend(wrong.map(|wrong| (wish.id.clone(), wrong)));
        }
        Ok(found)
    }

    /// What a line before sets otherwise.
    fn beside(
        &mut self,
        on: (&Desk, &Surroundings<'_>),
        (line, wish): (&PlacePath, &Wish),
        made: &Made,
    ) -> Result<Option<Failing>, Error> {
        let mut others = BTreeSet::new();
        for (leaf, value) in &made.leaves {
            let key = (made.device.serial_number.clone(), *leaf);
            match self.set.get(&key) {
                Some((other, _)) if other == value => {}
                Some((_, at)) => {
                    others.insert(*at);
                }
                None => {
                    self.set.insert(key, (*value, self.made.len()));
                }
            }
        }
        let strictness = leaves::strictness(on.0);
        let found = others.into_iter().filter_map(|at| self.made.get(at)).find_map(|(other, of, configuration)| {
            if of.id != wish.id && of.may_miss(wish) {
                return None;
            }
            let conflict = conflicts(configuration, &made.configuration, strictness).into_iter().next()?;
            Some((conflict, (other, of)))
        });
        found.map(|(conflict, theirs)| Failing::conflict(on, &conflict, theirs, (line, wish))).transpose()
    }
}

impl Rehearsal {
    /// What is to count later and will set otherwise.
    fn ahead(
        &self,
        on: (&Desk, &Surroundings<'_>),
        (line, wish): (&PlacePath, &Wish),
        made: &Made,
    ) -> Result<Option<Failing>, Error> {
        let mut others = BTreeSet::new();
        for (leaf, value) in &made.leaves {
            let will = self.will_set.get(&(made.device.serial_number.clone(), *leaf)).into_iter().flatten();
            others.extend(will.filter(|(other, _)| other != value).map(|(_, at)| *at));
        }
        let strictness = leaves::strictness(on.0);
        let found = others.into_iter().filter_map(|at| self.foreseen.get(at)).find_map(|(other, of, theirs)| {
            let is_it = of.id == wish.id && other == line;
            if is_it || (of.id != wish.id && of.may_miss(wish)) {
                return None;
            }
            let conflict = conflicts(&theirs.configuration, &made.configuration, strictness).into_iter().next()?;
            Some((conflict, (other, of)))
        });
        found.map(|(conflict, theirs)| Failing::conflict(on, &conflict, theirs, (line, wish))).transpose()
    }
}

/// What a group on the device sets otherwise, in words with both owners. Only what that is to be from now on counts; the
/// lines of groups that are to change are put into `also`.
pub(super) fn conflict(
    (desk, known): (&Desk, &mut Leaves),
    around: &mut Surroundings<'_>,
    (line, wish): (&PlacePath, &Wish),
    made: &Made,
    also: &mut BTreeSet<PlacePath>,
) -> Result<Option<Failing>, Error> {
    let (org, device) = (&line.organization, made.device.serial_number.as_str());
    let strictness = leaves::strictness(desk);
    for group in known.against(desk, (org, device), &made.leaves)? {
        let Some(row) = desk.read(&parts::group_key(org, device, &group))? else { continue };
        if (&row.line, &row.activation) == (line, &wish.id) {
            continue;
        }
        let theirs = around.wishes(desk, &row.line)?.remove(&row.activation).filter(|theirs| theirs.is_on);
        let place = desk.read(&places::key(&row.line))?;
        let (Some(theirs), Some(place)) = (theirs, place) else {
            also.insert(row.line);
            continue;
        };
        if theirs.id != wish.id && theirs.may_miss(wish) {
            // Whether both ever count at once is not known: if they do, the one that comes later says so then.
            continue;
        }
        let part = desk.read(&parts::key(&row.line, &row.activation))?;
        // What is kept out by a third one, or cannot be made, stays on the device as it is.
        let by_third = |part: &PartRow| part.conflict.as_ref().is_some_and(|conflict| conflict.line != *line);
        let failed = part.as_ref().filter(|part| part.state == Standing::Failed);
        let now = match failed.is_some_and(by_third) {
            true => None,
            false => around.make(desk, (&row.line, &place), &theirs)?.ok(),
        };
        // A device that has refused a change holds what it held, unless it is told another now.
        let refused = failed.filter(|part| desk.is_at(UTMOST) && part.is_of_device);
        let now = now.filter(|now| refused.is_none_or(|part| part.text != now.text));
        let configuration = match now {
            Some(now) if now.device.serial_number == device => Some(now.configuration),
            Some(_) => None,
            None => part.and_then(|part| Configuration::parse(part.on_device()).ok()),
        };
        let wrong =
            configuration.and_then(|theirs| conflicts(&theirs, &made.configuration, strictness).into_iter().next());
        match wrong {
            Some(wrong) => {
                return Failing::conflict((desk, around), &wrong, (&row.line, &theirs), (line, wish)).map(Some);
            }
            None => {
                also.insert(row.line);
            }
        }
    }
    Ok(None)
}

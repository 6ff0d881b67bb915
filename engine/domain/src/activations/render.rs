//! What activations come to at an access line: rendered with its values, held against what its device has, and said
//! to it where that differs.
//!
//! Nothing is done by halves: what cannot be rendered, or would set what another group sets otherwise, leaves the device
//! as it is, and the part says why.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use linesman_rules::configuration::{Configuration, Conflict, Group, conflicts};
use linesman_rules::values::{Acquisition, Fault};
use linesman_schemas::reaction::{Action, Configure, Device, GroupChange};
use linesman_schemas::{Destination, OrgName, Place, PlacePath, ReactionId, SubscriptionName};

use super::leaves::{self, Hashed, Leaves};
use super::parts::{self, ConflictRow, Goal, GroupRow, PartRow, State as Standing};
use super::wanted::{Floor, Wish, wishes};
use crate::acquired::{self, Wanted};
use crate::desk::Desk;
use crate::devices::{self, Devices, Named};
use crate::places::PlaceRow;
use crate::reactions::{self, Decided};
use crate::services::Services;
use crate::{Error, places};

/// How many faults of values a part names.
const FAULTS_MOST: usize = 10;

/// What lines are rendered with: read once for all of them, while nothing else is decided.
pub(crate) struct Surroundings<'a> {
    services: &'a Services,
    known: &'a mut Devices,
    floors: BTreeMap<Place, Rc<Floor>>,
    devices: BTreeMap<String, Device>,
}

/// Which activations at lines are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope<'a> {
    /// The subscription of which all is said once more, changed or not.
    pub(crate) again: Option<&'a SubscriptionName>,
    /// The id of the one activation that something has changed of; none: all. What has a part already stands as it is.
    pub(crate) only: Option<&'a str>,
    /// The id of an activation that is rehearsed also where it counts only later, by its schedule.
    pub(crate) later: Option<&'a str>,
}

impl Scope<'_> {
    fn has(&self, id: &str) -> bool {
        self.only.is_none_or(|only| only == id)
    }
}

/// What came of rendering.
#[derive(Default)]
pub(crate) struct Rendered {
    /// What devices are to be told, by the activation that comes to it.
    pub(crate) orders: Vec<(Rc<str>, Decided)>,
    /// The lines that were kept out by what is set otherwise from here on.
    pub(crate) freed: BTreeSet<PlacePath>,
}

/// A wish at a line whose device is known, rendered.
struct Made {
    version: String,
    configuration: Configuration,
    leaves: Vec<Hashed>,
    device: Device,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(services: &'a Services, known: &'a mut Devices) -> Self {
        Self { services, known, floors: BTreeMap::new(), devices: BTreeMap::new() }
    }

    /// The activations that reach a line.
    pub(crate) fn wishes(&mut self, desk: &Desk, line: &PlacePath) -> Result<BTreeMap<String, Wish>, Error> {
        let own = Floor::read(desk.state(), &Place::Below(line.clone()))?;
        let site = self.floor(desk, &Place::Below(PlacePath { line: None, ..line.clone() }))?;
        let top = self.floor(desk, &Place::Organization(line.organization.clone()))?;
        Ok(wishes([&own, &*site, &*top]))
    }

    fn floor(&mut self, desk: &Desk, place: &Place) -> Result<Rc<Floor>, Error> {
        if let Some(floor) = self.floors.get(place) {
            return Ok(Rc::clone(floor));
        }
        let floor = Rc::new(Floor::read(desk.state(), place)?);
        self.floors.insert(place.clone(), Rc::clone(&floor));
        Ok(floor)
    }

    /// The device that a line names, by serial number or host name. One that has sent nothing yet is known by what the line
    /// calls it. Whoever sends bundles chooses what they are called: where several have one name, none is meant.
    fn device(&mut self, desk: &Desk, org: &OrgName, name: &str) -> Result<Result<Device, Failing>, Error> {
        if let Some(device) = self.devices.get(name) {
            return Ok(Ok(device.clone()));
        }
        let (serial_number, host_name) = match self.known.named(desk, org, name)? {
            Named::One(serial_number, row) => (serial_number, Some(row.host_name.clone())),
            Named::Nobody => (name.to_owned(), None),
            Named::Several => {
                let told =
                    format!("several devices call themselves `{name}`; the access line names one by its serial number");
                return Ok(Err(Failing::told(told)));
            }
        };
        let host_name = host_name.filter(|name| !name.is_empty());
        let device = Device { organization: org.clone(), serial_number, host_name };
        self.devices.insert(name.to_owned(), device.clone());
        Ok(Ok(device))
    }

    /// What a wish comes to at a line, or why it does not.
    fn make(
        &mut self,
        desk: &Desk,
        (line, row): (&PlacePath, &PlaceRow),
        wish: &Wish,
    ) -> Result<Result<Made, Failing>, Error> {
        if row.device.is_empty() {
            return Ok(Err(Failing::told("the access line names no device")));
        }
        let device = match self.device(desk, &line.organization, &row.device)? {
            Ok(device) => device,
            Err(failing) => return Ok(Err(failing)),
        };
        let place = Place::Below(line.clone());
        let subscription = &wish.subscription;
        let wanted = Wanted {
            place: &place,
            service: Some((&subscription.service, &subscription.version)),
            subscription: Some(&wish.name),
            activation: &wish.substitutions,
            instead: None,
        };
        let gathered = acquired::gather(desk.state(), self.services.shelf(), &wanted)?;
        let Some(service) = &gathered.service else {
            let (name, version) = (&subscription.service, &subscription.version);
            return Ok(Err(Failing::told(format!("the version `{version}` of the service `{name}` cannot be used"))));
        };
        let made = gathered.acquire(|values| match faults(values) {
            Some(faults) => Err(Failing::told(faults)),
            None => service.render(values).map_err(|fault| Failing::told(fault.to_string())),
        });
        let version = subscription.version.clone();
        Ok(made.map(|configuration| Made { version, leaves: leaves::hashed(&configuration), configuration, device }))
    }
}

/// What is wrong at a line.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    /// As whoever sees the line may read it.
    pub(crate) told: String,
    /// Whether it is that two set the same differently.
    pub(crate) is_conflict: bool,
    /// The other side, where that is another line.
    pub(crate) conflict: Option<ConflictRow>,
}

impl Failing {
    fn told(told: impl Into<String>) -> Self {
        Self { told: told.into(), is_conflict: false, conflict: None }
    }

    /// Two set a leaf differently: another one, and that at hand.
    fn conflict(conflict: &Conflict, (theirs, there): (&Wish, &PlacePath), (ours, here): (&Wish, &PlacePath)) -> Self {
        let owner = |wish: &Wish, line: &PlacePath| {
            format!("`{}` of `{}` at `{}`, for `{line}`", wish.id, wish.name, wish.activated)
        };
        let told = format!("{conflict}: by {} and by {}", owner(theirs, there), owner(ours, here));
        if here == there {
            return Self { is_conflict: true, ..Self::told(told) };
        }
        let leaf = conflict.second.name();
        let ours = owner(ours, here);
        let short = format!("`{leaf}` is set otherwise on the device for another access line than by {ours}");
        Self { told: short, is_conflict: true, conflict: Some(ConflictRow { line: there.clone(), told }) }
    }

    /// In words for whoever sees `sees`.
    pub(crate) fn shown(&self, sees: impl Fn(&Place) -> bool) -> &str {
        parts::shown(&self.told, self.conflict.as_ref(), sees)
    }
}

/// What is wrong with values, in words.
fn faults(values: &Acquisition<'_>) -> Option<String> {
    let faults = values.faults();
    let shown = |fault: &Fault| match fault.message.contains(&format!("`{}`", fault.parameter)) {
        true => fault.message.clone(),
        false => format!("`{}`: {}", fault.parameter, fault.message),
    };
    let mut told: Vec<String> = faults.iter().take(FAULTS_MOST).map(shown).collect();
    if faults.len() > FAULTS_MOST {
        told.push(format!("and {} more", faults.len() - FAULTS_MOST));
    }
    (!told.is_empty()).then(|| told.join("; "))
}

/// Has the devices of a line have what is wanted there.
pub(crate) fn line(
    (desk, leaves): (&mut Desk, &mut Leaves),
    around: &mut Surroundings<'_>,
    line: &PlacePath,
    scope: Scope<'_>,
    rendered: &mut Rendered,
) -> Result<(), Error> {
    let place = desk.read(&places::key(line))?;
    let wishes = match &place {
        Some(_) => around.wishes(desk, line)?,
        None => BTreeMap::new(),
    };
    let parts: BTreeMap<String, PartRow> = match scope.only {
        Some(id) => desk.read(&parts::key(line, id))?.map(|part| (id.to_owned(), part)).into_iter().collect(),
        None => parts::at(desk.state(), line).collect::<Result<_, _>>()?,
    };
    let mut work = Work { desk, leaves, line, rendered };
    for (id, part) in &parts {
        match wishes.get(id) {
            Some(wish) if wish.is_on => {}
            Some(_) => work.take_out(id, part.clone(), Goal::Off)?,
            None => work.take_out(id, part.clone(), Goal::Gone)?,
        }
    }
    for (id, wish) in wishes.iter().filter(|(id, _)| scope.has(id)) {
        let part = parts.get(id).cloned();
        match (&place, part) {
            (Some(place), part) if wish.is_on => {
                let made = around.make(work.desk, (line, place), wish)?;
                let mut part = part.unwrap_or_else(|| work.blank(wish));
                let serves = made.as_ref().map(|made| made.device.serial_number.as_str()).unwrap_or_default();
                if !part.group.is_empty() && part.device != serves && (made.is_ok() || place.device.is_empty()) {
                    work.leave_device(id, &mut part)?;
                }
                match made {
                    Ok(made) => work.bring_in(around, wish, part, made, scope.again == Some(&wish.name))?,
                    Err(wrong) => work.fail(id, part, wrong)?,
                }
            }
            (_, None) => {
                let blank = work.blank(wish);
                work.keep(id, PartRow { goal: Goal::Off, state: Standing::Inactive, ..blank })?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What lines would come to, each held against what is on devices and against those before it.
#[derive(Default)]
pub(crate) struct Rehearsal {
    made: Vec<(PlacePath, Wish, Configuration)>,
    /// By device and leaf, the first that set it and to which value, hashed.
    set: BTreeMap<(String, u64), (u64, usize)>,
}

impl Rehearsal {
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
            let wrong = match self.beside(line, &wish, &made) {
                Some(wrong) => Some(wrong),
                None => conflict((desk, leaves), around, (line, &wish), &made, &mut BTreeSet::new())?,
            };
            found.extend(wrong.map(|wrong| (id, wrong)));
            self.made.push((line.clone(), wish, made.configuration));
        }
        Ok(found)
    }

    /// What a line before sets otherwise.
    fn beside(&mut self, line: &PlacePath, wish: &Wish, made: &Made) -> Option<Failing> {
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
        others.into_iter().filter_map(|at| self.made.get(at)).find_map(|(other, of, configuration)| {
            if of.id != wish.id && of.may_miss(wish) {
                return None;
            }
            let conflict = conflicts(configuration, &made.configuration).into_iter().next()?;
            Some(Failing::conflict(&conflict, (of, other), (wish, line)))
        })
    }
}

/// What a group on the device sets otherwise, in words with both owners. Only what that is to be from now on counts; the
/// lines of groups that are to change are put into `also`.
fn conflict(
    (desk, leaves): (&Desk, &mut Leaves),
    around: &mut Surroundings<'_>,
    (line, wish): (&PlacePath, &Wish),
    made: &Made,
    also: &mut BTreeSet<PlacePath>,
) -> Result<Option<Failing>, Error> {
    let (org, device) = (&line.organization, made.device.serial_number.as_str());
    for group in leaves.against(desk, (org, device), &made.leaves)? {
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
        let now = match part.as_ref().is_some_and(|part| part.state == Standing::Failed && by_third(part)) {
            true => None,
            false => around.make(desk, (&row.line, &place), &theirs)?.ok(),
        };
        let configuration = match now {
            Some(now) if now.device.serial_number == device => Some(now.configuration),
            Some(_) => None,
            None => part.and_then(|part| Configuration::parse(part.on_device()).ok()),
        };
        let wrong = configuration.and_then(|theirs| conflicts(&theirs, &made.configuration).into_iter().next());
        match wrong {
            Some(wrong) => {
                return Ok(Some(Failing::conflict(&wrong, (&theirs, &row.line), (wish, line))));
            }
            None => {
                also.insert(row.line);
            }
        }
    }
    Ok(None)
}

/// The work at one line.
struct Work<'a> {
    desk: &'a mut Desk,
    leaves: &'a mut Leaves,
    line: &'a PlacePath,
    rendered: &'a mut Rendered,
}

impl Work<'_> {
    fn org(&self) -> &OrgName {
        &self.line.organization
    }

    fn blank(&self, wish: &Wish) -> PartRow {
        PartRow {
            name: wish.name.clone(),
            subscribed: wish.subscribed.clone(),
            activated: wish.activated.clone(),
            service: wish.subscription.service.clone(),
            version: wish.subscription.version.clone(),
            device: String::new(),
            group: String::new(),
            text: String::new(),
            held: None,
            goal: Goal::On,
            state: Standing::Pending,
            reason: String::new(),
            conflict: None,
            is_of_device: false,
            reaction: None,
            changed: self.desk.now,
        }
    }

    fn keep(&mut self, id: &str, part: PartRow) -> Result<(), Error> {
        let part = PartRow { changed: self.desk.now, ..part };
        self.desk.write(parts::key(self.line, id), &part)
    }

    /// What a device was to be told is said no more: something else is.
    fn withdraw(&mut self, part: &mut PartRow) -> Result<(), Error> {
        match part.reaction.take() {
            Some(reaction) => reactions::withdraw(self.desk, &self.line.organization, &reaction),
            None => Ok(()),
        }
    }

    /// A device is told of a group.
    fn order(
        &mut self,
        activation: &str,
        device: Device,
        group: &str,
        change: GroupChange,
    ) -> Result<Option<ReactionId>, Error> {
        let Some(peer) = device.peer() else { return Ok(None) };
        let id = self.desk.next_reaction(&self.line.organization);
        let action = Action::Configure(Box::new(Configure { device, group: group.to_owned(), change }));
        let destination = Destination { connector: reactions::DEVICE.into(), peer: Some(peer) };
        self.rendered.orders.push((activation.into(), Decided { id: id.clone(), destination, action }));
        Ok(Some(id))
    }

    fn device_of(&self, serial_number: &str) -> Result<Device, Error> {
        let row = self.desk.read(&devices::key(self.org(), serial_number))?;
        let host_name = row.map(|row| row.host_name).filter(|name| !name.is_empty());
        Ok(Device { organization: self.org().clone(), serial_number: serial_number.to_owned(), host_name })
    }

    /// A part's group goes from its device, and with [`Goal::Gone`] the part then too.
    fn take_out(&mut self, id: &str, mut part: PartRow, goal: Goal) -> Result<(), Error> {
        if part.goal != Goal::On && part.reaction.is_some() {
            // The device has been told already.
            part.goal = goal;
            return self.keep(id, part.without_reason());
        }
        self.withdraw(&mut part)?;
        if part.goal == Goal::On && part.text.is_empty() && !part.group.is_empty() {
            // The device was never told of it: its name was kept.
            self.free(&part)?;
            (part.device, part.group) = (String::new(), String::new());
        }
        if part.group.is_empty() {
            if goal == Goal::Gone {
                self.desk.remove(parts::key(self.line, id));
                return Ok(());
            }
            let is_so = part.goal == goal && part.state == Standing::Inactive;
            let part = part.without_reason();
            let off = PartRow { goal, state: Standing::Inactive, ..part };
            return if is_so { Ok(()) } else { self.keep(id, off) };
        }
        self.empty(id, &part)?;
        let device = self.device_of(&part.device)?;
        part.reaction = self.order(id, device, &part.group, GroupChange::Remove)?;
        (part.goal, part.state) = (goal, Standing::Pending);
        self.keep(id, part.without_reason())
    }

    /// A group sets nothing any more; its name is kept until the device has answered.
    fn empty(&mut self, id: &str, part: &PartRow) -> Result<(), Error> {
        let row =
            GroupRow { line: self.line.clone(), activation: id.to_owned(), leaves: Vec::new(), is_blocked: false };
        let freed = self.leaves.put(self.desk, (&self.line.organization, &part.device, &part.group), &row)?;
        self.rendered.freed.extend(freed);
        Ok(())
    }

    /// A group's name is free.
    fn free(&mut self, part: &PartRow) -> Result<(), Error> {
        let freed = self.leaves.remove(self.desk, (&self.line.organization, &part.device, &part.group))?;
        self.rendered.freed.extend(freed);
        Ok(())
    }

    /// The line has another device from here on, or none: what the one before has stays a part of its own until that has
    /// answered.
    fn leave_device(&mut self, id: &str, part: &mut PartRow) -> Result<(), Error> {
        if part.text.is_empty() {
            self.free(part)?;
        } else {
            let mut number = 1;
            while self.desk.read(&parts::key(self.line, &parts::rest_id(id, number)))?.is_some() {
                number += 1;
            }
            let rest_id = parts::rest_id(id, number);
            let mut rest = part.clone();
            self.empty(&rest_id, &rest)?;
            if rest.goal == Goal::On || rest.reaction.is_none() {
                self.withdraw(&mut rest)?;
                let before = self.device_of(&rest.device)?;
                rest.reaction = self.order(id, before, &rest.group, GroupChange::Remove)?;
            }
            (rest.goal, rest.state) = (Goal::Gone, Standing::Pending);
            self.keep(&rest_id, rest.without_reason())?;
        }
        (part.device, part.group, part.text, part.held) = (String::new(), String::new(), String::new(), None);
        (part.goal, part.reaction) = (Goal::On, None);
        Ok(())
    }

    /// What was to be told cannot be: the device stays as it is, and loses what it is to lose.
    fn fail(&mut self, id: &str, part: PartRow, wrong: Failing) -> Result<(), Error> {
        let Failing { told: reason, conflict, .. } = wrong;
        // Written anew each time: whether the words are the same may differ from one program to the next.
        let is_known = part.state == Standing::Failed && !part.is_of_device;
        let changed = if is_known { part.changed } else { self.desk.now };
        let (goal, state) = match part.is_leaving() {
            true if part.reaction.is_some() => (Goal::Off, Standing::Pending),
            true => (Goal::Off, Standing::Failed),
            false => (Goal::On, Standing::Failed),
        };
        let failed = PartRow { goal, state, reason, conflict, is_of_device: false, changed, ..part };
        self.desk.write(parts::key(self.line, id), &failed)
    }

    /// A device gets a part's group as it is to be.
    fn bring_in(
        &mut self,
        around: &mut Surroundings<'_>,
        wish: &Wish,
        mut part: PartRow,
        made: Made,
        is_again: bool,
    ) -> Result<(), Error> {
        let (id, device) = (wish.id.as_str(), made.device.serial_number.as_str());
        if made.device.peer().is_none() {
            let told = format!("the device's serial number is too long: `{device}`");
            return self.fail(id, part, Failing::told(told));
        }
        if made.configuration.is_empty() {
            // Nothing is to be set at the line: it counts as off there.
            return self.take_out(id, part, Goal::Off);
        }
        let text = made.configuration.to_string();
        let stands =
            part.goal == Goal::On && part.text == text && (part.state != Standing::Failed || part.is_of_device);
        if stands && !is_again && part.version == made.version {
            return Ok(());
        }
        let Some(group) = self.group(id, &part, &made)? else {
            let told = format!("the device `{device}` has groups of these names already");
            return self.fail(id, part, Failing::told(told));
        };
        if let Err(ungroupable) = Group::check(&group, &made.configuration) {
            return self.fail(id, part, Failing::told(ungroupable.to_string()));
        }
        let mut also = BTreeSet::new();
        let found = conflict((self.desk, self.leaves), around, (self.line, wish), &made, &mut also)?;
        if let Some(wrong) = found {
            return self.block(id, part, (device, group), wrong);
        }
        part.version.clone_from(&made.version);
        if stands && !is_again {
            // Another version that comes to the same.
            return self.keep(id, part);
        }
        self.withdraw(&mut part)?;
        let leaves = made.leaves.clone();
        let row = GroupRow { line: self.line.clone(), activation: id.to_owned(), leaves, is_blocked: false };
        let freed = self.leaves.put(self.desk, (&self.line.organization, device, &group), &row)?;
        self.rendered.freed.extend(freed);
        part.reaction = self.order(id, made.device.clone(), &group, GroupChange::Put { text: text.clone() })?;
        // Those that are to agree with it, and do not yet.
        self.rendered.freed.extend(also);
        part.held = Some(part.on_device().to_owned());
        (part.device, part.group, part.text) = (device.to_owned(), group, text);
        (part.goal, part.state) = (Goal::On, Standing::Pending);
        self.keep(id, part.without_reason())
    }

    /// A part is kept out by what another sets; once that is free it is tried again.
    fn block(
        &mut self,
        id: &str,
        mut part: PartRow,
        (device, group): (&str, String),
        wrong: Failing,
    ) -> Result<(), Error> {
        // What the device has of it stays, and so does what that sets.
        let key = parts::group_key(&self.line.organization, device, &group);
        let leaves = self.desk.read(&key)?.map(|row| row.leaves).unwrap_or_default();
        let row = GroupRow { line: self.line.clone(), activation: id.to_owned(), leaves, is_blocked: true };
        self.leaves.put(self.desk, (&self.line.organization, device, &group), &row)?;
        if part.group.is_empty() {
            (part.device, part.group, part.goal) = (device.to_owned(), group, Goal::On);
        }
        self.fail(id, part, wrong)
    }

    /// The name of a part's group on a device; none where both that it may have are another's.
    fn group(&self, id: &str, part: &PartRow, made: &Made) -> Result<Option<String>, Error> {
        if part.device == made.device.serial_number && !part.group.is_empty() {
            return Ok(Some(part.group.clone()));
        }
        let Some(name) = &self.line.line else { return Ok(None) };
        for group in [format!("linesman-{id}-{name}"), format!("linesman-{id}-{}-{name}", self.line.site)] {
            let key = parts::group_key(self.org(), &made.device.serial_number, &group);
            let is_ours = |row: GroupRow| row.line == *self.line && row.activation == id;
            if self.desk.read(&key)?.is_none_or(is_ours) {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }
}

//! What activations come to at an access line: rendered with its values, held against what its device has, and said
//! to it where that differs.
//!
//! Nothing is done by halves: what cannot be rendered, or would set what another group sets otherwise, leaves the device
//! as it is, and the part says why.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::thread;

use linesman_rules::configuration::Group;
use linesman_schemas::reaction::{Action, Configure, Device, GroupChange};
use linesman_schemas::{Destination, OrgName, PlacePath, ReactionId};
use sha2::{Digest, Sha256};

use super::drafts::{Drafting, Drafts};
use super::leaves::{self, Leaves};
use super::make::{Failing, Made, Surroundings};
use super::parts::{self, Goal, GroupRow, PartRow, State as Standing};
use super::rehearsal::conflict;
use super::wanted::{Scope, Wish};
use super::waves::{self, Turn};
use super::{BESIDE, FORESEEN, UTMOST, doers, drift, pushes};
use crate::Error;
use crate::ahead::Ahead;
use crate::desk::Desk;
use crate::devices;
use crate::reactions::{self, Decided};

/// A group goes, whatever becomes of others.
const TAKE_AWAY: (GroupChange, bool) = (GroupChange::Remove, true);
/// How many characters of a hash tell two lines' groups apart.
const NAME_DIGITS: usize = 8;

/// What came of rendering.
#[derive(Default)]
pub(crate) struct Rendered {
    /// What devices are to be told.
    pub(crate) orders: Vec<Order>,
    /// The waves that changes have left: something else is said, or nothing.
    pub(crate) left: BTreeSet<u64>,
    /// The lines that were kept out by what is set otherwise from here on.
    pub(crate) freed: BTreeSet<PlacePath>,
}

/// What a device is to be told.
pub(crate) struct Order {
    /// The activation that comes to it.
    pub(crate) activation: Rc<str>,
    /// What.
    pub(crate) decided: Decided,
    /// The device, where that depends on what becomes of others.
    pub(crate) in_turn: Option<String>,
}

/// From how many lines on two threads render them.
const SHARED_LEAST: usize = 8;

/// What is wanted at a line, and what is there of it.
struct Plan<'a> {
    line: &'a PlacePath,
    has_device: bool,
    wishes: BTreeMap<String, Wish>,
    parts: BTreeMap<String, PartRow>,
}

impl<'a> Plan<'a> {
    /// Reads what there is, and drafts what is to be.
    fn of(
        desk: &Desk,
        (around, ahead): (&mut Surroundings<'_>, &Ahead),
        line: &'a PlacePath,
        scope: Scope<'_>,
        drafting: &mut Drafting<'_, '_>,
    ) -> Result<Self, Error> {
        let place = around.place(desk, line)?;
        let wishes = match &place {
            Some(_) => around.wishes(desk, line)?,
            None => BTreeMap::new(),
        };
        if let Some(place) = &place {
            for (_, wish) in wishes.iter().filter(|(id, wish)| wish.is_on && scope.has(id)) {
                drafting.push(around.draft(desk, (line, place), wish)?);
            }
        }
        let parts = match scope.only {
            Some(id) => desk.read(&parts::key(line, id))?.map(|part| (id.to_owned(), part)).into_iter().collect(),
            None => parts::at(&ahead.of(desk.state()), line).collect::<Result<_, _>>()?,
        };
        let has_device = place.is_some_and(|place| !place.device.is_empty());
        Ok(Self { line, has_device, wishes, parts })
    }
}

/// Has the devices of lines have what is wanted there.
pub(crate) fn lines(
    (desk, leaves): (&mut Desk, &mut Leaves),
    around: &mut Surroundings<'_>,
    lines: &[PlacePath],
    scope: Scope<'_>,
) -> Result<Rendered, Error> {
    let drafts = Drafts::default();
    thread::scope(|threads| {
        // The work at a line changes no parts but its own.
        let (mut plans, ahead) = (Vec::with_capacity(lines.len()), Ahead::default());
        let mut drafting = drafts.begin((lines.len() >= SHARED_LEAST).then_some(threads));
        for line in lines {
            plans.push(Plan::of(desk, (around, &ahead), line, scope, &mut drafting)?);
        }
        drop(drafting);
        let mut rendered = Rendered::default();
        let mut made = (0..).map_while(|number| drafts.fetch(number));
        for plan in plans {
            Work { desk, leaves, line: plan.line, rendered: &mut rendered }
                .carry_out(around, plan, &mut made, scope)?;
        }
        Ok(rendered)
    })
}

/// The work at one line.
struct Work<'a> {
    desk: &'a mut Desk,
    leaves: &'a mut Leaves,
    line: &'a PlacePath,
    rendered: &'a mut Rendered,
}

impl Work<'_> {
    /// Has the line's device have what is wanted, given what was made of each wish that counts.
    fn carry_out(
        &mut self,
        around: &mut Surroundings<'_>,
        plan: Plan<'_>,
        made: &mut impl Iterator<Item = Result<Made, Failing>>,
        scope: Scope<'_>,
    ) -> Result<(), Error> {
        let Plan { has_device, wishes, mut parts, .. } = plan;
        for (id, part) in &parts {
            match wishes.get(id) {
                Some(wish) if wish.is_on => {}
                Some(_) => self.take_out(id, part.clone(), Goal::Off)?,
                None => self.take_out(id, part.clone(), Goal::Gone)?,
            }
        }
        for (id, wish) in wishes.iter().filter(|(id, _)| scope.has(id)) {
            if wish.is_on {
                let part = parts.remove(id).unwrap_or_else(|| self.blank(wish));
                let Some(made) = made.next() else { continue };
                self.take(around, wish, part, (made, has_device), scope.again == Some(&wish.name))?;
                continue;
            }
            // Once it counts, what it then comes to is their doing.
            doers::note(self.desk, self.line, id, None)?;
            if !parts.contains_key(id) {
                let blank = self.blank(wish);
                self.keep(id, PartRow { goal: Goal::Off, state: Standing::Inactive, ..blank })?;
            }
        }
        Ok(())
    }

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
            against: None,
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
            Some(reaction) => {
                let left = waves::leave(self.desk, &self.line.organization, &reaction)?;
                self.rendered.left.extend(left);
                pushes::ask_no_more(self.desk, &self.line.organization, &reaction)?;
                reactions::withdraw(self.desk, &self.line.organization, &reaction)
            }
            None => Ok(()),
        }
    }

    /// Whether a part is told once more of what others wait for, whatever becomes of these: of what it has, or because the
    /// rest of a wave was held.
    fn is_told_alone(&self, part: &PartRow, stands: bool) -> Result<bool, Error> {
        let turn = match &part.reaction {
            Some(reaction) => waves::turn(self.desk.state(), self.org(), reaction)?,
            None => Turn::Told,
        };
        Ok(matches!(turn, Turn::Held(_)) || (stands && part.state == Standing::Active))
    }

    /// A device is told of a group.
    fn order(
        &mut self,
        activation: &str,
        device: Device,
        group: &str,
        (change, is_alone): (GroupChange, bool),
    ) -> Result<Option<ReactionId>, Error> {
        let Some(peer) = device.peer() else { return Ok(None) };
        drift::forget(self.desk, &self.line.organization, &device.serial_number, group)?;
        let id = self.desk.next_reaction(&self.line.organization);
        let in_turn = (!is_alone).then(|| device.serial_number.clone());
        let approved = pushes::approved(self.desk, &change);
        let configure = Configure { device, group: group.to_owned(), change, approved, is_restore: false };
        let action = Action::Configure(Box::new(configure));
        let destination = Destination { connector: reactions::DEVICE.into(), peer: Some(peer) };
        let decided = Decided { id: id.clone(), destination, action };
        self.rendered.orders.push(Order { activation: activation.into(), decided, in_turn });
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
                doers::forget(self.desk, self.line, id)?;
                return pushes::forget(self.desk, self.line, id);
            }
            let is_so = part.goal == goal && part.state == Standing::Inactive;
            let part = part.without_reason();
            let off = PartRow { goal, state: Standing::Inactive, ..part };
            return if is_so { Ok(()) } else { self.keep(id, off) };
        }
        doers::note(self.desk, self.line, id, None)?;
        self.empty(id, &part)?;
        let device = self.device_of(&part.device)?;
        part.reaction = self.order(id, device, &part.group, TAKE_AWAY)?;
        (part.goal, part.state) = (goal, Standing::Pending);
        self.keep(id, part.without_reason())
    }

    /// The row of a group that sets nothing.
    fn group_row(&self, id: &str) -> GroupRow {
        let (line, activation, strictness) = (self.line.clone(), id.to_owned(), leaves::strictness(self.desk));
        GroupRow { line, activation, leaves: Vec::new(), is_blocked: false, strictness }
    }

    /// A group sets nothing any more; its name is kept until the device has answered.
    fn empty(&mut self, id: &str, part: &PartRow) -> Result<(), Error> {
        let row = self.group_row(id);
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
                rest.reaction = self.order(id, before, &rest.group, TAKE_AWAY)?;
                doers::note(self.desk, self.line, &rest_id, None)?;
            }
            (rest.goal, rest.state) = (Goal::Gone, Standing::Pending);
            self.keep(&rest_id, rest.without_reason())?;
        }
        (part.device, part.group, part.text, part.held) = (String::new(), String::new(), String::new(), None);
        (part.goal, part.reaction) = (Goal::On, None);
        pushes::forget(self.desk, self.line, id)
    }

    /// Whether the device that a part is on was known by its host name alone, and is the one that it is to be on.
    fn is_same_device(&self, part: &PartRow, made: &Made) -> Result<bool, Error> {
        if !self.desk.is_at(UTMOST) || made.device.host_name.as_ref() != Some(&part.device) {
            return Ok(false);
        }
        let is_another = self.desk.read(&devices::key(self.org(), &part.device))?.is_some();
        let key = parts::group_key(self.org(), &made.device.serial_number, &part.group);
        Ok(!is_another && self.desk.read(&key)?.is_none())
    }

    /// A part's device goes by its serial number from here on: it is told again of what it has, and loses nothing.
    fn call_device(&mut self, part: &mut PartRow, serial_number: &str) -> Result<(), Error> {
        self.withdraw(part)?;
        let key = parts::group_key(self.org(), &part.device, &part.group);
        if let Some(row) = self.desk.read(&key)? {
            let org = &self.line.organization;
            let leaves = self.leaves.of_group(self.desk, (org, &part.device, &part.group), row.clone())?;
            let freed = self.leaves.remove(self.desk, (org, &part.device, &part.group))?;
            self.rendered.freed.extend(freed);
            let row = GroupRow { leaves, strictness: leaves::strictness(self.desk), ..row };
            let freed = self.leaves.put(self.desk, (org, serial_number, &part.group), &row)?;
            self.rendered.freed.extend(freed);
        }
        // Not as it is to be before it has answered by that name.
        (part.goal, part.state, part.is_of_device) = (Goal::On, Standing::Failed, false);
        serial_number.clone_into(&mut part.device);
        Ok(())
    }

    /// What was to be told cannot be: the device stays as it is, and loses what it is to lose.
    fn fail(&mut self, id: &str, part: PartRow, wrong: Failing) -> Result<(), Error> {
        let Failing { told: reason, conflict, against, .. } = wrong;
        let against = against.map(|against| *against);
        // Written anew each time: whether the words are the same may differ from one program to the next.
        let is_known = part.state == Standing::Failed && !part.is_of_device;
        let changed = if is_known { part.changed } else { self.desk.now };
        let (goal, state) = match part.is_leaving() {
            true if part.reaction.is_some() => (Goal::Off, Standing::Pending),
            true => (Goal::Off, Standing::Failed),
            false => (Goal::On, Standing::Failed),
        };
        doers::note(self.desk, self.line, id, None)?;
        let failed = PartRow { goal, state, reason, conflict, against, is_of_device: false, changed, ..part };
        self.desk.write(parts::key(self.line, id), &failed)
    }

    /// A part comes to what was made of its wish, or to why there is nothing; `has_device` says whether its line names one.
    fn take(
        &mut self,
        around: &mut Surroundings<'_>,
        wish: &Wish,
        mut part: PartRow,
        (made, has_device): (Result<Made, Failing>, bool),
        is_again: bool,
    ) -> Result<(), Error> {
        // One from above had this id before, and the place's own one has it now.
        let is_another = self.desk.is_at(BESIDE) && part.subscribed != wish.subscribed;
        if is_another {
            part.subscribed.clone_from(&wish.subscribed);
            part.activated.clone_from(&wish.activated);
            part.service.clone_from(&wish.subscription.service);
        }
        let is_again = is_again || is_another;
        let serves = made.as_ref().map(|made| made.device.serial_number.as_str()).unwrap_or_default();
        if !part.group.is_empty() && part.device != serves && (made.is_ok() || !has_device) {
            match &made {
                Ok(made) if self.is_same_device(&part, made)? => self.call_device(&mut part, serves)?,
                _ => self.leave_device(&wish.id, &mut part)?,
            }
        }
        match made {
            Ok(made) => self.bring_in(around, wish, part, made, is_again),
            Err(wrong) => self.fail(&wish.id, part, wrong),
        }
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
        let stands =
            part.goal == Goal::On && part.text == made.text && (part.state != Standing::Failed || part.is_of_device);
        if stands && !is_again && part.version == made.version {
            return Ok(());
        }
        let Some(group) = self.group(around, id, &part, &made)? else {
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
        let is_alone = is_again && self.is_told_alone(&part, stands)?;
        self.withdraw(&mut part)?;
        let Made { text, leaves, device, .. } = made;
        let (serial_number, change) = (device.serial_number.clone(), GroupChange::Put { text: text.clone() });
        let row = GroupRow { leaves, ..self.group_row(id) };
        let freed = self.leaves.put(self.desk, (&self.line.organization, &serial_number, &group), &row)?;
        self.rendered.freed.extend(freed);
        doers::note(self.desk, self.line, id, wish.author.as_deref())?;
        part.reaction = self.order(id, device, &group, (change, is_alone))?;
        // Those that are to agree with it, and do not yet.
        self.rendered.freed.extend(also);
        part.held = Some(match part.held.take() {
            Some(held) => held,
            None => std::mem::take(&mut part.text),
        });
        (part.device, part.group, part.text) = (serial_number, group, text);
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
        let known = self.desk.read(&key)?;
        let leaves = match known {
            Some(row) => self.leaves.of_group(self.desk, (&self.line.organization, device, &group), row)?,
            None => Vec::new(),
        };
        let row = GroupRow { leaves, is_blocked: true, ..self.group_row(id) };
        self.leaves.put(self.desk, (&self.line.organization, device, &group), &row)?;
        if part.group.is_empty() {
            (part.device, part.group, part.goal) = (device.to_owned(), group, Goal::On);
        }
        self.fail(id, part, wrong)
    }

    /// The names that a part's group may have, the first that is free: what is without the site is another line's too where
    /// that has the same name, and with the site only one name tells where that ends which has a `-` in it. Where the device
    /// serves such another line, neither is without the site, whichever comes first.
    fn names(&self, id: &str, line: &str, has_namesake: bool) -> Vec<String> {
        let site = self.line.site.as_str();
        let (short, long) = (format!("linesman-{id}-{line}"), format!("linesman-{id}-{site}-{line}"));
        if !self.desk.is_at(FORESEEN) {
            return vec![short, long];
        }
        let digest: String =
            Sha256::digest(format!("{site}/{line}")).iter().map(|byte| format!("{byte:02x}")).collect();
        let told_apart = format!("{long}-{}", digest.get(..NAME_DIGITS).unwrap_or(&digest));
        let mut names = match site.contains('-') || line.contains('-') {
            true => vec![short, told_apart],
            false => vec![short, long, told_apart],
        };
        if has_namesake {
            // Neither of the two is the first.
            names.remove(0);
        }
        names
    }

    /// The name of a part's group on a device; none where all that it may have are another's.
    fn group(
        &self,
        around: &mut Surroundings<'_>,
        id: &str,
        part: &PartRow,
        made: &Made,
    ) -> Result<Option<String>, Error> {
        if part.device == made.device.serial_number && !part.group.is_empty() {
            return Ok(Some(part.group.clone()));
        }
        let Some(name) = &self.line.line else { return Ok(None) };
        let has_namesake = self.desk.is_at(UTMOST) && around.has_namesake(self.desk, self.line, &made.device)?;
        for group in self.names(id, name.as_str(), has_namesake) {
            let key = parts::group_key(self.org(), &made.device.serial_number, &group);
            let is_ours = |row: GroupRow| row.line == *self.line && row.activation == id;
            if self.desk.read(&key)?.is_none_or(is_ours) {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }
}

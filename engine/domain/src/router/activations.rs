//! What follows from activations: lines are rendered, at once or in slices, and devices are told.

use std::collections::BTreeSet;

use linesman_schemas::command::{Command, PlaceVerb, Subscription, Values};
use linesman_schemas::{OrgName, Place, PlacePath, Principal, ReactionId, SubscriptionName, bundle};

use crate::activations::make::{Failing, Surroundings};
use crate::activations::parts::{PartRow, State};
use crate::activations::rehearsal::Rehearsal;
use crate::activations::render::{self, Order, Rendered};
use crate::activations::sample::Sample;
use crate::activations::wanted::Scope;
use crate::ahead::Ahead;
use crate::commands::{self, Answer, Wrong, served, spheres};
use crate::devices::DeviceRow;
use crate::follow::{Cause, Follow};
use crate::jobs::Work;
use crate::rights::Reach;
use crate::{Domain, Error, activations, hidden, places, reached, rights, subscriptions};

/// Up to how many lines are rendered at once, on the input that changed something.
const AT_ONCE_MOST: usize = 50;
/// How many lines a slice renders beside others: a neighbour's inputs wait no longer than for these, which take less than
/// its own commit.
const SLICE_LINES: usize = 4;
/// How many while nobody else is there, and below [`activations::PACED`] always.
const SLICE_LINES_ALONE: usize = 25;
/// For how many lines that may come in now there is a job each.
const FREED_MOST: usize = 20;

/// What a change is refused for, of all that lines would come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// For nothing: it only takes away.
    Nothing,
    /// For what two would set differently. Of what else is wrong the answer tells.
    Conflicts,
    /// For all that is wrong.
    All,
}

/// What is wrong with a line: which, with which activation, and how.
type Wrongs = (PlacePath, String, Failing);

/// What a change comes to that is tried.
struct Tried {
    answer: Answer,
    /// Which lines were looked at.
    sample: Option<Sample>,
    /// What it is refused for.
    wrong: Vec<Wrongs>,
    /// What is told beside.
    told: Vec<Wrongs>,
}

// What is asked of values, subscriptions and places, with what follows from it for devices.
impl Domain {
    pub(super) fn change_values(&mut self, org: &OrgName, command: &Command, verb: &Values) -> Result<Answer, Error> {
        let place = match verb {
            Values::Set(settings) => settings.place.clone(),
            Values::Localize(_) => Place::Organization(org.clone()),
        };
        self.change((&place, &command.principal), Held::All, Scope::default(), |domain| {
            commands::values::ask(&mut domain.desk, (&domain.services, &domain.managers), org, command, verb)
        })
    }

    pub(super) fn change_subscription(&mut self, command: &Command, verb: &Subscription) -> Result<Answer, Error> {
        let held = match verb {
            Subscription::Set(_) | Subscription::Resume(_) | Subscription::Activate(_) => Held::All,
            Subscription::Remove(_) if self.desk.is_at(activations::REHEARSED) => Held::Conflicts,
            _ => Held::Nothing,
        };
        let again = if let Subscription::Redeploy(path) = verb { Some(&path.name) } else { None };
        let only = commands::activations::only(&self.desk, verb)?;
        let later = commands::activations::scheduled(&self.desk, verb)?;
        let scope = Scope { again, only: only.as_deref(), later: later.as_deref(), job: None };
        self.change((verb.at(), &command.principal), held, scope, |domain| {
            commands::subscriptions::ask(&mut domain.desk, (&domain.services, &domain.managers), command, verb)
        })
    }

    /// Why what is asked of a subscription would be refused as things stand: nothing of it stays.
    pub(super) fn refused_subscription(
        &mut self,
        command: &Command,
        verb: &Subscription,
    ) -> Result<Option<Answer>, Error> {
        let only = commands::activations::only(&self.desk, verb)?;
        let later = commands::activations::scheduled(&self.desk, verb)?;
        let scope = Scope { again: None, only: only.as_deref(), later: later.as_deref(), job: None };
        let Tried { answer, wrong, .. } = self.tried((verb.at(), &command.principal), Held::All, scope, |domain| {
            commands::subscriptions::ask(&mut domain.desk, (&domain.services, &domain.managers), command, verb)
        })?;
        self.desk.end_trial(false)?;
        if !wrong.is_empty() {
            let (named, recorded) = self.named(&command.principal, wrong)?;
            return Ok(Some(commands::subscriptions::wrong(named, recorded.into_iter())));
        }
        Ok((!answer.is_done()).then_some(answer))
    }

    pub(super) fn change_place(
        &mut self,
        org: &OrgName,
        principal: &Principal,
        verb: &PlaceVerb,
    ) -> Result<Answer, Error> {
        if let Some(refused) = self.refuse_place(org, principal, verb)? {
            return Ok(refused);
        }
        let gone = match verb {
            PlaceVerb::Remove(removal) => places::with_lines(self.desk.state(), &removal.place)?,
            PlaceVerb::Set(settings) if self.desk.is_at(activations::FORESEEN) => {
                return self.set_place(org, principal, verb, &settings.place);
            }
            PlaceVerb::Set(_) | PlaceVerb::Tie(_) => Vec::new(),
        };
        let answer = commands::places::ask(&mut self.desk, &mut self.managers, org, verb)?;
        self.ties.forget(org);
        if let PlaceVerb::Remove(removal) = verb
            && answer.is_done()
        {
            reached::leave(&mut self.desk, org, &removal.place)?;
        }
        match verb {
            _ if !answer.is_done() || !self.desk.is_at(activations::LEVEL) => {}
            PlaceVerb::Set(settings) => self.render(&Place::Below(settings.place.clone()), Scope::default())?,
            PlaceVerb::Remove(_) => self.render_lines(org, &gone, Scope::default())?,
            PlaceVerb::Tie(_) => {}
        }
        Ok(answer)
    }

    /// Why a place is not changed so by whoever may change it otherwise.
    fn refuse_place(
        &mut self,
        org: &OrgName,
        principal: &Principal,
        verb: &PlaceVerb,
    ) -> Result<Option<Answer>, Error> {
        let (place, refused) = match verb {
            PlaceVerb::Set(settings) => {
                let (managers, organizations, devices) = (&self.managers, &self.organizations, &mut self.devices);
                let known = served::Known { managers, organizations, devices };
                (&settings.place, served::refusal(&self.desk, known, org, principal, settings)?)
            }
            PlaceVerb::Remove(removal) => {
                (&removal.place, spheres::above(&self.desk, &self.managers, principal, &removal.place)?)
            }
            PlaceVerb::Tie(_) => return Ok(None),
        };
        Ok(refused.map(|refused| refused.about(place)))
    }

    /// A place is as it is set from here on, unless two would then set the same differently on the device of a line; of what
    /// else would be wrong with lines, such as values that are illegal there, the answer tells.
    fn set_place(
        &mut self,
        org: &OrgName,
        principal: &Principal,
        verb: &PlaceVerb,
        path: &PlacePath,
    ) -> Result<Answer, Error> {
        let place = &Place::Below(path.clone());
        let before = self.tied(path)?;
        self.desk.begin_trial();
        let answer = commands::places::ask(&mut self.desk, &mut self.managers, org, verb)?;
        self.ties.change(self.desk.state(), path, &before)?;
        let told_to = hidden::reach_of(&self.desk, &self.managers, principal)?;
        let sample = match answer.is_done() && subscriptions::has_any(self.desk.state(), org)? {
            true => Some(self.sample(place)?),
            false => None,
        };
        let mut wrong = match &sample {
            Some(sample) => self.rehearse(&sample.lines, Scope::default(), told_to)?,
            None => Vec::new(),
        };
        let is_refused = wrong.iter().any(|(.., failing)| failing.is_conflict);
        // What the room wrote where it refused stays.
        let after = self.tied(path)?;
        self.desk.end_trial(!is_refused)?;
        if is_refused {
            self.ties.change(self.desk.state(), path, &after)?;
            wrong.retain(|(.., failing)| failing.is_conflict);
            let (named, recorded) = self.named(principal, wrong)?;
            return Ok(commands::subscriptions::wrong(named, recorded.into_iter()));
        }
        if answer.is_done() {
            self.render(place, Scope::default())?;
        }
        let (named, _) = self.named(principal, wrong)?;
        Ok(self.not_all(sample, answer.warning(named.iter().map(Wrong::told))))
    }

    /// The names of the devices that are tied to a place.
    fn tied(&self, place: &PlacePath) -> Result<Vec<String>, Error> {
        places::ties(self.desk.state(), place).map(|tie| tie.map(|(device, _)| device)).collect()
    }

    /// What would be wrong, in words for whoever asks, and in those that go on record.
    pub(super) fn named(
        &self,
        principal: &Principal,
        wrong: Vec<(PlacePath, String, Failing)>,
    ) -> Result<(Vec<Wrong>, Vec<String>), Error> {
        let reach = rights::reach(&self.managers.known(&self.desk), principal, self.desk.now)?;
        let told = |failing: &Failing| failing.recorded.as_deref().unwrap_or(&failing.told).clone();
        let recorded = wrong.iter().map(|(line, _, failing)| format!("`{line}`: {}", told(failing))).collect();
        let named = wrong.into_iter().map(|(line, id, failing)| Wrong {
            between: commands::wrong::pair(&line, &id, failing.against.as_deref()),
            activation: Some(id),
            is_conflict: failing.is_conflict,
            ..Wrong::value(Some(&Place::Below(line)), failing.shown(|place| reach.covers(place)).to_owned())
        });
        Ok((named.collect(), recorded))
    }

    /// Changes something at a place, unless it is refused for what lines there would come to, and renders them.
    fn change(
        &mut self,
        (place, principal): (&Place, &Principal),
        held: Held,
        scope: Scope<'_>,
        ask: impl FnOnce(&mut Self) -> Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        if !self.desk.is_at(activations::LEVEL) {
            return ask(self);
        }
        let Tried { answer, sample, wrong, told } = self.tried((place, principal), held, scope, ask)?;
        let stays = answer.is_done() && wrong.is_empty();
        self.desk.end_trial(stays)?;
        if !wrong.is_empty() {
            let (named, recorded) = self.named(principal, wrong)?;
            return Ok(commands::subscriptions::wrong(named, recorded.into_iter()));
        }
        if stays {
            self.render(place, scope)?;
        }
        let (told, _) = self.named(principal, told)?;
        Ok(self.not_all(sample, answer.warning(told.iter().map(Wrong::told))))
    }

    /// Changes something at a place, and finds out what lines there would come to. The trial of the state has begun then.
    fn tried(
        &mut self,
        (place, principal): (&Place, &Principal),
        held: Held,
        scope: Scope<'_>,
        ask: impl FnOnce(&mut Self) -> Result<Answer, Error>,
    ) -> Result<Tried, Error> {
        self.desk.begin_trial();
        let answer = ask(self)?;
        // While lines are still to be rendered, what is on devices is not what is to be there.
        let org = place.organization();
        let is_stale = self.jobs.has(|work| match work {
            Work::Render { place, .. } | Work::Rollout { place, .. } => place.organization() == org,
            _ => false,
        });
        let rehearsed = if is_stale { Scope { only: None, ..scope } } else { scope };
        let told_to = hidden::reach_of(&self.desk, &self.managers, principal)?;
        let sample = match answer.is_done() && held != Held::Nothing {
            true => Some(self.sample(place)?),
            false => None,
        };
        let found = match &sample {
            Some(sample) => self.rehearse(&sample.lines, rehearsed, told_to)?,
            None => Vec::new(),
        };
        let is_reason = |(.., failing): &Wrongs| held == Held::All || failing.is_conflict;
        let (wrong, told) = found.into_iter().partition(is_reason);
        Ok(Tried { answer, sample, wrong, told })
    }

    /// Tells with an answer if not all lines were looked at beforehand.
    fn not_all(&self, sample: Option<Sample>, answer: Answer) -> Answer {
        match sample.filter(|sample| !sample.is_all && self.desk.is_at(activations::REHEARSED)) {
            Some(sample) => answer.of_some(&not_all(sample.lines.len())),
            None => answer,
        }
    }
}

/// That more lines are affected than were looked at.
pub(super) fn not_all(looked_at: usize) -> String {
    format!(
        "{looked_at} access lines were looked at, and there are more: what is wrong with those stands there as `failed`"
    )
}

impl Domain {
    /// Devices of a place's lines, and of those below, have what activations come to there.
    pub(crate) fn render(&mut self, place: &Place, scope: Scope<'_>) -> Result<(), Error> {
        let Some(org) = place.organization().filter(|_| self.desk.is_at(activations::LEVEL)) else { return Ok(()) };
        if !subscriptions::has_any(self.desk.state(), org)? && !activations::parts::has_any(self.desk.state(), org)? {
            return Ok(());
        }
        let (lines, is_all) = places::lines_of(self.desk.state(), place, AT_ONCE_MOST)?;
        if is_all {
            return self.render_lines(org, &lines, scope);
        }
        let work = Work::Render { place: place.clone(), again: scope.again.cloned() };
        self.jobs.begin(&mut self.desk, work)
    }

    /// Renders lines of an organization, and tells their devices.
    pub(super) fn render_lines(&mut self, org: &OrgName, lines: &[PlacePath], scope: Scope<'_>) -> Result<(), Error> {
        // Those of one place change none of another.
        let (mut site, ahead) = (None, Ahead::default());
        for line in lines {
            if site != Some(&line.site) {
                site = Some(&line.site);
                let site = PlacePath { line: None, ..line.clone() };
                activations::forget_cuts((&mut self.desk, &ahead), &Place::Below(site))?;
            }
            activations::forget_cuts((&mut self.desk, &ahead), &Place::Below(line.clone()))?;
        }
        let mut around = Surroundings::new(&self.services, &mut self.devices).sharing(&mut self.ties);
        let rendered = render::lines((&mut self.desk, &mut self.leaves), &mut around, lines, scope)?;
        let Rendered { orders, freed, left } = rendered;
        let in_turn = orders.iter().filter_map(|order| Some((order.decided.id.clone(), order.in_turn.clone()?)));
        let in_turn: Vec<(ReactionId, String)> = in_turn.collect();
        let react = |order: Order| Follow::React(Cause::Activation(order.activation), order.decided);
        self.follow(org, &mut None, orders.into_iter().map(react).collect())?;
        self.take_turns(org, scope.job, &in_turn, left)?;
        self.free(org, freed)
    }

    /// Lines that were kept out are tried again.
    pub(super) fn free(&mut self, org: &OrgName, freed: BTreeSet<PlacePath>) -> Result<(), Error> {
        let places: Vec<Place> = match freed.len() {
            0..=FREED_MOST => freed.into_iter().map(Place::Below).collect(),
            _ => vec![Place::Organization(org.clone())],
        };
        places.into_iter().try_for_each(|place| self.jobs.begin(&mut self.desk, Work::Render { place, again: None }))
    }

    /// A device has sent something: where it is called otherwise than before, the lines that name it so are rendered anew.
    /// `before` is what was known of it.
    pub(super) fn render_renamed(
        &mut self,
        org: &OrgName,
        device: &bundle::Device<'_>,
        before: Option<&DeviceRow>,
    ) -> Result<(), Error> {
        let before = before.map(|row| row.host_name.as_str());
        if before == Some(&*device.host_name) {
            return Ok(());
        }
        let names = [before.unwrap_or_default(), &*device.host_name];
        let lines = self.ties.of(self.desk.state(), org, names)?;
        self.free(org, lines.into_iter().filter(|place| place.line.is_some()).collect())
    }

    /// How many lines a slice has, where nobody else is there or somebody is.
    pub(crate) fn slice_lines(&self, is_alone: bool) -> usize {
        let is_large = !self.desk.is_at(activations::PACED) || (is_alone && self.desk.is_at(activations::ALONE));
        if is_large { SLICE_LINES_ALONE } else { SLICE_LINES }
    }

    /// A slice of lines behind a cursor. The cursor where there may be more, and how many there were.
    pub(super) fn render_slice(
        &mut self,
        (place, job): (&Place, u64),
        again: Option<&SubscriptionName>,
        after: &[u8],
        is_alone: bool,
    ) -> Result<(Option<Vec<u8>>, u64), Error> {
        let Some(org) = place.organization() else { return Ok((None, 0)) };
        let (lines, last) = places::lines_behind(self.desk.state(), place, after, self.slice_lines(is_alone))?;
        let is_one = matches!(place, Place::Below(path) if path.line.is_some());
        self.render_lines(org, &lines, Scope { again, job: (!is_one).then_some(job), ..Scope::default() })?;
        if last.is_none() {
            self.end_wave(place, job)?;
        }
        Ok((last, lines.len() as u64))
    }

    /// Everything that is subscribed to is rendered anew: what all services share has changed.
    pub(super) fn render_all(&mut self) -> Result<(), Error> {
        if !self.desk.is_at(activations::LEVEL) {
            return Ok(());
        }
        for org in subscriptions::organizations(self.desk.state())? {
            let place = Place::Organization(org);
            self.jobs.begin(&mut self.desk, Work::Render { place, again: None })?;
        }
        Ok(())
    }

    /// Which lines of a place are rehearsed.
    pub(super) fn sample(&mut self, place: &Place) -> Result<Sample, Error> {
        match self.desk.is_at(activations::REHEARSED) {
            true => Sample::of(self.desk.state(), &mut self.ties, place),
            false => Sample::first(self.desk.state(), place),
        }
    }

    /// What is wrong with lines as they stand, but for parts that have failed already; in words for whoever has a say in
    /// `told_to`, or where there is none in all words.
    pub(super) fn rehearse(
        &mut self,
        lines: &[PlacePath],
        scope: Scope<'_>,
        told_to: Option<Reach>,
    ) -> Result<Vec<(PlacePath, String, Failing)>, Error> {
        let mut around = Surroundings::new(&self.services, &mut self.devices).told_to(told_to);
        let mut rehearsal = Rehearsal::default();
        if self.desk.is_at(activations::FORESEEN) {
            rehearsal.foresee(&self.desk, &mut around, &mut self.ties, lines, scope)?;
        }
        let mut found = Vec::new();
        for line in lines {
            for (id, failing) in rehearsal.line((&self.desk, &mut self.leaves), &mut around, line, scope)? {
                let part = self.desk.read(&activations::parts::key(line, &id))?;
                // What had failed for another reason may come to set what another sets otherwise.
                let is_strict = self.desk.is_at(activations::UTMOST);
                let is_new = |part: &PartRow| {
                    let is_of_two = part.against.is_some() || part.conflict.is_some();
                    is_strict && failing.is_conflict && !is_of_two
                };
                if part.is_none_or(|part| part.state != State::Failed || is_new(&part)) {
                    found.push((line.clone(), id, failing));
                }
            }
        }
        Ok(found)
    }
}

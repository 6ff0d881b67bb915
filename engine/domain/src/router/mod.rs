//! The way of an input through the rooms: which one takes it, and what follows from that.
//!
//! ```text
//!  Input --> clock, timers --> handle: one room --> Vec<Follow> --> follow: one room each, depth first --> ...
//! ```
//!
//! Rooms know the desk and what stands in their signatures; they do not call each other with what follows. This is where
//! one thing leads to another.
//!
//! | room | what |
//! |---|---|
//! | here | what comes in, and what follows |
//! | `commands` | what people and the configuration ask for |
//! | `activations` | what follows from activations: lines are rendered, devices told |
//! | `drift` | what follows from what devices have otherwise than they were told |
//! | `rollouts` | what a rollout would break, found before it begins |
//! | `watch` | what is looked for once a day |
//! | `collected` | what is collected by claim check |
//! | `wishes` | what policies wish of services |
//! | `collecting` | what policies have gathered from devices |
//! | `forwarding` | what policies send on of the provider's messages |
//! | `approvals` | what needs approval: asked for, decided, carried out |
//! | `matches` | whom messages concern: told once they come, and when devices change |
//! | `quotas` | what comes beyond an organization's quota, and who hears of quotas |
//! | `work` | jobs, slice by slice |

mod activations;
mod approvals;
mod collected;
mod collecting;
mod commands;
mod drift;
mod forwarding;
mod matches;
mod pushes;
mod quotas;
mod rollouts;
mod watch;
mod wishes;
mod work;

use std::rc::Rc;
use std::sync::Arc;

use linesman_rules::{Failure, Intent, Policy, Subject};
use linesman_schemas::bundle::Bundle;
use linesman_schemas::command::Handling;
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::outcome::{Attempt, Report};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{ApprovalRule, IncidentId, Mode, OrgName};

use super::activations::{parts, recorded};
use super::cases::wishes::{Joined, Wish, join};
use super::dead_letters::{self, Why};
use super::follow::{Cause, DEPTH_MOST, Follow};
use super::incidents::Found;
use super::incidents::history;
use super::input::{Content, Heard, Input, Provided};
use super::intelligence::matching;
use super::intelligence::provided::Taken;
use super::jobs::Work;
use super::level;
use super::organizations::Standing;
use super::policies::Fired;
use super::snapshots::upward;
use super::subject::{Incident, IntelligenceMessage};
use super::uploads::Whole;
use super::{
    Domain, Error, cases, expiries, incidents, intelligence, level1, level2, level3, level4, level5, level6, level7,
    level9, level10, level11, level12, level13, overrides, reached, reactions, scripts, snapshots, sources, timers,
    uploads,
};

impl Domain {
    /// Decides one input: the clock first, then what fell due, then the input. Of one that is skipped nothing is decided: what
    /// fell due is left to the next.
    ///
    /// # Errors
    /// The machine's own faults only: the input's become dead letters.
    pub fn decide(&mut self, input: &Input<'_>) -> Result<(), Error> {
        let position = &mut self.position;
        let desk = &mut self.desk;
        let stood = self.clock.row();
        position.now = self.clock.hear(position, input, desk.settings.clock_jump_s);
        desk.begin(position.level, position.now, input.sequence, &position.digest);
        // Level 1 named the input before in what it said of the one at hand.
        desk.sequence = if position.level >= 2 { input.sequence } else { position.sequence };
        self.clock.write(desk, stood)?;
        // Before anything is decided: what falls due may be what cannot be passed.
        let overrides = self.overrides.of(input);
        let skipped = overrides::skipped(&overrides);
        match &input.content {
            Content::Broken if skipped.is_none() => return Err(Error::Unreadable),
            Content::Absent(absent) if skipped.is_none() => return Err(Error::Absent(absent.clone())),
            _ => {}
        }
        self.policies.set_aside(self.overrides.aside(&overrides, input.sequence));
        if skipped.is_none() {
            // What is carried out is named by its input, as commands are: one of them each.
            let lapses = usize::from(!matches!(input.content, Content::Command(_)));
            let aside = overrides::skipped_timers(&overrides);
            let rooms = (&self.organizations, &mut self.sightings, &mut self.jobs);
            let undecided = timers::fire(desk, rooms, lapses, &aside)?;
            self.lapse(undecided)?;
            self.desk.firing = None;
        }
        self.desk.doers.clear();
        let level = self.position.level;
        let before = match level {
            1 => level1::read(self.desk.lane, input),
            2 => level2::read(&input.content),
            3 => level3::read(&input.content),
            4 => level4::read(&input.content),
            5 => level5::read(&input.content),
            7 => level7::read(&input.content),
            8 | 9 => level9::read(&input.content),
            10 => level10::read(&input.content),
            11 => level11::read(&input.content),
            12 => level12::read(&input.content),
            13 => level13::read(&input.content),
            _ => None,
        };
        let before = if level <= 6 { before.or_else(|| level6::read(&input.content)) } else { before };
        self.services.shelf().decides_at(level);
        let dropped = match skipped {
            Some(why) => self.skip(input, why)?,
            None => {
                self.handle(input, before.as_ref().unwrap_or(&input.content))?;
                None
            }
        };
        self.record_overrides(&overrides, dropped.as_ref())?;
        level::check(self.desk.level)?;
        self.position.level = self.desk.level;
        self.position.sequence = input.sequence;
        self.position.message = input.sha256;
        self.position.digest = self.desk.end();
        self.spans.add(&mut self.desk, input)
    }

    fn handle(&mut self, input: &Input<'_>, content: &Content<'_>) -> Result<(), Error> {
        if input.org.is_empty() {
            return self.handle_control(input, content);
        }
        if let Content::Command(command) = content {
            return self.take_command(input, command);
        }
        let Some((org, standing)) = self.organizations.find(input.org) else {
            let detail = format!("there is no organization `{}`", input.org.chars().take(80).collect::<String>());
            let why = Why { reason: Reason::UnknownOrganization, detail: &detail, place: None };
            return dead_letters::set_aside(&mut self.desk, None, input, &why);
        };
        // Results of what was decided before the suspension still count.
        if standing == Standing::Suspended && !matches!(content, Content::Report(_)) {
            let detail = format!("the organization `{org}` is suspended");
            let why = Why { reason: Reason::OrganizationSuspended, detail: &detail, place: None };
            return dead_letters::set_aside(&mut self.desk, Some(&org), input, &why);
        }
        if self.leaves(&org, input)? {
            return Ok(());
        }
        let read;
        let content = match content {
            Content::Unread => {
                read = Content::decode(input.kind, input.bytes);
                &read
            }
            content => content,
        };
        match content.at(self.desk.level) {
            Content::Bundle(bundle) => self.take_bundle(&org, bundle, input, None),
            Content::Intelligence(heard) => self.take_intelligence(&org, heard, input),
            Content::Report(report) => self.take_report(&org, report, input),
            Content::Undecodable { reason, detail, place } => {
                let why = Why { reason: *reason, detail, place: *place };
                dead_letters::set_aside(&mut self.desk, Some(&org), input, &why)
            }
            // Control messages have no organization, and commands were brought to their room above.
            Content::Command(_)
            | Content::RuleBook(_)
            | Content::Attempt(_)
            | Content::Tick
            | Content::Level(_)
            | Content::Continue { .. }
            | Content::Cursor(_)
            | Content::Provided(_)
            | Content::Expiry(_)
            | Content::Clock(_)
            | Content::Broken
            | Content::Absent(_)
            | Content::ByLevel(_)
            | Content::Unread => Ok(()),
        }
    }

    /// What concerns the lane, or the provider, not an organization.
    fn handle_control(&mut self, input: &Input<'_>, content: &Content<'_>) -> Result<(), Error> {
        let desk = &mut self.desk;
        match content {
            Content::RuleBook(book) => {
                let shared = self.services.parameters();
                let before = desk.installed.clone();
                let judged_by = (&mut self.policies, &mut self.managers, &mut self.services);
                self.books.take_up(desk, &self.organizations, judged_by, book, input.sequence)?;
                if before != desk.installed {
                    for org in self.organizations.names() {
                        self.jobs.begin(desk, Work::ReviewPending(org))?;
                    }
                    for org in self.organizations.names() {
                        self.look_at_kept(&org)?;
                    }
                }
                if shared == self.services.parameters() { Ok(()) } else { self.render_all() }
            }
            Content::Level(level) => {
                let is_news = *level > desk.level;
                desk.tally.input("ctl", if is_news { "level" } else { "known" });
                let was_at = desk.level;
                desk.level = desk.level.max(*level);
                if !is_news {
                    return Ok(());
                }
                self.services.keep(desk)?;
                // What ended before is to go too.
                for org in self.organizations.names() {
                    self.look_at_kept(&org)?;
                }
                self.begin_rounds(was_at)?;
                self.render_all()
            }
            Content::Attempt(attempt) => self.settle(None, attempt),
            Content::Command(command) => self.take_command(input, command),
            Content::Continue { is_alone } => self.carry_on(*is_alone),
            Content::Cursor(report) if desk.lane == 0 => sources::take(desk, report),
            Content::Expiry(expiry) if desk.lane == 0 => match expiries::take(desk, expiry)? {
                Some((fired, subject)) => self.judge(&OrgName::provider(), fired, subject),
                None => Ok(()),
            },
            Content::Provided(provided) => self.take_provided(input, provided),
            Content::Cursor(_) | Content::Expiry(_) => {
                let detail = "cursors of sources, and what runs out, are kept on lane 0";
                let why = Why { reason: Reason::CommandUndecodable, detail, place: None };
                dead_letters::set_aside_control(desk, input, &why)
            }
            Content::Undecodable { reason, detail, place } => {
                let why = Why { reason: *reason, detail, place: *place };
                dead_letters::set_aside_control(desk, input, &why)
            }
            Content::Clock(_) => {
                desk.tally.input("ctl", "clock");
                Ok(())
            }
            Content::Tick
            | Content::Bundle(_)
            | Content::Intelligence(_)
            | Content::Report(_)
            | Content::Broken
            | Content::Absent(_)
            | Content::ByLevel(_)
            | Content::Unread => {
                desk.tally.input("ctl", "tick");
                Ok(())
            }
        }
    }

    /// The lane has come to a level: from some on the newest snapshots of devices go to the upstream.
    pub(super) fn begin_rounds(&mut self, was_at: u32) -> Result<(), Error> {
        self.begin_watch(was_at)?;
        if was_at >= upward::LEVEL || !self.desk.is_at(upward::LEVEL) {
            return Ok(());
        }
        let orgs = self.organizations.names();
        orgs.iter().try_for_each(|org| upward::set_interval(&mut self.desk, &self.organizations, org))
    }

    /// A problem becomes an incident, which policies judge; information a snapshot of its device. `whole` is where the bytes are of
    /// one that is an outline.
    pub(super) fn decide_bundle(
        &mut self,
        org: &OrgName,
        bundle: &Bundle<'_>,
        input: &Input<'_>,
        whole: Option<&Whole<'_>>,
    ) -> Result<(), Error> {
        let (desk, devices) = (&mut self.desk, &mut self.devices);
        let is_bounded = desk.is_at(6) && desk.mode == Mode::Demo;
        if is_bounded && devices.is_beyond(desk, org, &bundle.manifest.device.serial_number, Mode::DEMO_DEVICES)? {
            let detail =
                format!("mode `{}` has at most {} devices, and this is another", desk.mode, Mode::DEMO_DEVICES);
            let why = Why { reason: Reason::DeviceLimit, detail: &detail, place: None };
            return dead_letters::set_aside(desk, Some(org), input, &why);
        }
        let device = &bundle.manifest.device;
        let before = match desk.is_at(crate::activations::UTMOST) {
            true => Some(devices.find(desk, org, &device.serial_number)?),
            false => None,
        };
        let (Some(kind), Some(problem)) = (bundle.incident_kind(), &bundle.manifest.problem) else {
            snapshots::take(desk, &self.organizations, devices, org, bundle, input)?;
            if let Some(whole) = whole {
                uploads::keep_newest(desk, org, bundle, input, whole)?;
            }
            let parts = snapshots::parts::take(desk, org, bundle, input)?;
            let Some(before) = before else { return Ok(()) };
            self.render_renamed(org, device, before.as_deref())?;
            return self.expose(org, device, before.as_deref(), parts);
        };
        let found = Found { kind, problem, bundle, input };
        let mut incident = incidents::take(desk, &self.organizations, devices, &mut self.sightings, org, &found)?;
        if let (Some(incident), Some(whole)) = (&mut incident, whole) {
            uploads::keep_own(desk, incident, bundle, input, whole)?;
        }
        if let Some(incident) = &incident {
            incidents::history::damaged(&mut self.desk, incident, bundle)?;
        }
        let parts = snapshots::parts::take(&mut self.desk, org, bundle, input)?;
        if let Some(before) = &before {
            self.render_renamed(org, device, before.as_deref())?;
        }
        if let Some(incident) = incident {
            let mut follows = incidents::detected();
            if self.lacks_address(&incident)? {
                follows.insert(1, Follow::Trigger(Trigger::IncidentWithoutAddress));
            }
            self.follow(org, &mut Some(incident), follows)?;
        }
        before.map_or(Ok(()), |before| self.expose(org, device, before.as_deref(), parts))
    }

    fn take_intelligence(&mut self, org: &OrgName, heard: &Heard, input: &Input<'_>) -> Result<(), Error> {
        let Heard { message, stray } = heard;
        if let Some(stray) = stray.as_ref().filter(|_| self.desk.is_at(intelligence::STRICT)) {
            let (detail, place) = intelligence::of_stray(stray);
            let why = Why { reason: Reason::IntelligenceUndecodable, detail: &detail, place };
            return dead_letters::set_aside(&mut self.desk, Some(org), input, &why);
        }
        if message.recalled && self.desk.is_at(intelligence::RECALLED_FROM) {
            // What was taken back concerns none of its devices any more.
            self.exposures.forget(Some(org));
            return intelligence::recall(&mut self.desk, org, &message.id);
        }
        match intelligence::take(&mut self.desk, org, message)? {
            Some((fired, message)) => self.received(org, fired, message),
            None => Ok(()),
        }
    }

    /// An organization has a message that it had not: policies judge it, and it is held against devices.
    fn received(&mut self, org: &OrgName, fired: Fired, mut subject: IntelligenceMessage) -> Result<(), Error> {
        let (id, relevance) = (subject.message.id.clone(), subject.message.relevance.clone());
        if self.desk.is_at(matching::LEVEL) && self.policies.listen(fired.trigger) {
            subject.affected = Some(matching::affected(&self.desk, org, &relevance)?);
        }
        self.judge(org, fired, subject)?;
        self.match_message(Some(org), &id)
    }

    /// A message of the provider's has come.
    fn take_provided(&mut self, input: &Input<'_>, provided: &Provided) -> Result<(), Error> {
        match intelligence::provided::take(&mut self.desk, provided)? {
            Taken::Known => Ok(()),
            Taken::Kept => self.match_message(None, &provided.named.id),
            Taken::Unreadable(detail) => {
                let why = Why { reason: Reason::CommandUndecodable, detail: &detail, place: None };
                dead_letters::set_aside_control(&mut self.desk, input, &why)
            }
        }
    }

    /// Lets policies judge what is no incident.
    fn judge(&mut self, org: &OrgName, fired: Fired, subject: impl Subject + 'static) -> Result<(), Error> {
        let subject: Rc<dyn Subject> = Rc::new(subject);
        let judged = self.policies.matching(org, fired, &*subject, || Rc::clone(&subject));
        self.follow(org, &mut None, judged).map(drop)
    }

    /// What a connector says of an attempt, or besides attempts.
    fn take_report(&mut self, org: &OrgName, report: &Report, input: &Input<'_>) -> Result<(), Error> {
        let standing = match report {
            Report::Attempt(attempt) => return self.settle(Some(org), attempt),
            Report::CaseChanged(standing) => standing,
            Report::DeviceStands(standing) => {
                return match reached::stands(&mut self.desk, org, standing)? {
                    Some((fired, device)) => self.judge(org, fired, device),
                    None => Ok(()),
                };
            }
            Report::JmbSetAside(error) => return reached::set_aside(&mut self.desk, org, error),
            Report::JmbErrorEnded(ended) => return reached::ended(&mut self.desk, org, ended),
            Report::GatheringStands(report) => return reached::gathering_stands(&mut self.desk, org, report),
            Report::BundleKept(kept) => return self.take_kept(org, kept, input),
            Report::FilesNamed(named) => return self.take_named(org, named),
            Report::FileTried(tried) => return self.take_tried(org, tried),
            Report::ScriptsStand(standing) => {
                return scripts::stands(&mut self.desk, org, standing, self.books.row().version);
            }
            Report::GroupRead(read) => return self.take_drift(org, read),
        };
        let incident = if standing.incident.org == *org { self.incident(&standing.incident)? } else { None };
        match incident.filter(|incident| incident.case.is_some()) {
            Some(incident) => {
                self.desk.tally.input("result", "case");
                self.follow(org, &mut Some(incident), vec![Follow::CaseStands(standing.clone())]).map(drop)
            }
            None => {
                let detail = format!("there is no case for the incident `{}`", standing.incident);
                let why = Why { reason: Reason::UnknownCase, detail: &detail, place: None };
                dead_letters::set_aside(&mut self.desk, Some(org), input, &why)
            }
        }
    }

    fn settle(&mut self, org: Option<&OrgName>, attempt: &Attempt) -> Result<(), Error> {
        let about = org.map_or(Ok(None), |org| self.pushed(org, attempt))?;
        let heard = match org {
            Some(org) => recorded::of(&self.desk, self.services.shelf(), org, (about.as_ref(), attempt))?,
            None => None,
        };
        let next = reactions::settle(&mut self.desk, org, attempt.clone())?;
        // What follows is about an incident, or a device, and so has an organization.
        let Some(org) = org else { return Ok(()) };
        if let Some(heard) = heard {
            let is_over = reactions::find(&self.desk, org, &attempt.reaction)?.is_none();
            heard.record(&mut self.desk, org, (attempt, is_over), self.books.row().version)?;
        }
        if let Some(next) = next {
            self.follow(org, &mut None, vec![next])?;
        }
        about.map_or(Ok(()), |about| self.hear_of_push(org, &about, attempt))
    }

    /// An incident with its device and its case.
    pub(crate) fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, Error> {
        incidents::find(&self.desk, &self.devices, id)
    }
}

// What follows.
impl Domain {
    /// Carries what follows to the rooms, depth first, until nothing does. `hand` is the incident that it is about; the
    /// last failure of a policy.
    fn follow(
        &mut self,
        org: &OrgName,
        hand: &mut Option<Incident>,
        first: Vec<Follow>,
    ) -> Result<Option<Failure>, Error> {
        let mut failure = None;
        if let Some(incident) = hand {
            history::begin(&self.desk, incident);
        }
        let mut steps: Vec<(usize, Follow)> = first.into_iter().rev().map(|step| (0, step)).collect();
        while let Some((depth, step)) = steps.pop() {
            let deeper = depth + usize::from(matches!(step, Follow::Trigger(_) | Follow::Changed(_)));
            let by = step.by(hand.as_ref()).filter(|_| self.desk.is_at(history::LEVEL));
            let next = self.step(org, hand, deeper, step, &mut failure)?;
            steps.extend(next.into_iter().rev().map(|step| (deeper, step)));
            // What was changed is told before what follows from it.
            let told = by.and_then(|by| history::look(hand.as_mut()?, &by));
            steps.extend(told.map(|told| (deeper, Follow::Changed(told))));
        }
        Ok(failure)
    }

    /// One step: the room it concerns, and what that leaves to others.
    fn step(
        &mut self,
        org: &OrgName,
        hand: &mut Option<Incident>,
        depth: usize,
        step: Follow,
        failure: &mut Option<Failure>,
    ) -> Result<Vec<Follow>, Error> {
        let desk = &mut self.desk;
        match (step, hand.as_mut()) {
            (Follow::Trigger(trigger), Some(incident)) => {
                let fired = incidents::tell(desk, &self.organizations, trigger, incident)?;
                if depth > DEPTH_MOST {
                    return dead_letters::too_deep(desk, org, &fired).map(|()| Vec::new());
                }
                let subject = || -> Rc<dyn Subject> { Rc::new(incident.clone()) };
                Ok(self.policies.matching(org, fired, incident, subject))
            }
            (Follow::Changed(told), Some(incident)) => {
                let fired = history::tell(desk, incident, told)?;
                if history::is_beyond(desk) {
                    return history::end(desk, org, &fired).map(|()| Vec::new());
                }
                if depth > DEPTH_MOST {
                    return dead_letters::too_deep(desk, org, &fired).map(|()| Vec::new());
                }
                let subject = || -> Rc<dyn Subject> { Rc::new(incident.clone()) };
                Ok(self.policies.matching(org, fired, incident, subject))
            }
            (Follow::Judge(_, fired, _) | Follow::Intent(_, fired, ..), _)
                if fired.trigger == Trigger::IncidentChanged && history::is_beyond(desk) =>
            {
                Ok(Vec::new())
            }
            (Follow::OpenCase, Some(incident)) => self.open_case(org, incident),
            (Follow::Judge(policy, fired, subject), _) => {
                let known = (&self.organizations, &mut self.devices);
                match self.policies.judge(desk, known, org, &policy, &fired, &subject)? {
                    Ok(intents) => Ok(intended(&policy, &fired, intents)),
                    Err(failed) => {
                        *failure = Some(failed);
                        Ok(Vec::new())
                    }
                }
            }
            (Follow::Intent(policy, fired, intent, rule), incident) => {
                self.intend(org, incident, (policy, fired), intent, rule)
            }
            (Follow::React(cause, decided), incident) => {
                let told = cause.told(org);
                let is_suspended = self.organizations.is_suspended(&told);
                reactions::react(desk, &told, incident.as_deref(), &cause, &decided, is_suspended)?;
                Ok(Vec::new())
            }
            (Follow::CaseAccepted { incident, transaction_id, standing, by_partner }, _) => {
                cases::taken::note(&mut self.desk, &incident, by_partner)?;
                *hand = self.incident(&incident)?;
                let Some(incident) = hand else { return Ok(Vec::new()) };
                uploads::with_bundle(&mut self.desk, &self.organizations, incident)?;
                let (desk, organizations) = (&mut self.desk, &self.organizations);
                let mut follows = cases::accepted(desk, organizations, incident, &transaction_id, standing);
                follows.push(Follow::Upload);
                Ok(follows)
            }
            (Follow::CaseStands(standing), Some(incident)) => {
                let mut follows = cases::stands(desk, incident, standing);
                follows.push(Follow::Upload);
                Ok(follows)
            }
            (Follow::Upload, Some(incident)) => uploads::begin(desk, &self.organizations, incident),
            (Follow::Uploaded { incident, reaction, left }, _) => {
                uploads::sent(desk, &incident, reaction.as_str(), left).map(|()| Vec::new())
            }
            (Follow::SnapshotEnded { reaction, is_there }, _) => {
                upward::ended(desk, org, reaction.as_str(), is_there).map(|()| Vec::new())
            }
            (Follow::RouteCase, Some(incident)) if cases::cascade::is_unrouted(incident) => {
                if self.awaits_routing(org, incident)? {
                    return Ok(Vec::new());
                }
                Ok(cases::cascade::route(&mut self.desk, &self.organizations, incident))
            }
            (Follow::CaseTold { incident, reaction }, _) => {
                *hand = self.incident(&incident)?;
                let Some(incident) = hand else { return Ok(Vec::new()) };
                Ok(cases::cascade::told(&mut self.desk, &self.organizations, incident, reaction.as_str()))
            }
            (Follow::ReactionFailed { incident, reaction }, _) => {
                if uploads::failed(desk, &incident, reaction.as_str())? {
                    return Ok(Vec::new());
                }
                *hand = self.incident(&incident)?;
                let Some(incident) = hand else { return Ok(Vec::new()) };
                if !cases::is_opened_by(incident, &reaction) {
                    return Ok(cases::cascade::told(&mut self.desk, &self.organizations, incident, reaction.as_str()));
                }
                cases::fail(incident);
                Ok(vec![Follow::Keep])
            }
            (Follow::Configured { device, group, reaction, answer }, _) => {
                let anew = parts::settle(desk, &mut self.leaves, org, (&device, &group), &reaction, answer)?;
                self.free(org, anew.into_iter().collect()).map(|()| Vec::new())
            }
            (Follow::Keep, Some(incident)) if !incident.wishes.is_empty() => Ok(vec![Follow::OpenCase, Follow::Keep]),
            (Follow::Keep, Some(incident)) => {
                incidents::keep(desk, incident)?;
                uploads::look_after(desk, incident).map(|()| Vec::new())
            }
            // The rules refuse what is about an incident where there is none.
            (
                Follow::Trigger(_)
                | Follow::Changed(_)
                | Follow::OpenCase
                | Follow::CaseStands(_)
                | Follow::Upload
                | Follow::Keep,
                None,
            )
            | (Follow::RouteCase, _) => Ok(Vec::new()),
        }
    }

    /// Opens the case that policies want for an incident, once all have had their say.
    fn open_case(&mut self, org: &OrgName, incident: &mut Incident) -> Result<Vec<Follow>, Error> {
        let desk = &mut self.desk;
        let wishes = std::mem::take(&mut incident.wishes);
        let Some(Joined { policy, fired, words, others }) = join(wishes, incident.row.priority) else {
            return Ok(Vec::new());
        };
        if let Err(detail) = cases::place(desk, incident, &words)? {
            dead_letters::policy_dead(desk, org, &policy, &fired, format!("refused: {detail}"), None)?;
            return Ok(Vec::new());
        }
        incident.joined = others;
        let opened = cases::open(desk, &self.organizations, incident, Cause::Policy(policy, fired), words);
        Ok(opened.and_then(|(_, follows)| follows).into_iter().collect())
    }

    /// A policy wants something done.
    fn intend(
        &mut self,
        org: &OrgName,
        incident: Option<&mut Incident>,
        (policy, fired): (Arc<Policy>, Rc<Fired>),
        intent: Intent,
        rule: ApprovalRule,
    ) -> Result<Vec<Follow>, Error> {
        let desk = &mut self.desk;
        match (intent, incident) {
            (Intent::SubmitCase(words), Some(incident)) => {
                if let Err(detail) = cases::place(desk, incident, &words)? {
                    dead_letters::policy_dead(desk, org, &policy, &fired, format!("refused: {detail}"), None)?;
                    return Ok(Vec::new());
                }
                if desk.is_at(history::LEVEL) {
                    return cases::want(desk, incident, Wish { policy, fired, words }).map(|()| Vec::new());
                }
                let opened = cases::open(desk, &self.organizations, incident, Cause::Policy(policy, fired), words);
                Ok(opened.and_then(|(_, reaction)| reaction).into_iter().collect())
            }
            (Intent::RouteCase(handling), Some(incident)) => {
                // The first that says so is heard.
                if !cases::cascade::is_unrouted(incident) {
                    return Ok(Vec::new());
                }
                let by = approvals::ByPolicy { policy: &policy, fired: &fired, rule };
                if handling == Handling::Forward && self.awaits_forwarding(org, incident, Some(&by))? {
                    return Ok(Vec::new());
                }
                let desk = &mut self.desk;
                let cause = Cause::Policy(policy, fired);
                let routed = match handling {
                    Handling::Forward => cases::cascade::forward(desk, &self.organizations, incident, cause),
                    Handling::Own => cases::cascade::handle(incident).map(|()| Vec::new()),
                };
                Ok(routed.unwrap_or_default())
            }
            (Intent::SetPriority(priority), Some(incident)) => {
                incident.row.priority = priority;
                Ok(Vec::new())
            }
            (Intent::Assign(owner), Some(incident)) => {
                incidents::assign_to(&mut incident.row, owner);
                Ok(Vec::new())
            }
            (Intent::CloseIncident(note), Some(incident)) => {
                incidents::close_by(desk, incident, &format!("policy {}", policy.name()), &note)?;
                Ok(Vec::new())
            }
            (Intent::Notify(notification), _) => {
                let decided = reactions::notify(desk, org, &policy, &fired, notification)?;
                Ok(decided.map(|decided| Follow::React(Cause::Policy(policy, fired), decided)).into_iter().collect())
            }
            (Intent::Publish { name, data }, incident) => {
                let cause = Cause::Policy(Arc::clone(&policy), Rc::clone(&fired));
                reactions::publish(desk, org, incident.as_deref(), (&policy, &fired), &cause, (&name, data))?;
                Ok(Vec::new())
            }
            (Intent::Activate(wish), incident) => {
                self.wish(org, incident.as_deref(), (&policy, &fired, rule), wish, true).map(|()| Vec::new())
            }
            (Intent::Deactivate(wish), incident) => {
                self.wish(org, incident.as_deref(), (&policy, &fired, rule), wish, false).map(|()| Vec::new())
            }
            (Intent::Collect(collecting), Some(incident)) => {
                self.collect(org, incident, (&policy, &fired), collecting).map(|()| Vec::new())
            }
            (Intent::ForwardIntelligence(forwarding), _) => {
                self.forward(org, (&policy, &fired, rule), forwarding).map(|()| Vec::new())
            }
            // It is of what is asked for behind it.
            (Intent::RequireApproval(_), _) => Ok(Vec::new()),
            // The rules refuse these where there is no incident.
            (
                Intent::SubmitCase(_)
                | Intent::RouteCase(_)
                | Intent::SetPriority(_)
                | Intent::Assign(_)
                | Intent::CloseIncident(_)
                | Intent::Collect(_),
                None,
            ) => Ok(Vec::new()),
        }
    }
}

/// What a run of a policy wants done, each with what the run has said before it of approvals.
fn intended(policy: &Arc<Policy>, fired: &Rc<Fired>, intents: Vec<Intent>) -> Vec<Follow> {
    let mut rule = ApprovalRule::None;
    let mut follows = Vec::with_capacity(intents.len());
    for intent in intents {
        match intent {
            Intent::RequireApproval(needed) => rule = rule.max(needed),
            intent => follows.push(Follow::Intent(Arc::clone(policy), Rc::clone(fired), intent, rule)),
        }
    }
    follows
}

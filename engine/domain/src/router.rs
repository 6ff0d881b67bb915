//! The way of an input through the rooms: which one takes it, and what follows from that.
//!
//! ```text
//!  Input --> clock, timers --> handle: one room --> Vec<Follow> --> follow: one room each, depth first --> ...
//! ```
//!
//! Rooms know the desk and what stands in their signatures; they do not call each other with what follows. This file is
//! where one thing leads to another.

use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use linesman_rules::{Failure, Intent, Policy, Subject};
use linesman_schemas::audit::Verdict;
use linesman_schemas::bundle::Bundle;
use linesman_schemas::command::{
    Audit as AuditVerb, Case, Command, Input as InputVerb, Organization, Policy as PolicyVerb, PolicyRun, Verb,
};
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::intelligence::Intelligence;
use linesman_schemas::outcome::{Attempt, Report};
use linesman_schemas::{IncidentId, OrgName, name::NameError};
use serde_json::{Value, json};

use super::commands::policies::{Again, Failed};
use super::commands::{self, Answer, Change, Ground, Told};
use super::dead_letters::{self, Why};
use super::desk::Desk;
use super::follow::{Cause, DEPTH_MOST, Follow};
use super::incidents::Found;
use super::input::{Content, Input};
use super::jobs::{SLICE_BYTES, SLICE_ROWS, Work};
use super::level;
use super::organizations::{Organizations, Standing};
use super::policies::Fired;
use super::subject::{AuditRecord, Incident};
use super::{
    Domain, Error, audit, cases, incidents, intelligence, level1, level2, level3, reactions, snapshots, sources, timers,
};

impl Domain {
    /// Decides one input: the clock first, then what fell due, then the input.
    ///
    /// # Errors
    /// The machine's own faults only: the input's become dead letters.
    pub fn decide(&mut self, input: &Input<'_>) -> Result<(), Error> {
        let position = &mut self.position;
        position.now = position.now.max(input.time);
        let desk = &mut self.desk;
        desk.begin(position.level, position.now, input.sequence, &position.digest);
        // Level 1 named the input before in what it said of the one at hand.
        desk.sequence = if position.level >= 2 { input.sequence } else { position.sequence };
        timers::fire(desk, &mut self.sightings, &mut self.jobs)?;
        let before = match position.level {
            1 => level1::read(self.desk.lane, input),
            2 => level2::read(&input.content),
            3 => level3::read(&input.content),
            _ => None,
        };
        self.handle(input, before.as_ref().unwrap_or(&input.content))?;
        level::check(self.desk.level)?;
        self.position.level = self.desk.level;
        self.position.sequence = input.sequence;
        self.position.message = input.sha256;
        self.position.digest = self.desk.end();
        Ok(())
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
        match content {
            Content::Bundle(bundle) => self.take_bundle(&org, bundle, input),
            Content::Intelligence(message) => self.take_intelligence(&org, message),
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
            | Content::Continue
            | Content::Cursor(_) => Ok(()),
        }
    }

    /// What concerns the lane, or the provider, not an organization.
    fn handle_control(&mut self, input: &Input<'_>, content: &Content<'_>) -> Result<(), Error> {
        let desk = &mut self.desk;
        match content {
            Content::RuleBook(book) => {
                let judged_by = (&mut self.policies, &mut self.managers, &mut self.services);
                self.books.take_up(desk, &self.organizations, judged_by, book, input.sequence)
            }
            Content::Level(level) => {
                let is_news = *level > desk.level;
                desk.tally.input("ctl", if is_news { "level" } else { "known" });
                desk.level = desk.level.max(*level);
                if is_news { self.services.keep(desk) } else { Ok(()) }
            }
            Content::Attempt(attempt) => self.settle(None, attempt),
            Content::Command(command) => self.take_command(input, command),
            Content::Continue => self.carry_on(),
            Content::Cursor(report) if desk.lane == 0 => sources::take(desk, report),
            Content::Cursor(_) => {
                let detail = "cursors of sources are kept on lane 0";
                let why = Why { reason: Reason::CommandUndecodable, detail, place: None };
                dead_letters::set_aside_control(desk, input, &why)
            }
            Content::Undecodable { reason, detail, place } => {
                let why = Why { reason: *reason, detail, place: *place };
                dead_letters::set_aside_control(desk, input, &why)
            }
            Content::Tick | Content::Bundle(_) | Content::Intelligence(_) | Content::Report(_) => {
                desk.tally.input("ctl", "tick");
                Ok(())
            }
        }
    }

    /// A problem becomes an incident, which policies judge; information a snapshot of its device.
    fn take_bundle(&mut self, org: &OrgName, bundle: &Bundle<'_>, input: &Input<'_>) -> Result<(), Error> {
        let (desk, devices) = (&mut self.desk, &mut self.devices);
        let (Some(kind), Some(problem)) = (bundle.incident_kind(), &bundle.manifest.problem) else {
            return snapshots::take(desk, &self.organizations, devices, org, bundle, input);
        };
        let found = Found { kind, problem, bundle, input };
        match incidents::take(desk, &self.organizations, devices, &mut self.sightings, org, &found)? {
            Some(incident) => self.follow(org, &mut Some(incident), incidents::detected()).map(drop),
            None => Ok(()),
        }
    }

    fn take_intelligence(&mut self, org: &OrgName, message: &Intelligence) -> Result<(), Error> {
        let Some((fired, message)) = intelligence::take(&mut self.desk, org, message)? else { return Ok(()) };
        self.judge(org, fired, message)
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
        let Some(next) = reactions::settle(&mut self.desk, org, attempt.clone())? else { return Ok(()) };
        // What follows is about an incident, and so has an organization.
        let Some(org) = org else { return Ok(()) };
        self.follow(org, &mut None, vec![next]).map(drop)
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
        let mut steps: Vec<(usize, Follow)> = first.into_iter().rev().map(|step| (0, step)).collect();
        while let Some((depth, step)) = steps.pop() {
            let deeper = depth + usize::from(matches!(step, Follow::Trigger(_)));
            let next = self.step(org, hand, deeper, step, &mut failure)?;
            steps.extend(next.into_iter().rev().map(|step| (deeper, step)));
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
                let fired = incidents::tell(desk, trigger, incident)?;
                if depth > DEPTH_MOST {
                    return dead_letters::too_deep(desk, org, &fired).map(|()| Vec::new());
                }
                let subject = || -> Rc<dyn Subject> { Rc::new(incident.clone()) };
                Ok(self.policies.matching(org, fired, incident, subject))
            }
            (Follow::Judge(policy, fired, subject), _) => {
                match self.policies.judge(desk, &self.organizations, org, &policy, &fired, &subject)? {
                    Ok(intents) => {
                        let intended = |intent| Follow::Intent(Arc::clone(&policy), Rc::clone(&fired), intent);
                        Ok(intents.into_iter().map(intended).collect())
                    }
                    Err(failed) => {
                        *failure = Some(failed);
                        Ok(Vec::new())
                    }
                }
            }
            (Follow::Intent(policy, fired, intent), incident) => self.intend(org, incident, policy, fired, intent),
            (Follow::React(cause, decided), incident) => {
                let is_suspended = self.organizations.is_suspended(org);
                reactions::react(desk, org, incident.as_deref(), &cause, &decided, is_suspended)?;
                Ok(Vec::new())
            }
            (Follow::CaseAccepted { incident, transaction_id, standing }, _) => {
                *hand = self.incident(&incident)?;
                let Some(incident) = hand else { return Ok(Vec::new()) };
                Ok(cases::accepted(incident, &transaction_id, standing))
            }
            (Follow::CaseStands(standing), Some(incident)) => Ok(cases::stands(desk, incident, standing)),
            (Follow::ReactionFailed { incident, reaction }, _) => {
                *hand = self.incident(&incident)?.filter(|incident| cases::is_opened_by(incident, &reaction));
                let Some(incident) = hand else { return Ok(Vec::new()) };
                cases::fail(incident);
                Ok(vec![Follow::Keep])
            }
            (Follow::Keep, Some(incident)) => incidents::keep(desk, incident).map(|()| Vec::new()),
            // The rules refuse what is about an incident where there is none.
            (Follow::Trigger(_) | Follow::CaseStands(_) | Follow::Keep, None) => Ok(Vec::new()),
        }
    }

    /// A policy wants something done.
    fn intend(
        &mut self,
        org: &OrgName,
        incident: Option<&mut Incident>,
        policy: Arc<Policy>,
        fired: Rc<Fired>,
        intent: Intent,
    ) -> Result<Vec<Follow>, Error> {
        let desk = &mut self.desk;
        match (intent, incident) {
            (Intent::SubmitCase(words), Some(incident)) => {
                let opened = cases::open(desk, &self.organizations, incident, Cause::Policy(policy, fired), words);
                Ok(opened.and_then(|(_, reaction)| reaction).into_iter().collect())
            }
            (Intent::SetPriority(priority), Some(incident)) => {
                incident.row.priority = priority;
                Ok(Vec::new())
            }
            (Intent::Assign(owner), Some(incident)) => {
                incidents::assign_to(&mut incident.row, owner);
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
            // The rules refuse these where there is no incident.
            (Intent::SubmitCase(_) | Intent::SetPriority(_) | Intent::Assign(_), None) => Ok(Vec::new()),
        }
    }
}

// Commands.
impl Domain {
    /// Does a command once: said again under the same id it changes nothing.
    fn take_command(&mut self, input: &Input<'_>, command: &Command) -> Result<(), Error> {
        let org: Option<OrgName> = match input.org {
            "" if self.desk.lane == 0 || self.is_of_lane(command) => None,
            "" => {
                let detail = "commands of the provider are decided on lane 0";
                let why = Why { reason: Reason::CommandUndecodable, detail, place: None };
                return dead_letters::set_aside_control(&mut self.desk, input, &why);
            }
            name => match name.parse() {
                Ok(org) => Some(org),
                Err(error) => {
                    let error: NameError = error;
                    let detail = error.to_string();
                    let why = Why { reason: Reason::UnknownOrganization, detail: &detail, place: None };
                    return dead_letters::set_aside(&mut self.desk, None, input, &why);
                }
            },
        };
        let org = org.as_ref();
        if commands::is_repeated(&self.desk, org, command)? {
            self.desk.tally.input("cmd", "repeated");
            return Ok(());
        }
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
        let answer = match (commands::refusal(&self.desk, &self.managers, org, command)?, org) {
            (Some(refused), _) => refused,
            (None, Some(org)) => self.carry_out(org, command)?,
            (None, None) => self.carry_out_for_provider(command)?,
        };
        self.managers.compose(&mut self.desk, &self.books)?;
        let is_known = org.is_some_and(|org| self.organizations.row(org).is_some());
        match (org, commands::conclude(&mut self.desk, org, is_known, command, answer, ground)?) {
            (Some(org), Some(told)) => self.hear(org, told),
            _ => Ok(()),
        }
    }

    /// Policies hear of what was told to the audit. It stands by now: they change nothing of it.
    fn hear(&mut self, org: &OrgName, told: Told) -> Result<(), Error> {
        let Told { trigger, event, records } = told;
        if !self.policies.listen(trigger) {
            return Ok(());
        }
        for index in records {
            let Some(record) = audit::find(&self.desk, org, index)? else { continue };
            let fired = Fired { trigger, event: event.clone(), about: index.to_string() };
            self.judge(org, fired, AuditRecord::new(record))?;
        }
        Ok(())
    }

    /// Whether a command concerns the provider's log of the lane at hand: each has one.
    fn is_of_lane(&self, command: &Command) -> bool {
        self.desk.is_at(3) && matches!(command.verb, Verb::Audit(_))
    }

    fn keep_audit(&mut self, org: Option<&OrgName>, command: &Command, verb: &AuditVerb) -> Result<Answer, Error> {
        commands::audit::ask(&mut self.desk, (&self.managers, &self.books), org, command, verb)
    }

    fn carry_out_for_provider(&mut self, command: &Command) -> Result<Answer, Error> {
        match &command.verb {
            Verb::Engine(verb) => Ok(commands::engine::ask(&mut self.desk, verb)),
            Verb::RuleBook(verb) => commands::rule_book::ask(&mut self.desk, &self.books, verb),
            Verb::Group(verb) => commands::groups::ask(&mut self.desk, &mut self.managers, command, verb),
            Verb::Manager(_) | Verb::Token(_) | Verb::Session(_) => self.ask_people(None, command),
            Verb::Audit(verb) => self.keep_audit(None, command, verb),
            verb @ (Verb::Organization(_)
            | Verb::Incident(_)
            | Verb::Case(_)
            | Verb::Policy(_)
            | Verb::Input(_)
            | Verb::Place(_)
            | Verb::Values(_)
            | Verb::Subscription(_)) => Ok(Answer::misplaced(verb, None)),
        }
    }

    fn carry_out(&mut self, org: &OrgName, command: &Command) -> Result<Answer, Error> {
        let standing = self.organizations.row(org).map(|row| row.standing);
        match (&command.verb, standing) {
            (Verb::Organization(verb @ Organization::Set(_)), None) => self.change_organization(org, verb),
            (_, None) => Ok(Answer::nobody(org)),
            (Verb::Case(Case::Submit(_)) | Verb::Policy(PolicyVerb::Run(_)), Some(Standing::Suspended)) => {
                let detail = format!("the organization `{org}` is suspended");
                Ok(Answer::refused(Verdict::Conflict, detail))
            }
            (Verb::Organization(verb), Some(_)) => self.change_organization(org, verb),
            (Verb::Incident(verb), Some(_)) => {
                self.change_incident(org, command, verb.incident(), |desk, _, incident| {
                    commands::incidents::ask(desk, incident, command, verb)
                })
            }
            (Verb::Case(verb), Some(_)) => {
                self.change_incident(org, command, verb.incident(), |desk, organizations, incident| {
                    Ok(commands::cases::ask(desk, organizations, incident, command, verb))
                })
            }
            (Verb::Policy(PolicyVerb::Run(run)), Some(_)) => self.judge_again(org, run),
            (Verb::Input(InputVerb::Replay(replay)), Some(_)) => {
                Ok(Answer::done("replayed", Value::Null, json!(replay)).about(&replay.event))
            }
            (Verb::Place(verb), Some(_)) => commands::places::ask(&mut self.desk, &mut self.managers, org, verb),
            (Verb::Values(verb), Some(_)) => commands::values::ask(&mut self.desk, &self.services, org, command, verb),
            (Verb::Subscription(verb), Some(_)) => {
                commands::subscriptions::ask(&mut self.desk, (&self.services, &self.managers), command, verb)
            }
            (Verb::Manager(_) | Verb::Token(_) | Verb::Session(_), Some(_)) => self.ask_people(Some(org), command),
            (Verb::Audit(verb), Some(_)) => self.keep_audit(Some(org), command, verb),
            (verb @ (Verb::Engine(_) | Verb::RuleBook(_) | Verb::Group(_)), Some(_)) => {
                Ok(Answer::misplaced(verb, Some(org)))
            }
        }
    }

    /// What is asked of an organization's managers, or without one of the provider's people.
    fn ask_people(&mut self, org: Option<&OrgName>, command: &Command) -> Result<Answer, Error> {
        let (desk, managers) = (&mut self.desk, &mut self.managers);
        match &command.verb {
            Verb::Manager(verb) => commands::managers::ask(desk, managers, org, command, verb),
            Verb::Token(verb) => commands::tokens::ask(desk, managers, org, command, verb),
            Verb::Session(verb) => commands::sessions::ask(desk, managers, org, command, verb),
            verb => Ok(Answer::misplaced(verb, org)),
        }
    }

    /// Changes an organization; what is pending for it follows its settings.
    fn change_organization(&mut self, org: &OrgName, verb: &Organization) -> Result<Answer, Error> {
        let before = self.organizations.governs(org);
        let answer = commands::organizations::ask(&mut self.desk, &mut self.organizations, org, verb)?;
        if self.desk.is_at(2) {
            if before != self.organizations.governs(org) && reactions::has_any(&self.desk, org)? {
                self.jobs.begin(&mut self.desk, Work::ReviewPending(org.clone()))?;
            }
        } else {
            self.review_pending(org, &[], usize::MAX, usize::MAX)?;
        }
        Ok(answer)
    }

    /// Looks an incident of the organization up, and keeps it if whoever asks may change it and `change` says what was
    /// done instead of why not.
    fn change_incident(
        &mut self,
        org: &OrgName,
        command: &Command,
        id: &IncidentId,
        change: impl FnOnce(&mut Desk, &Organizations, &mut Incident) -> Result<Change, Error>,
    ) -> Result<Answer, Error> {
        use commands::incidents::{nothing, shown};

        let incident = if id.org == *org { self.incident(id)? } else { None };
        let Some(mut incident) = incident else { return Ok(nothing(org, id)) };
        if let Some(refused) = commands::incidents::refusal(&self.desk, &self.managers, &incident, command)? {
            return Ok(refused);
        }
        let old = shown(&incident);
        let answer = match change(&mut self.desk, &self.organizations, &mut incident)? {
            Ok((detail, mut follows)) => {
                follows.push(Follow::Keep);
                let mut hand = Some(incident);
                self.follow(org, &mut hand, follows)?;
                Answer::done(detail, old, hand.as_ref().map_or(Value::Null, shown))
            }
            Err(detail) => Answer::refused(Verdict::Conflict, detail),
        };
        Ok(answer.about(id))
    }

    /// Lets a policy judge again, if it still matches.
    fn judge_again(&mut self, org: &OrgName, run: &PolicyRun) -> Result<Answer, Error> {
        let failed = commands::policies::subject(&self.desk, &self.devices, org, run)?;
        let fired = Fired { trigger: run.trigger, event: run.event.clone(), about: run.about.clone() };
        let judged = match failed {
            None => None,
            Some(Failed::Incident(incident)) => {
                let subject: Rc<dyn Subject> = Rc::new(Incident::clone(&incident));
                let judged = self.policies.one(org, run.trigger, &*subject, &run.policy);
                let is_matching = judged.is_some();
                let judged = judged.map(|policy| Follow::Judge(policy, Rc::new(fired), subject));
                let steps = judged.into_iter().chain([Follow::Keep]).collect();
                let failure = self.follow(org, &mut Some(*incident), steps)?;
                Some(again(is_matching, failure))
            }
            Some(Failed::Message(message)) => Some(self.judge_alone(org, run, fired, *message)?),
            Some(Failed::Record(record)) => Some(self.judge_alone(org, run, fired, *record)?),
        };
        Ok(commands::policies::answer(org, run, judged))
    }

    /// Lets a policy judge again what is no incident.
    fn judge_alone(
        &mut self,
        org: &OrgName,
        run: &PolicyRun,
        fired: Fired,
        subject: impl Subject + 'static,
    ) -> Result<Again, Error> {
        let subject: Rc<dyn Subject> = Rc::new(subject);
        let judged = self.policies.one(org, run.trigger, &*subject, &run.policy);
        let is_matching = judged.is_some();
        let judged = judged.map(|policy| Follow::Judge(policy, Rc::new(fired), subject));
        let failure = self.follow(org, &mut None, judged.into_iter().collect())?;
        Ok(again(is_matching, failure))
    }
}

fn again(is_matching: bool, failure: Option<Failure>) -> Again {
    match failure {
        Some(failure) => Again::Failed(failure),
        None if is_matching => Again::Done,
        None => Again::NoMatch,
    }
}

// Work in slices.
impl Domain {
    /// One slice of the job whose turn it is.
    fn carry_on(&mut self) -> Result<(), Error> {
        let Some((number, job)) = self.jobs.next() else {
            self.desk.tally.input("ctl", "idle");
            return Ok(());
        };
        self.desk.tally.input("ctl", "slice");
        let (cursor, done) = match &job.work {
            Work::ReviewPending(org) => self.review_pending(org, &job.cursor, SLICE_ROWS, SLICE_BYTES)?,
            Work::AgeAudits { before_s } => {
                let before = Timestamp::from_second(*before_s).unwrap_or(Timestamp::MIN);
                audit::age(&mut self.desk, before, &job.cursor, SLICE_ROWS, SLICE_BYTES)?
            }
        };
        self.jobs.advance(&mut self.desk, number, cursor, done)
    }

    /// An organization's settings changed: what is pending for it behind `after` follows them, so many rows and bytes at
    /// a time. The last row's key where there may be more, and how many there were.
    fn review_pending(
        &mut self,
        org: &OrgName,
        after: &[u8],
        most: usize,
        bytes_most: usize,
    ) -> Result<(Option<Vec<u8>>, u64), Error> {
        let is_held = self.organizations.is_suspended(org);
        let found = reactions::slice(&self.desk, org, after, most, bytes_most)?;
        let (last, count) = (found.last, found.looked_at);
        for id in found.ids {
            let Some(row) = reactions::find(&self.desk, org, &id)? else { continue };
            let mut next = reactions::PendingRow { is_held, ..row.clone() };
            let incident = reactions::incident_of(&row).map(|id| self.incident(&id)).transpose()?.flatten();
            // A notification of an incident stands beside its case, and stays what it is.
            let Some(mut incident) = incident.filter(|incident| cases::is_opened_by(incident, &id)) else {
                reactions::renew(&mut self.desk, &id, &row, Some(next))?;
                continue;
            };
            let next = match cases::refilter(&self.organizations, &mut incident) {
                Some(action) => {
                    next.action = serde_json::to_string(&action)?;
                    Some(next)
                }
                None => {
                    incidents::keep(&mut self.desk, &incident)?;
                    None
                }
            };
            reactions::renew(&mut self.desk, &id, &row, next)?;
        }
        Ok((last, count))
    }
}

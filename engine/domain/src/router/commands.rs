//! The way of a command: whether it is tried at all, which room carries it out, and who hears of it.

use std::rc::Rc;

use linesman_rules::{Failure, Subject, SubjectKind};
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{
    Audit as AuditVerb, Case, Command, DeviceVerb, Input as InputVerb, Message as MessageVerb, Organization,
    Policy as PolicyVerb, PolicyRun, Replay, Reported, Sending, Service, UploadKept, Verb,
};
use linesman_schemas::dead_letter::Reason;
use linesman_schemas::{IncidentId, OrgName, name::NameError};
use serde_json::{Value, json};

use super::approvals::is_told_to_provider;
use crate::cases::{self, cascade};
use crate::commands::policies::{Again, Failed};
use crate::commands::{self, Answer, Change, Ground, Told};
use crate::dead_letters::{self, Why};
use crate::desk::Desk;
use crate::follow::Follow;
use crate::incidents::history::{self, By};
use crate::input::Input;
use crate::jobs::Work;
use crate::organizations::{Organizations, Standing};
use crate::policies::Fired;
use crate::snapshots::upward;
use crate::subject::{AuditRecord, Incident};
use crate::{Domain, Error, audit, incidents, intelligence, letters, reached, reactions, scripts, uploads};

/// From which engine level on the record of a replay does not tell where the input stood in IN: an organization's managers
/// learned from it how much others have.
const PLACELESS: u32 = 9;

impl Domain {
    /// Does a command once: said again under the same id it changes nothing.
    pub(super) fn take_command(&mut self, input: &Input<'_>, command: &Command) -> Result<(), Error> {
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
        self.desk.doers.extend(command.principal.login().map(|login| login.to_string()));
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
        let answer = match (commands::refusal(&self.desk, &self.managers, org, command)?, org) {
            (Some(refused), _) => refused,
            (None, Some(org)) => match self.await_approval(org, command, None)? {
                Some(answer) => answer,
                None => self.carry_out(org, command)?,
            },
            (None, None) => self.carry_out_for_provider(command)?,
        };
        self.settle_command(org, command, answer, ground)
    }

    /// What became of a command is kept and told, when all that followed from it is decided.
    pub(super) fn settle_command(
        &mut self,
        org: Option<&OrgName>,
        command: &Command,
        answer: Answer,
        ground: Ground,
    ) -> Result<(), Error> {
        for owner in self.managers.take_bereft() {
            self.jobs.begin(&mut self.desk, Work::HandOver(owner))?;
        }
        self.managers.compose(&mut self.desk, &self.books)?;
        if let Some(org) = org {
            letters::settle(&mut self.desk, org, command, &answer)?;
        }
        let is_there = org.is_some_and(|org| self.organizations.row(org).is_some());
        let is_known = is_there && !is_told_to_provider(command);
        match (org, commands::conclude(&mut self.desk, org, is_known, command, answer, ground)?) {
            (Some(org), Some(told)) => self.hear(org, told),
            _ => Ok(()),
        }
    }

    /// Policies hear of what was told to the audit. It stands by now: they change nothing of it.
    pub(super) fn hear(&mut self, org: &OrgName, told: Told) -> Result<(), Error> {
        let Told { trigger, event, records } = told;
        if !self.policies.listen(trigger) {
            return Ok(());
        }
        for index in records {
            let Some(record) = audit::find(&self.desk, org, index)? else { continue };
            let fired = Fired { trigger, event: event.clone(), about: index.to_string(), is_providers: false };
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
            Verb::Engine(verb) => {
                let was_at = self.desk.level;
                let answer = commands::engine::ask(&mut self.desk, verb);
                self.begin_rounds(was_at).map(|()| answer)
            }
            Verb::RuleBook(verb) => commands::rule_book::ask(&mut self.desk, &mut self.managers, &self.books, verb),
            Verb::Group(verb) => commands::groups::ask(&mut self.desk, &mut self.managers, command, verb),
            Verb::Manager(_) | Verb::Token(_) | Verb::Session(_) => self.ask_people(None, command),
            Verb::Audit(verb) => self.keep_audit(None, command, verb),
            Verb::Message(MessageVerb::Add(given)) => intelligence::provided::add(&mut self.desk, given),
            verb @ (Verb::Organization(_)
            | Verb::Incident(_)
            | Verb::Case(_)
            | Verb::Policy(_)
            | Verb::Input(_)
            | Verb::Place(_)
            | Verb::Values(_)
            | Verb::Subscription(_)
            | Verb::Service(_)
            | Verb::Sending(_)
            | Verb::Received(_)
            | Verb::Device(_)
            | Verb::Directives(_)
            | Verb::Scripts(_)
            | Verb::Approval(_)) => Ok(Answer::misplaced(verb, None)),
        }
    }

    /// Does what is asked of an organization by whoever may.
    pub(crate) fn carry_out(&mut self, org: &OrgName, command: &Command) -> Result<Answer, Error> {
        let standing = self.organizations.row(org).map(|row| row.standing);
        match (&command.verb, standing) {
            (Verb::Organization(verb @ Organization::Set(_)), None) => self.change_organization(org, command, verb),
            (_, None) => Ok(Answer::nobody(org)),
            (Verb::Case(Case::Submit(_)) | Verb::Policy(PolicyVerb::Run(_)), Some(Standing::Suspended)) => {
                let detail = format!("the organization `{org}` is suspended");
                Ok(Answer::refused(Verdict::Conflict, detail))
            }
            (Verb::Organization(verb), Some(_)) => self.change_organization(org, command, verb),
            (Verb::Incident(verb), Some(_)) => {
                self.change_incident(org, command, verb.incident(), |desk, _, incident| {
                    commands::incidents::ask(desk, incident, command, verb)
                })
            }
            (Verb::Case(Case::Report(reported)), Some(_)) => self.take_case(org, command, reported),
            (Verb::Case(Case::Keep(given)), Some(_)) => self.keep_upload(org, command, given),
            (Verb::Case(Case::Submit(wish)), Some(_)) if self.desk.is_at(uploads::AGAIN) => {
                self.submit(org, command, wish)
            }
            (Verb::Case(verb), Some(_)) => {
                let Some(incident) = verb.incident() else { return Ok(Answer::misplaced(&command.verb, Some(org))) };
                self.change_incident(org, command, incident, |desk, organizations, incident| {
                    if let Case::Submit(wish) | Case::Save(wish) = verb
                        && let Err(detail) = cases::place(desk, incident, &wish.case)?
                    {
                        return Ok(Err(detail));
                    }
                    Ok(commands::cases::ask(desk, organizations, incident, command, verb))
                })
            }
            (Verb::Policy(PolicyVerb::Run(run)), Some(_)) => self.judge_again(org, run),
            (Verb::Input(InputVerb::Replay(replay)), Some(_)) => {
                let Replay { event, sequence, letter: _ } = replay;
                let is_placeless = self.desk.is_at(PLACELESS);
                let new =
                    if is_placeless { json!({"event": event}) } else { json!({"event": event, "sequence": sequence}) };
                Ok(Answer::done("replayed", Value::Null, new).run().about(&replay.event))
            }
            (Verb::Place(verb), Some(_)) => self.change_place(org, &command.principal, verb),
            (Verb::Values(verb), Some(_)) => self.change_values(org, command, verb),
            (Verb::Subscription(verb), Some(_)) => self.change_subscription(command, verb),
            (Verb::Service(verb), Some(_)) => {
                let Service::Rollout(rollout) = verb;
                self.roll_out(org, command, rollout)
            }
            (Verb::Sending(verb), Some(standing)) => self.send_intelligence((org, standing), command, verb),
            (Verb::Received(verb), Some(_)) => intelligence::standing::ask(&mut self.desk, org, command, verb),
            (Verb::Approval(verb), Some(_)) => self.decide_approval(org, command, verb),
            (Verb::Device(DeviceVerb::Gather(_)), Some(Standing::Suspended)) => {
                let detail = format!("the organization `{org}` is suspended");
                Ok(Answer::refused(Verdict::Conflict, detail))
            }
            (Verb::Device(verb), Some(_)) => self.ask_device(org, command, verb),
            (Verb::Directives(verb), Some(_)) => reached::ask_directives(&mut self.desk, org, verb),
            (Verb::Scripts(verb), Some(_)) => scripts::ask(&mut self.desk, &self.organizations, org, verb),
            (Verb::Manager(_) | Verb::Token(_) | Verb::Session(_), Some(_)) => self.ask_people(Some(org), command),
            (Verb::Audit(verb), Some(_)) => self.keep_audit(Some(org), command, verb),
            (verb @ (Verb::Engine(_) | Verb::RuleBook(_) | Verb::Group(_) | Verb::Message(_)), Some(_)) => {
                Ok(Answer::misplaced(verb, Some(org)))
            }
        }
    }

    /// Does what is asked of a device, and lets policies hear if it makes no snapshots of its own any more.
    fn ask_device(&mut self, org: &OrgName, command: &Command, verb: &DeviceVerb) -> Result<Answer, Error> {
        if let DeviceVerb::Set(settings) = verb {
            let asked = (org, &**settings);
            if let Some(refused) = self.meters.refusal(&mut self.desk, &self.organizations, &mut self.devices, asked)? {
                return Ok(refused);
            }
        }
        let is_new = match verb {
            DeviceVerb::Set(settings) => self.desk.read(&reached::key(org, &settings.name))?.is_none(),
            _ => false,
        };
        let (answer, switched) = reached::ask(&mut self.desk, org, command, verb)?;
        if is_new && answer.is_done() {
            self.tell_of_devices(org, false)?;
        }
        if let Some((fired, device)) = switched {
            self.judge(org, fired, device)?;
        }
        match verb {
            DeviceVerb::Use(using) if answer.is_done() => self.used(org, using)?,
            _ => {}
        }
        Ok(answer)
    }

    /// Does with a message of the provider's what somebody of the provider's asks for an organization.
    fn send_intelligence(
        &mut self,
        (org, standing): (&OrgName, Standing),
        command: &Command,
        verb: &Sending,
    ) -> Result<Answer, Error> {
        if matches!(verb, Sending::Send(_)) && standing == Standing::Suspended {
            return Ok(Answer::refused(Verdict::Conflict, format!("the organization `{org}` is suspended")));
        }
        let by = commands::author(&self.desk, &command.principal);
        let (answer, fired) = intelligence::sent::ask(&mut self.desk, org, &by, verb)?;
        match fired {
            Some((fired, message)) => self.received(org, fired, message)?,
            // What was taken back concerns none of its devices any more.
            None => self.exposures.forget(Some(org)),
        }
        Ok(answer)
    }

    /// An end customer reports a case: it becomes an incident, once.
    fn take_case(&mut self, org: &OrgName, command: &Command, reported: &Reported) -> Result<Answer, Error> {
        if let Some(known) = cascade::known(&self.desk, org, &reported.key)? {
            return Ok(Answer::done("reported", Value::Null, Value::Null).about(&known));
        }
        if let Some(refused) = commands::cases::refuse_report(&self.desk, command, reported) {
            return Ok(refused);
        }
        let desk = &mut self.desk;
        let what = (org, &reported.report);
        let mut incident = incidents::report(desk, &self.organizations, &mut self.devices, what)?;
        let follows = cascade::report(desk, &self.organizations, &mut incident, reported)?;
        let id = incident.id.clone();
        let mut hand = Some(incident);
        self.follow(org, &mut hand, follows)?;
        let new = hand.as_ref().map_or(Value::Null, commands::incidents::shown);
        Ok(Answer::made("reported", new).about(&id))
    }

    /// Keeps what an end customer has uploaded.
    fn keep_upload(&mut self, org: &OrgName, command: &Command, given: &UploadKept) -> Result<Answer, Error> {
        if let Some(refused) = commands::cases::refuse_others(command) {
            return Ok(refused);
        }
        let Some(incident) = &given.incident else {
            return Ok(match uploads::keep_snapshot(&mut self.desk, org, given)? {
                Ok(()) => Answer::done("kept", Value::Null, Value::Null),
                Err(detail) => Answer::refused(Verdict::Conflict, detail),
            });
        };
        self.change_incident(org, command, incident, |desk, _, incident| {
            Ok(uploads::keep(desk, incident, given)?.map(|follows| ("kept", follows)))
        })
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
    fn change_organization(&mut self, org: &OrgName, command: &Command, verb: &Organization) -> Result<Answer, Error> {
        let before = self.organizations.governs(&self.desk, org);
        let interval_s = self.organizations.row(org).map_or(0, |row| row.snapshot_interval_s);
        let asked = (&command.principal, verb);
        let answer = commands::organizations::ask(&mut self.desk, &mut self.organizations, org, asked)?;
        if matches!(verb, Organization::SetContracts(_)) && answer.is_done() {
            self.look_at_contracts()?;
        }
        if self.desk.is_at(upward::LEVEL)
            && interval_s != self.organizations.row(org).map_or(0, |row| row.snapshot_interval_s)
        {
            upward::set_interval(&mut self.desk, &self.organizations, org)?;
        }
        if self.desk.is_at(2) {
            if before != self.organizations.governs(&self.desk, org) && reactions::has_any(&self.desk, org)? {
                self.jobs.begin(&mut self.desk, Work::ReviewPending(org.clone()))?;
            }
            if before != self.organizations.governs(&self.desk, org) {
                self.look_at_kept(org)?;
            }
        } else {
            self.review_pending(org, &[], usize::MAX, usize::MAX)?;
        }
        Ok(answer)
    }

    /// Looks an incident of the organization up, and keeps it if whoever asks may change it and `change` says what was
    /// done instead of why not.
    pub(super) fn change_incident(
        &mut self,
        org: &OrgName,
        command: &Command,
        id: &IncidentId,
        change: impl FnOnce(&mut Desk, &Organizations, &mut Incident) -> Result<Change, Error>,
    ) -> Result<Answer, Error> {
        use commands::incidents::{nothing, shown};

        let incident = if id.org == *org { self.incident(id)? } else { None };
        let Some(mut incident) = incident else { return Ok(nothing(org, id)) };
        let known = (&self.managers, &self.organizations);
        if let Some(refused) = commands::incidents::refusal(&self.desk, known, &incident, command)? {
            return Ok(refused);
        }
        let old = shown(&incident);
        let answer = match change(&mut self.desk, &self.organizations, &mut incident)? {
            Ok((detail, mut follows)) => {
                let by = By::asked(&command.principal, &command.id);
                if let Some(told) = history::look(&mut incident, &by) {
                    follows.insert(0, Follow::Changed(told));
                }
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
        let failed = match SubjectKind::of(run.trigger) {
            SubjectKind::Quota => {
                let found = self.meters.find(&mut self.desk, &self.organizations, org, &run.about)?;
                found.map(|quota| Failed::Quota(Box::new(quota)))
            }
            _ => failed,
        };
        let (event, about) = (run.event.clone(), run.about.clone());
        let fired = Fired { trigger: run.trigger, event, about, is_providers: false };
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
            Some(Failed::Approval(approval)) => Some(self.judge_alone(org, run, fired, *approval)?),
            Some(Failed::Device(device)) => Some(self.judge_alone(org, run, fired, *device)?),
            Some(Failed::Reached(device)) => Some(self.judge_alone(org, run, fired, *device)?),
            Some(Failed::Switched(device)) => Some(self.judge_alone(org, run, fired, *device)?),
            Some(Failed::Held(device)) => Some(self.judge_alone(org, run, fired, *device)?),
            Some(Failed::Contract(contract)) => Some(self.judge_alone(org, run, fired, *contract)?),
            Some(Failed::Quota(quota)) => Some(self.judge_alone(org, run, fired, *quota)?),
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

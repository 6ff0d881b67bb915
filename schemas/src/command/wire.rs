//! How commands stand in the log.
//!
//! Verbs of all families lie side by side under one tag each, `{"close_incident": {...}}`: that is how commands
//! were written before there were families, and hashes of it are kept (`asked` in the domain). Of who asks,
//! commands of before have the text alone; that text is still written beside the principal, so that an engine of
//! before decides as this one does at its level.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Activation, AddressChanges, Approval, ApprovalDecision, Assignment, Audit, BundleVersion, Case, CaseName,
    CaseOverride, CaseRemark, CaseWish, CasesExport, CheckpointKept, Command, ConnectionTried, ContractChanges,
    CredentialsChange, Deactivation, DeviceName, DeviceSettings, DeviceUse, DeviceVerb, Directives, DirectivesGroup,
    DirectivesName, Engine, EventProfile, Gathering, Group, GroupRemoval, GroupSettings, HostKeyPin, Incident, Input,
    IntelligenceStanding, JmbErrorWish, LevelRaise, Localization, Lockout, LogLevelChange, LoginRefusals, Manager,
    ManagerRemoval, ManagerSettings, Message, MessageGiven, MessageName, Note, Organization, OrganizationSettings,
    PasswordChange, PinChange, PlaceClearing, PlaceRemoval, PlaceSettings, PlaceVerb, Policy, PolicyRun,
    Prioritisation, ProfileName, Received, Refusals, Replay, Reported, Rollout, RuleBook, ScriptBundle, ScriptVerb,
    ScriptsInstallation, ScriptsPlan, ScriptsRemoval, SectionLoad, Sending, Service, Session, SessionName,
    SessionOpening, Subscription, SubscriptionPath, SubscriptionSettings, Tie, Token, TokenIssue, TokenRevocation,
    Touch, Undoing, UploadKept, ValueSettings, Values, Verb, Wording,
};
use crate::{CommandId, Principal};

/// A command, as it is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Command")]
pub(super) struct Said {
    /// Chosen by the sender.
    id: CommandId,
    /// Who asks, as people read it; alone in commands of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    /// The node that served the request.
    node: String,
    /// What is asked for.
    verb: Verb,
}

/// A command does not say who asks.
#[derive(Debug, thiserror::Error)]
#[error("missing field `principal`")]
pub(super) struct Nobody;

impl TryFrom<Said> for Command {
    type Error = Nobody;

    fn try_from(said: Said) -> Result<Self, Nobody> {
        let Said { id, actor, principal, node, verb } = said;
        let principal = principal.or_else(|| actor.map(Principal::of_actor)).ok_or(Nobody)?;
        Ok(Self { id, principal, node, verb })
    }
}

impl From<Command> for Said {
    fn from(command: Command) -> Self {
        let Command { id, principal, node, verb } = command;
        Self { id, actor: Some(principal.to_string()), principal: Some(principal), node, verb }
    }
}

/// A verb, as it is written.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Verb", rename_all = "snake_case")]
pub(super) enum Tagged {
    /// Create the organization, or change it and lift its suspension.
    SetOrganization(OrganizationSettings),
    /// Suspend it: its inputs become dead letters and its pending reactions are held.
    SuspendOrganization,
    /// The configuration names it no more: suspend it, and load it anew should it be named again.
    UnloadOrganization,
    /// Let its end customer's controller come by another user and password, or by none.
    SetCredentials(CredentialsChange),
    /// The way to the upstream was tried out for it.
    TestOrganization(ConnectionTried),
    /// Give a document its addresses back that were overwritten by its pseudonyms.
    Unredact(Undoing),
    /// Hand out what belongs to its cases.
    ExportCases(CasesExport),
    /// Change its address groups, and which of them its devices name.
    SetAddresses(AddressChanges),
    /// Change its contracts.
    SetContracts(ContractChanges),
    /// Give an incident to somebody, or to nobody.
    AssignIncident(Assignment),
    /// Change how urgent an incident is.
    PrioritiseIncident(Prioritisation),
    /// An incident is completed.
    CloseIncident(Note),
    /// A completed incident is not.
    ReopenIncident(Note),
    /// Add a note to an incident.
    AnnotateIncident(Note),
    /// Open a case for an incident at the upstream.
    SubmitCase(CaseWish),
    /// Keep what is to be said of an incident's case, without opening it.
    SaveCase(CaseWish),
    /// An end customer reports a case.
    ReportCase(Box<Reported>),
    /// Send a case that an end customer has reported on to the upstream.
    ForwardCase(CaseName),
    /// Solve a case that an end customer has reported here.
    HandleCase(CaseName),
    /// Show below another id, link or status of a case than the upstream's.
    OverrideCase(CaseOverride),
    /// Say something of a case.
    NoteCase(CaseRemark),
    /// A case is done.
    CloseCase(CaseRemark),
    /// A case is not done after all.
    ReopenCase(CaseRemark),
    /// Keep what an end customer has uploaded.
    KeepUpload(Box<UploadKept>),
    /// Let a policy that failed judge again what it failed on.
    RunPolicy(PolicyRun),
    /// An input that was set aside has entered the log again, as a new one.
    ReplayInput(Replay),
    /// Decide at a higher engine level from here on.
    RaiseLevel(LevelRaise),
    /// Let the log of the program tell more or less.
    SetLogLevel(LogLevelChange),
    /// Believe one certificate of the upstream and no other.
    PinUpstream(PinChange),
    /// Let a section of the rule book have another content from here on.
    LoadSection(SectionLoad),
    /// Take a place that is gone out of the spheres of the provider's people, and of their API tokens.
    ClearPlace(PlaceClearing),
    /// Define a place, or change it.
    SetPlace(PlaceSettings),
    /// Remove a place.
    RemovePlace(PlaceRemoval),
    /// Tie a device to a place, or to none.
    TieDevice(Tie),
    /// Make a manager, or change it.
    SetManager(ManagerSettings),
    /// Remove a manager; whom it has granted anything is handed to its granter.
    RemoveManager(ManagerRemoval),
    /// Give a manager another password.
    SetPassword(PasswordChange),
    /// Make a user group, or change it.
    SetGroup(GroupSettings),
    /// Remove a user group.
    RemoveGroup(GroupRemoval),
    /// Make an API token.
    IssueToken(TokenIssue),
    /// Take an API token back.
    RevokeToken(TokenRevocation),
    /// A manager has logged in.
    Login(SessionOpening),
    /// A manager logs out.
    Logout(SessionName),
    /// A session is ended by somebody.
    RevokeSession(SessionName),
    /// Sessions and tokens were used.
    TouchSessions(Touch),
    /// Logins were refused.
    LoginRefused(LoginRefusals),
    /// Somebody is locked out for a while.
    LoginLocked(Lockout),
    /// Record what was refused before it became a command.
    RecordRefusals(Refusals),
    /// Keep a signed checkpoint.
    KeepCheckpoint(CheckpointKept),
    /// Give values at a place.
    SetValues(ValueSettings),
    /// Give values of a service, as all of the organization has it.
    LocalizeService(Localization),
    /// Subscribe to a service, or change a subscription.
    SetSubscription(SubscriptionSettings),
    /// Remove a subscription.
    RemoveSubscription(SubscriptionPath),
    /// Let a subscription rest.
    SuspendSubscription(SubscriptionPath),
    /// A subscription rests no longer.
    ResumeSubscription(SubscriptionPath),
    /// Activate a subscription, or act on one from above.
    ActivateSubscription(Activation),
    /// Deactivate a subscription, or act on one from above.
    DeactivateSubscription(Deactivation),
    /// Tell devices all of a subscription once more.
    RedeploySubscription(SubscriptionPath),
    /// Let subscriptions be on another version of a service.
    RolloutService(Rollout),
    /// Take in an intelligence message of the provider's, or another text of it.
    AddIntelligence(MessageGiven),
    /// A message of the provider's may be sent to the organization, in this wording.
    AssociateIntelligence(Wording),
    /// It may not.
    DissociateIntelligence(MessageName),
    /// Send a message of the provider's to the organization.
    SendIntelligence(MessageName),
    /// Take back what it was sent.
    RecallIntelligence(MessageName),
    /// Say where an organization stands with an intelligence message.
    SetIntelligenceState(IntelligenceStanding),
    /// What awaits approval is done.
    ApproveApproval(ApprovalDecision),
    /// What awaits approval is not done.
    RejectApproval(ApprovalDecision),
    /// Reach a device, or reach it otherwise.
    SetDevice(Box<DeviceSettings>),
    /// Reach a device no more.
    RemoveDevice(DeviceName),
    /// Say which host key a device has.
    PinHostKey(HostKeyPin),
    /// Do something on a device at once.
    UseDevice(DeviceUse),
    /// Remove a file from a device that was set aside, or check it once more.
    SettleJmbError(JmbErrorWish),
    /// Gather data from a device.
    CollectDevice(Gathering),
    /// Make a group of commands that are run on devices, or change it.
    SetDirectivesGroup(DirectivesGroup),
    /// Remove a group of commands that are run on devices.
    RemoveDirectivesGroup(DirectivesName),
    /// Keep a version of a bundle of scripts.
    SetScriptBundle(ScriptBundle),
    /// Forget a version of a bundle of scripts.
    RemoveScriptBundle(BundleVersion),
    /// Keep an event profile.
    SetEventProfile(EventProfile),
    /// Forget an event profile.
    RemoveEventProfile(ProfileName),
    /// Look at what installing scripts on a device group would change.
    PlanScripts(ScriptsPlan),
    /// A device group is to have these scripts.
    InstallScripts(ScriptsInstallation),
    /// A device group is to have no scripts of ours.
    RemoveScripts(ScriptsRemoval),
}

impl From<Tagged> for Verb {
    fn from(tagged: Tagged) -> Self {
        match tagged {
            Tagged::SetOrganization(settings) => Self::Organization(Organization::Set(settings)),
            Tagged::SuspendOrganization => Self::Organization(Organization::Suspend),
            Tagged::UnloadOrganization => Self::Organization(Organization::Unload),
            Tagged::SetCredentials(change) => Self::Organization(Organization::SetCredentials(change)),
            Tagged::TestOrganization(tried) => Self::Organization(Organization::Test(tried)),
            Tagged::Unredact(undoing) => Self::Organization(Organization::Unredact(undoing)),
            Tagged::ExportCases(export) => Self::Organization(Organization::ExportCases(export)),
            Tagged::SetAddresses(changes) => Self::Organization(Organization::SetAddresses(changes)),
            Tagged::SetContracts(changes) => Self::Organization(Organization::SetContracts(changes)),
            Tagged::AssignIncident(assignment) => Self::Incident(Incident::Assign(assignment)),
            Tagged::PrioritiseIncident(prioritisation) => Self::Incident(Incident::Prioritise(prioritisation)),
            Tagged::CloseIncident(note) => Self::Incident(Incident::Close(note)),
            Tagged::ReopenIncident(note) => Self::Incident(Incident::Reopen(note)),
            Tagged::AnnotateIncident(note) => Self::Incident(Incident::Annotate(note)),
            Tagged::SubmitCase(wish) => Self::Case(Case::Submit(wish)),
            Tagged::SaveCase(wish) => Self::Case(Case::Save(wish)),
            Tagged::ReportCase(reported) => Self::Case(Case::Report(reported)),
            Tagged::ForwardCase(name) => Self::Case(Case::Forward(name)),
            Tagged::HandleCase(name) => Self::Case(Case::Handle(name)),
            Tagged::OverrideCase(wanted) => Self::Case(Case::Override(wanted)),
            Tagged::NoteCase(remark) => Self::Case(Case::Note(remark)),
            Tagged::CloseCase(remark) => Self::Case(Case::Close(remark)),
            Tagged::ReopenCase(remark) => Self::Case(Case::Reopen(remark)),
            Tagged::KeepUpload(kept) => Self::Case(Case::Keep(kept)),
            Tagged::RunPolicy(run) => Self::Policy(Policy::Run(run)),
            Tagged::ReplayInput(replay) => Self::Input(Input::Replay(replay)),
            Tagged::RaiseLevel(raise) => Self::Engine(Engine::RaiseLevel(raise)),
            Tagged::SetLogLevel(change) => Self::Engine(Engine::SetLogLevel(change)),
            Tagged::PinUpstream(change) => Self::Engine(Engine::PinUpstream(change)),
            Tagged::LoadSection(load) => Self::RuleBook(RuleBook::LoadSection(load)),
            Tagged::ClearPlace(asked) => Self::RuleBook(RuleBook::ClearPlace(asked)),
            Tagged::SetPlace(asked) => Self::Place(PlaceVerb::Set(asked)),
            Tagged::RemovePlace(asked) => Self::Place(PlaceVerb::Remove(asked)),
            Tagged::TieDevice(asked) => Self::Place(PlaceVerb::Tie(asked)),
            Tagged::SetManager(asked) => Self::Manager(Manager::Set(asked)),
            Tagged::RemoveManager(asked) => Self::Manager(Manager::Remove(asked)),
            Tagged::SetPassword(asked) => Self::Manager(Manager::SetPassword(asked)),
            Tagged::SetGroup(asked) => Self::Group(Group::Set(asked)),
            Tagged::RemoveGroup(asked) => Self::Group(Group::Remove(asked)),
            Tagged::IssueToken(asked) => Self::Token(Token::Issue(asked)),
            Tagged::RevokeToken(asked) => Self::Token(Token::Revoke(asked)),
            Tagged::Login(asked) => Self::Session(Session::Open(asked)),
            Tagged::Logout(asked) => Self::Session(Session::Close(asked)),
            Tagged::RevokeSession(asked) => Self::Session(Session::Revoke(asked)),
            Tagged::TouchSessions(asked) => Self::Session(Session::Touch(asked)),
            Tagged::LoginRefused(asked) => Self::Session(Session::Refuse(asked)),
            Tagged::LoginLocked(asked) => Self::Session(Session::Lock(asked)),
            Tagged::RecordRefusals(asked) => Self::Audit(Audit::Record(asked)),
            Tagged::KeepCheckpoint(asked) => Self::Audit(Audit::Keep(asked)),
            Tagged::SetValues(asked) => Self::Values(Values::Set(asked)),
            Tagged::LocalizeService(asked) => Self::Values(Values::Localize(asked)),
            Tagged::SetSubscription(asked) => Self::Subscription(Subscription::Set(asked)),
            Tagged::RemoveSubscription(asked) => Self::Subscription(Subscription::Remove(asked)),
            Tagged::SuspendSubscription(asked) => Self::Subscription(Subscription::Suspend(asked)),
            Tagged::ResumeSubscription(asked) => Self::Subscription(Subscription::Resume(asked)),
            Tagged::ActivateSubscription(asked) => Self::Subscription(Subscription::Activate(asked)),
            Tagged::DeactivateSubscription(asked) => Self::Subscription(Subscription::Deactivate(asked)),
            Tagged::RedeploySubscription(asked) => Self::Subscription(Subscription::Redeploy(asked)),
            Tagged::RolloutService(asked) => Self::Service(Service::Rollout(asked)),
            Tagged::AddIntelligence(given) => Self::Message(Message::Add(given)),
            Tagged::AssociateIntelligence(wording) => Self::Sending(Sending::Associate(wording)),
            Tagged::DissociateIntelligence(name) => Self::Sending(Sending::Dissociate(name)),
            Tagged::SendIntelligence(name) => Self::Sending(Sending::Send(name)),
            Tagged::RecallIntelligence(name) => Self::Sending(Sending::Recall(name)),
            Tagged::SetIntelligenceState(asked) => Self::Received(Received::SetState(asked)),
            Tagged::ApproveApproval(asked) => Self::Approval(Approval::Approve(asked)),
            Tagged::RejectApproval(asked) => Self::Approval(Approval::Reject(asked)),
            Tagged::SetDevice(settings) => Self::Device(DeviceVerb::Set(settings)),
            Tagged::RemoveDevice(name) => Self::Device(DeviceVerb::Remove(name)),
            Tagged::PinHostKey(pin) => Self::Device(DeviceVerb::PinHostKey(pin)),
            Tagged::UseDevice(using) => Self::Device(DeviceVerb::Use(using)),
            Tagged::SettleJmbError(wish) => Self::Device(DeviceVerb::JmbError(wish)),
            Tagged::CollectDevice(gathering) => Self::Device(DeviceVerb::Gather(gathering)),
            Tagged::SetDirectivesGroup(group) => Self::Directives(Directives::Set(group)),
            Tagged::RemoveDirectivesGroup(name) => Self::Directives(Directives::Remove(name)),
            Tagged::SetScriptBundle(bundle) => Self::Scripts(ScriptVerb::SetBundle(bundle)),
            Tagged::RemoveScriptBundle(bundle) => Self::Scripts(ScriptVerb::RemoveBundle(bundle)),
            Tagged::SetEventProfile(profile) => Self::Scripts(ScriptVerb::SetProfile(profile)),
            Tagged::RemoveEventProfile(profile) => Self::Scripts(ScriptVerb::RemoveProfile(profile)),
            Tagged::PlanScripts(plan) => Self::Scripts(ScriptVerb::Plan(plan)),
            Tagged::InstallScripts(installation) => Self::Scripts(ScriptVerb::Install(installation)),
            Tagged::RemoveScripts(removal) => Self::Scripts(ScriptVerb::Remove(removal)),
        }
    }
}

impl From<Verb> for Tagged {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Organization(Organization::Set(settings)) => Self::SetOrganization(settings),
            Verb::Organization(Organization::Suspend) => Self::SuspendOrganization,
            Verb::Organization(Organization::Unload) => Self::UnloadOrganization,
            Verb::Organization(Organization::SetCredentials(change)) => Self::SetCredentials(change),
            Verb::Organization(Organization::Test(tried)) => Self::TestOrganization(tried),
            Verb::Organization(Organization::Unredact(undoing)) => Self::Unredact(undoing),
            Verb::Organization(Organization::ExportCases(export)) => Self::ExportCases(export),
            Verb::Organization(Organization::SetAddresses(changes)) => Self::SetAddresses(changes),
            Verb::Organization(Organization::SetContracts(changes)) => Self::SetContracts(changes),
            Verb::Incident(Incident::Assign(assignment)) => Self::AssignIncident(assignment),
            Verb::Incident(Incident::Prioritise(prioritisation)) => Self::PrioritiseIncident(prioritisation),
            Verb::Incident(Incident::Close(note)) => Self::CloseIncident(note),
            Verb::Incident(Incident::Reopen(note)) => Self::ReopenIncident(note),
            Verb::Incident(Incident::Annotate(note)) => Self::AnnotateIncident(note),
            Verb::Case(Case::Submit(wish)) => Self::SubmitCase(wish),
            Verb::Case(Case::Save(wish)) => Self::SaveCase(wish),
            Verb::Case(Case::Report(reported)) => Self::ReportCase(reported),
            Verb::Case(Case::Forward(name)) => Self::ForwardCase(name),
            Verb::Case(Case::Handle(name)) => Self::HandleCase(name),
            Verb::Case(Case::Override(wanted)) => Self::OverrideCase(wanted),
            Verb::Case(Case::Note(remark)) => Self::NoteCase(remark),
            Verb::Case(Case::Close(remark)) => Self::CloseCase(remark),
            Verb::Case(Case::Reopen(remark)) => Self::ReopenCase(remark),
            Verb::Case(Case::Keep(kept)) => Self::KeepUpload(kept),
            Verb::Policy(Policy::Run(run)) => Self::RunPolicy(run),
            Verb::Input(Input::Replay(replay)) => Self::ReplayInput(replay),
            Verb::Engine(Engine::RaiseLevel(raise)) => Self::RaiseLevel(raise),
            Verb::Engine(Engine::SetLogLevel(change)) => Self::SetLogLevel(change),
            Verb::Engine(Engine::PinUpstream(change)) => Self::PinUpstream(change),
            Verb::RuleBook(RuleBook::LoadSection(load)) => Self::LoadSection(load),
            Verb::RuleBook(RuleBook::ClearPlace(asked)) => Self::ClearPlace(asked),
            Verb::Place(PlaceVerb::Set(asked)) => Self::SetPlace(asked),
            Verb::Place(PlaceVerb::Remove(asked)) => Self::RemovePlace(asked),
            Verb::Place(PlaceVerb::Tie(asked)) => Self::TieDevice(asked),
            Verb::Manager(Manager::Set(asked)) => Self::SetManager(asked),
            Verb::Manager(Manager::Remove(asked)) => Self::RemoveManager(asked),
            Verb::Manager(Manager::SetPassword(asked)) => Self::SetPassword(asked),
            Verb::Group(Group::Set(asked)) => Self::SetGroup(asked),
            Verb::Group(Group::Remove(asked)) => Self::RemoveGroup(asked),
            Verb::Token(Token::Issue(asked)) => Self::IssueToken(asked),
            Verb::Token(Token::Revoke(asked)) => Self::RevokeToken(asked),
            Verb::Session(Session::Open(asked)) => Self::Login(asked),
            Verb::Session(Session::Close(asked)) => Self::Logout(asked),
            Verb::Session(Session::Revoke(asked)) => Self::RevokeSession(asked),
            Verb::Session(Session::Touch(asked)) => Self::TouchSessions(asked),
            Verb::Session(Session::Refuse(asked)) => Self::LoginRefused(asked),
            Verb::Session(Session::Lock(asked)) => Self::LoginLocked(asked),
            Verb::Audit(Audit::Record(asked)) => Self::RecordRefusals(asked),
            Verb::Audit(Audit::Keep(asked)) => Self::KeepCheckpoint(asked),
            Verb::Values(Values::Set(asked)) => Self::SetValues(asked),
            Verb::Values(Values::Localize(asked)) => Self::LocalizeService(asked),
            Verb::Subscription(Subscription::Set(asked)) => Self::SetSubscription(asked),
            Verb::Subscription(Subscription::Remove(asked)) => Self::RemoveSubscription(asked),
            Verb::Subscription(Subscription::Suspend(asked)) => Self::SuspendSubscription(asked),
            Verb::Subscription(Subscription::Resume(asked)) => Self::ResumeSubscription(asked),
            Verb::Subscription(Subscription::Activate(asked)) => Self::ActivateSubscription(asked),
            Verb::Subscription(Subscription::Deactivate(asked)) => Self::DeactivateSubscription(asked),
            Verb::Subscription(Subscription::Redeploy(asked)) => Self::RedeploySubscription(asked),
            Verb::Service(Service::Rollout(asked)) => Self::RolloutService(asked),
            Verb::Message(Message::Add(given)) => Self::AddIntelligence(given),
            Verb::Sending(Sending::Associate(wording)) => Self::AssociateIntelligence(wording),
            Verb::Sending(Sending::Dissociate(name)) => Self::DissociateIntelligence(name),
            Verb::Sending(Sending::Send(name)) => Self::SendIntelligence(name),
            Verb::Sending(Sending::Recall(name)) => Self::RecallIntelligence(name),
            Verb::Received(Received::SetState(asked)) => Self::SetIntelligenceState(asked),
            Verb::Approval(Approval::Approve(asked)) => Self::ApproveApproval(asked),
            Verb::Approval(Approval::Reject(asked)) => Self::RejectApproval(asked),
            Verb::Device(DeviceVerb::Set(settings)) => Self::SetDevice(settings),
            Verb::Device(DeviceVerb::Remove(name)) => Self::RemoveDevice(name),
            Verb::Device(DeviceVerb::PinHostKey(pin)) => Self::PinHostKey(pin),
            Verb::Device(DeviceVerb::Use(using)) => Self::UseDevice(using),
            Verb::Device(DeviceVerb::JmbError(wish)) => Self::SettleJmbError(wish),
            Verb::Device(DeviceVerb::Gather(gathering)) => Self::CollectDevice(gathering),
            Verb::Directives(Directives::Set(group)) => Self::SetDirectivesGroup(group),
            Verb::Directives(Directives::Remove(name)) => Self::RemoveDirectivesGroup(name),
            Verb::Scripts(ScriptVerb::SetBundle(bundle)) => Self::SetScriptBundle(bundle),
            Verb::Scripts(ScriptVerb::RemoveBundle(bundle)) => Self::RemoveScriptBundle(bundle),
            Verb::Scripts(ScriptVerb::SetProfile(profile)) => Self::SetEventProfile(profile),
            Verb::Scripts(ScriptVerb::RemoveProfile(profile)) => Self::RemoveEventProfile(profile),
            Verb::Scripts(ScriptVerb::Plan(plan)) => Self::PlanScripts(plan),
            Verb::Scripts(ScriptVerb::Install(installation)) => Self::InstallScripts(installation),
            Verb::Scripts(ScriptVerb::Remove(removal)) => Self::RemoveScripts(removal),
        }
    }
}

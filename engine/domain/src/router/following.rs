//! What follows from what a room has done, carried to the rooms it concerns until nothing does.

use std::rc::Rc;
use std::sync::Arc;

use linesman_rules::{Failure, Intent, Policy, Subject};
use linesman_schemas::command::Handling;
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{ApprovalRule, OrgName};

use super::approvals;
use crate::activations::parts;
use crate::cases::wishes::{Joined, Wish, join};
use crate::follow::{Cause, DEPTH_MOST, Follow};
use crate::incidents::history;
use crate::policies::Fired;
use crate::snapshots::upward;
use crate::subject::Incident;
use crate::{Domain, Error, cases, dead_letters, incidents, reactions, uploads};

impl Domain {
    /// Carries what follows to the rooms, depth first, until nothing does. `hand` is the incident that it is about; the
    /// last failure of a policy.
    pub(super) fn follow(
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
            (
                step @ (Follow::CaseAccepted { .. }
                | Follow::CaseStands(_)
                | Follow::Upload
                | Follow::Uploaded { .. }
                | Follow::SnapshotEnded { .. }
                | Follow::RouteCase
                | Follow::CaseTold { .. }
                | Follow::ReactionFailed { .. }
                | Follow::Configured { .. }),
                _,
            ) => self.answered(org, hand, step),
            (Follow::Keep, Some(incident)) if !incident.wishes.is_empty() => Ok(vec![Follow::OpenCase, Follow::Keep]),
            (Follow::Keep, Some(incident)) => {
                incidents::keep(desk, incident)?;
                uploads::look_after(desk, incident).map(|()| Vec::new())
            }
            // The rules refuse what is about an incident where there is none.
            (Follow::Trigger(_) | Follow::Changed(_) | Follow::OpenCase | Follow::Keep, None) => Ok(Vec::new()),
        }
    }

    /// A step that follows from what the upstream, or a device, has said of a reaction.
    fn answered(&mut self, org: &OrgName, hand: &mut Option<Incident>, step: Follow) -> Result<Vec<Follow>, Error> {
        let desk = &mut self.desk;
        match (step, hand.as_mut()) {
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
            // The rules refuse what is about an incident where there is none; and one step does all else.
            (
                Follow::CaseStands(_)
                | Follow::Upload
                | Follow::RouteCase
                | Follow::Trigger(_)
                | Follow::Changed(_)
                | Follow::Judge(..)
                | Follow::Intent(..)
                | Follow::React(..)
                | Follow::OpenCase
                | Follow::Keep,
                _,
            ) => Ok(Vec::new()),
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

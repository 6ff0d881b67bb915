//! What policies send on of the provider's messages: asked for as people ask, by commands whose principal is the policy.
//!
//! What people decide counts more: a policy sends nothing twice, nothing that was recalled, and words nothing that somebody has
//! worded.

use std::rc::Rc;

use linesman_rules::{Forwarding, Policy};
use linesman_schemas::command::{Command, MessageName, Sending, Verb, Wording};
use linesman_schemas::trigger::Trigger;
use linesman_schemas::{ApprovalRule, OrgName, Principal};

use super::approvals::ByPolicy;
use crate::commands::{self, Ground};
use crate::dead_letters::policy_dead;
use crate::intelligence::relevance::Concern;
use crate::intelligence::{matching, provided, sent};
use crate::policies::Fired;
use crate::{Domain, Error, reactions};

impl Domain {
    /// A policy sends a message of the provider's on to the organization judged. What is refused stands in a dead letter, and in
    /// the provider's audit.
    pub(super) fn forward(
        &mut self,
        org: &OrgName,
        (policy, fired, rule): (&Policy, &Rc<Fired>, ApprovalRule),
        forwarding: Forwarding,
    ) -> Result<(), Error> {
        // INVARIANT (an end): what is the organization's own it has, in whatever wording it was sent.
        if !fired.is_providers {
            return Ok(());
        }
        let id = &fired.about;
        let Some(provided) = self.desk.read(&provided::key(id))? else { return Ok(()) };
        let sent = self.desk.read(&sent::key(org, id))?;
        let is_had =
            sent.as_ref().and_then(|row| row.sendings.last()).is_some_and(|last| last.sha256 == provided.sha256);
        if is_had || (forwarding.only_affected && !self.concerns(org, fired.trigger, &provided.message.into())?) {
            return Ok(());
        }
        if !reactions::may_react(&mut self.desk, org, policy, fired)? {
            return Ok(());
        }
        let by = ByPolicy { policy, fired, rule };
        let Forwarding { title, text, .. } = forwarding;
        let is_worded = sent.as_ref().is_some_and(|row| row.title.is_some() || row.text.is_some());
        // Somebody's association with what the message was before says nothing of it now, but a wording is not dropped unseen.
        let is_peoples = sent.as_ref().is_some_and(|row| {
            !commands::is_policy(&row.associated_by) && (is_worded || row.sha256 == provided.sha256)
        });
        let mut refused = None;
        if !is_peoples && (title.is_some() || text.is_some() || is_worded) {
            let wording = Wording { id: id.clone(), title, text };
            refused = self.ask_as_policy(org, &by, "wording", Sending::Associate(wording))?;
        }
        if refused.is_none() {
            refused = self.ask_as_policy(org, &by, "send", Sending::Send(MessageName { id: id.clone() }))?;
        }
        match refused {
            Some(detail) => policy_dead(&mut self.desk, org, policy, fired, format!("refused: {detail}"), None),
            None => Ok(()),
        }
    }

    /// Whether a message concerns a device of an organization's. All triggers but an arrival say so themselves.
    fn concerns(
        &self,
        org: &OrgName,
        trigger: Trigger,
        message: &linesman_schemas::intelligence::Intelligence,
    ) -> Result<bool, Error> {
        if trigger != Trigger::BugNoticeArrived {
            return Ok(true);
        }
        let concern = Concern::of(&message.relevance);
        let (mut found, mut after, mut looked_at) = (matching::Found::default(), Vec::new(), 0);
        loop {
            let (count, last) = matching::look(&self.desk, org, &concern, &after, matching::SLICE_DEVICES, &mut found)?;
            looked_at += count;
            match last {
                _ if found.count > 0 => return Ok(true),
                // Of those behind it is told once they are looked at: `bug-notice.matched`.
                _ if looked_at >= matching::LOOKED_AT_MOST => return Ok(false),
                Some(last) => after = last,
                None => return Ok(false),
            }
        }
    }

    /// A policy's command, decided and put on the provider's record as people's are. Why it was refused.
    fn ask_as_policy(
        &mut self,
        org: &OrgName,
        by: &ByPolicy<'_>,
        what: &str,
        verb: Sending,
    ) -> Result<Option<String>, Error> {
        let text = format!("{}~{}~{what}", by.fired.event, self.desk.decided_reactions);
        let Ok(id) = text.parse() else { return Ok(Some(format!("`{text}` is too long for a command's id"))) };
        let principal = Principal::Policy { name: by.policy.name().clone(), organization: Some(org.clone()) };
        let command = Command { id, principal, node: String::new(), verb: Verb::Sending(verb) };
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
        let answer = match commands::refusal(&self.desk, &self.managers, Some(org), &command)? {
            Some(refused) => refused,
            None => match self.await_approval(org, &command, Some(by))? {
                Some(answer) => answer,
                None => self.carry_out(org, &command)?,
            },
        };
        let refused = (!answer.is_done() && !answer.is_awaiting()).then(|| answer.detail().to_owned());
        // INVARIANT (tenants): it is told to the provider alone.
        commands::conclude(&mut self.desk, Some(org), false, &command, answer, ground)?;
        Ok(refused)
    }
}

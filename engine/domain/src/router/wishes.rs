//! What policies wish of services: asked for as people ask, by a command whose principal is the policy.

use std::collections::BTreeSet;
use std::rc::Rc;

use linesman_rules::{Activation as Wish, Policy};
use linesman_schemas::command::{Activation, Command, Deactivation, Subscription, Verb};
use linesman_schemas::{ApprovalRule, OrgName, Place, Principal, ServiceName, SubscriptionName};

use super::approvals::ByPolicy;
use crate::activations::parts;
use crate::commands::{self, Ground};
use crate::dead_letters::policy_dead;
use crate::intelligence::provided;
use crate::policies::Fired;
use crate::subject::Incident;
use crate::{Domain, Error, acquired, activations, reactions, subscriptions};

/// How many names a refusal lists.
const NAMED_MOST: usize = 5;
/// From which engine level on a line is found by its addresses.
const HOLDING: u32 = 6;

impl Domain {
    /// A policy has a service activated, or no longer. What is refused stands in a dead letter, and in the audit.
    pub(super) fn wish(
        &mut self,
        org: &OrgName,
        incident: Option<&Incident>,
        (policy, fired, rule): (&Policy, &Rc<Fired>, ApprovalRule),
        wish: Wish,
        is_on: bool,
    ) -> Result<(), Error> {
        if !reactions::may_react(&mut self.desk, org, policy, fired)? {
            return Ok(());
        }
        let refused = match self.wished(org, incident, wish, is_on)? {
            Ok(verb) => self.carry_out_wish(org, &ByPolicy { policy, fired, rule }, verb)?,
            Err(detail) => Some(detail),
        };
        match refused {
            Some(detail) => policy_dead(&mut self.desk, org, policy, fired, format!("refused: {detail}"), None),
            None => Ok(()),
        }
    }

    /// What a wish comes to, or why to nothing.
    fn wished(
        &mut self,
        org: &OrgName,
        incident: Option<&Incident>,
        wish: Wish,
        is_on: bool,
    ) -> Result<Result<Subscription, String>, Error> {
        let Wish { service, at, substitutions } = wish;
        if !self.desk.is_at(activations::LEVEL) {
            return Ok(Err(format!("services are activated from engine level {} on", activations::LEVEL)));
        }
        let place = match (at, incident) {
            (Some(place), _) => place,
            (None, Some(incident)) => {
                let standing = match is_on || substitutions.is_empty() {
                    true => None,
                    false => self.standing(org, incident, &service, &substitutions)?,
                };
                match standing.map_or_else(|| self.place_of(org, incident, &substitutions), |place| Ok(Ok(place)))? {
                    Ok(place) => place,
                    Err(detail) => return Ok(Err(detail)),
                }
            }
            (None, None) => return Ok(Err(format!("name the place: service(\"{service}\").at(...)"))),
        };
        let name = match self.subscription_to(&service, &place)? {
            Ok(name) => name,
            Err(detail) => return Ok(Err(detail)),
        };
        Ok(Ok(match is_on {
            true => Subscription::Activate(Activation { place, name, substitutions, schedule: None }),
            false => {
                let substitutions = Some(substitutions).filter(|texts| !texts.is_empty());
                Subscription::Deactivate(Deactivation { place, name, substitutions })
            }
        }))
    }

    /// The one place where a service was activated with these very values and of which an incident's device has the group:
    /// it ends there, whatever lines the device serves by now, and whatever addresses they have.
    fn standing(
        &self,
        org: &OrgName,
        incident: &Incident,
        service: &ServiceName,
        substitutions: &[String],
    ) -> Result<Option<Place>, Error> {
        if !self.desk.is_at(activations::UTMOST) {
            return Ok(None);
        }
        let names = BTreeSet::from([incident.row.serial_number.as_str(), incident.device.host_name.as_str()]);
        let mut found = BTreeSet::new();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            for group in parts::groups_of(self.desk.state(), org, name) {
                let (_, group) = group?;
                let Some(part) = self.desk.read(&parts::key(&group.line, &group.activation))? else { continue };
                let of = (&part.activated, &part.name, &part.subscribed);
                if part.service == *service && activations::is_of(&group.activation, of, substitutions) {
                    found.insert(part.activated);
                }
            }
        }
        Ok(if found.len() == 1 { found.pop_first() } else { None })
    }

    /// The one place that an incident's device is tied to: the access line that it serves, or where it is tied by itself. Of
    /// several it is the one whose addresses alone hold those that are given.
    fn place_of(
        &mut self,
        org: &OrgName,
        incident: &Incident,
        substitutions: &[String],
    ) -> Result<Result<Place, String>, Error> {
        let serial_number = &incident.row.serial_number;
        let names = [serial_number.as_str(), incident.device.host_name.as_str()];
        let found = self.ties.of(self.desk.state(), org, names)?;
        if found.len() > 1 && self.desk.is_at(HOLDING) {
            let holding = acquired::holding(self.desk.state(), &found, substitutions)?;
            if let [place] = holding.as_slice() {
                return Ok(Ok(Place::Below(place.clone())));
            }
        }
        Ok(match found.as_slice() {
            [place] => Ok(Place::Below(place.clone())),
            [] => Err(format!("the device `{serial_number}` is tied to no place; name one with `.at(...)`")),
            several => {
                let names = named(several.iter().map(ToString::to_string));
                Err(format!(
                    "the device `{serial_number}` is tied to several places ({names}); name one with `.at(...)`"
                ))
            }
        })
    }

    /// The one subscription to a service that is seen at a place; of several the one that is called as the service is.
    fn subscription_to(&self, service: &ServiceName, place: &Place) -> Result<Result<SubscriptionName, String>, Error> {
        let seen = subscriptions::all_seen(self.desk.state(), place)?;
        let mut names: Vec<SubscriptionName> =
            seen.into_iter().filter(|(_, row)| row.service == *service).map(|(name, _)| name).collect();
        if let Some(same) = names.iter().position(|name| name.as_str() == service.as_str()) {
            return Ok(Ok(names.swap_remove(same)));
        }
        Ok(match names.as_slice() {
            [name] => Ok(name.clone()),
            [] => Err(format!("nobody is subscribed to `{service}` at `{place}`, nor above it")),
            several => {
                let names = named(several.iter().map(ToString::to_string));
                Err(format!("at `{place}` there are several subscriptions to `{service}` ({names}), none of that name"))
            }
        })
    }

    /// A policy's command, decided and put on record as others are; policies do not hear of it. Why it was refused.
    fn carry_out_wish(
        &mut self,
        org: &OrgName,
        by: &ByPolicy<'_>,
        verb: Subscription,
    ) -> Result<Option<String>, Error> {
        // INVARIANT (tenants): what the organization's record has of it counts nothing of others.
        let text = match by.fired.is_providers {
            true => format!("{org}~{}", provided::count(&mut self.desk, format!("wished {org}").as_bytes())?),
            false => format!("{}~{}", by.fired.event, self.desk.decided_reactions),
        };
        let Ok(id) = text.parse() else { return Ok(Some(format!("`{text}` is too long for a command's id"))) };
        let principal = Principal::Policy { name: by.policy.name().clone(), organization: Some(org.clone()) };
        let command = Command { id, principal, node: String::new(), verb: Verb::Subscription(verb) };
        let ground = Ground::of(&self.desk, &self.managers, &self.books, &command.principal)?;
        let answer = match commands::refusal(&self.desk, &self.managers, Some(org), &command)? {
            Some(refused) => refused,
            None => match (self.await_approval(org, &command, Some(by))?, &command.verb) {
                (Some(answer), _) => answer,
                (None, Verb::Subscription(verb)) => self.change_subscription(&command, verb)?,
                (None, verb) => commands::Answer::misplaced(verb, Some(org)),
            },
        };
        let refused = (!answer.is_done() && !answer.is_awaiting()).then(|| answer.detail().to_owned());
        commands::conclude(&mut self.desk, Some(org), true, &command, answer, ground)?;
        Ok(refused)
    }
}

/// The first names of a list, and how many there are besides.
fn named(names: impl ExactSizeIterator<Item = String>) -> String {
    let count = names.len();
    let mut text = names.take(NAMED_MOST).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if count > NAMED_MOST {
        text.push_str(&format!(", and {} more", count - NAMED_MOST));
    }
    text
}

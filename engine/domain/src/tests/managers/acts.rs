//! What managers and groups are asked, at random, of the engine and the model alike.

use super::model::Tied;
use super::*;

impl World {
    pub(super) fn set(&mut self) {
        let (asker, login) = (*self.dice.one(&LOGINS), *self.dice.one(&LOGINS));
        let dice = &mut self.dice;
        let wish = Wish {
            places: (dice.next(4) > 0).then(|| dice.some(&PLACES, 3)),
            privileges: (dice.next(4) > 0).then(|| dice.some(&PRIVILEGES, 2)),
            rights: (dice.next(2) > 0).then(|| match org(login) {
                Some(_) => (Names::new(), 0),
                None => (dice.some(&RIGHTS, 2), dice.next(4)),
            }),
        };
        let mut settings = json!({"manager": login.rsplit('/').next()});
        if let Some(places) = &wish.places {
            settings["sphere"] = json!(places);
        }
        if let Some(privileges) = &wish.privileges {
            settings["privileges"] = json!(privileges);
        }
        if let Some((rights, step)) = &wish.rights {
            settings["rights"] = rights.iter().map(|right| ((*right).to_owned(), json!(true))).collect();
            settings["rights"]["incidents"] = json!(STEPS[*step]);
        }
        let is_right = self.model.may_set(asker, login, &wish);
        let verdict = self.ask(asker, org(login), &json!({"set_manager": settings}));
        self.check(verdict, is_right);
        if is_right {
            self.model.set(asker, login, &wish);
        }
    }

    /// A slice of what is to be handed over, if anything is.
    pub(in crate::tests) fn slice(&mut self) {
        if self.lane.domain.has_work() {
            self.lane.decide("", "ctl", b"", Content::Continue { is_alone: false });
            self.lane.commit();
        }
    }

    pub(super) fn remove(&mut self) {
        let (asker, login) = (*self.dice.one(&LOGINS), *self.dice.one(&LOGINS));
        let is_right = self.model.may_remove(asker, login);
        let verb = json!({"remove_manager": {"manager": login.rsplit('/').next()}});
        let verdict = self.ask(asker, org(login), &verb);
        self.check(verdict, is_right);
        if is_right {
            self.model.remove(login);
        }
    }

    pub(super) fn group(&mut self) {
        let asker = *self.dice.one(&LOGINS[..4]);
        let name = *self.dice.one(&["g", "h"]);
        let (members, organizations) = (self.dice.some(&LOGINS[1..4], 2), self.dice.some(&["acme", "bolt"], 2));
        let device_groups = self.dice.some(&["acme", "bolt"], 3);
        let is_tied = !organizations.is_empty() || !device_groups.is_empty();
        let held = self.model.effective(asker);
        let is_seen = |orgs: &Names| held.as_ref().is_some_and(|held| orgs.is_subset(&held.places));
        let manages = |members: &Names| {
            let mut members = members.iter();
            members.all(|member| self.model.managers.contains_key(member) && self.model.manages(asker, member))
        };
        let known = self.model.groups.get(name);
        let is_right = held.as_ref().is_some_and(|held| held.privileges.contains("managers"))
            && is_seen(&organizations)
            && is_seen(&device_groups)
            && (is_tied || is_seen(&["/"].into()))
            && manages(&members)
            && known.is_none_or(|known| {
                is_seen(&known.organizations)
                    && is_seen(&known.device_groups)
                    && manages(&known.members)
                    && (!known.organizations.is_empty() || !known.device_groups.is_empty() || is_seen(&["/"].into()))
            });
        let settings = json!({"group": name, "members": members, "organizations": organizations,
            "device_groups": device_groups.iter().map(|org| json!({"organization": org, "name": "lab"})).collect::<Vec<_>>()});
        let verdict = self.ask(asker, None, &json!({"set_group": settings}));
        self.check(verdict, is_right);
        if is_right {
            let group = self.model.groups.entry(name).or_insert_with(|| Tied { granter: asker, ..Tied::default() });
            (group.members, group.organizations, group.device_groups) = (members, organizations, device_groups);
        }
    }
}

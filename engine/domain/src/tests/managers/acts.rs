//! What managers and groups are asked, at random, of the engine and the model alike.

use super::ties::TiesWish;
use super::*;

const GROUPS: [&str; 2] = ["g", "h"];

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
        self.set_manager(asker, login, &wish);
    }

    fn set_manager(&mut self, asker: &'static str, login: &'static str, wish: &Wish) {
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
        let is_right = self.model.may_set(asker, login, wish);
        let verdict = self.ask(asker, org(login), &json!({"set_manager": settings}));
        self.check(verdict, is_right);
        if is_right {
            self.model.set(asker, login, wish);
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
        self.remove_manager(asker, login);
    }

    fn remove_manager(&mut self, asker: &'static str, login: &'static str) {
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
        let name = *self.dice.one(&GROUPS);
        if self.dice.next(8) == 0 {
            return self.remove_group(asker, name);
        }
        let dice = &mut self.dice;
        let members = (dice.next(4) > 0).then(|| dice.some(&LOGINS[1..4], 2));
        let organizations = (dice.next(4) > 0).then(|| dice.some(&["acme", "bolt"], 2));
        let device_groups = (dice.next(4) > 0).then(|| dice.some(&["acme", "bolt"], 3));
        self.set_group(asker, name, &TiesWish { members, organizations, device_groups });
    }

    /// Somebody ties a group, is left a part of what it is tied to, and goes; sometimes so does that part, and there is
    /// one of its name again.
    pub(super) fn bequeath(&mut self) {
        let name = *self.dice.one(&GROUPS);
        let part = *self.dice.one(&["acme/a", "acme/a/1", "acme/b", "bolt/c"]);
        let whose = leak(part.split('/').next().unwrap());
        let at = self.dice.next(3);
        let (granter, member) = (LOGINS[1 + at], LOGINS[1 + (at + 1) % 3]);
        let manager =
            |place| Wish { places: Some([place].into()), privileges: Some(["managers"].into()), rights: None };
        self.remove_group("admin", name);
        self.set_manager("admin", granter, &manager(whose));
        self.set_manager("admin", member, &manager(part));
        let tied = TiesWish {
            members: Some([member].into()),
            organizations: Some([whose].into()),
            device_groups: Some(self.dice.some(&[whose], 2)),
        };
        self.set_group(granter, name, &tied);
        self.set_manager("admin", granter, &manager(part));
        self.remove_manager("admin", granter);
        if self.dice.next(2) == 0 {
            self.remove_place_at("admin", part, true);
            self.make_place_at("admin", part);
        }
    }

    fn remove_group(&mut self, asker: &'static str, name: &'static str) {
        let is_right = self.model.may_untie(asker, name);
        let verdict = self.ask(asker, None, &json!({"remove_group": {"group": name}}));
        self.check(verdict, is_right);
        if is_right {
            self.model.groups.remove(name);
        }
    }

    fn set_group(&mut self, asker: &'static str, name: &'static str, wish: &TiesWish) {
        let is_right = self.model.may_tie(asker, name, wish);
        let mut settings = json!({"group": name});
        if let Some(members) = &wish.members {
            settings["members"] = json!(members);
        }
        if let Some(organizations) = &wish.organizations {
            settings["organizations"] = json!(organizations);
        }
        if let Some(tied) = &wish.device_groups {
            settings["device_groups"] = tied.iter().map(|org| json!({"organization": org, "name": "lab"})).collect();
        }
        let verdict = self.ask(asker, None, &json!({"set_group": settings}));
        self.check(verdict, is_right);
        if is_right {
            self.model.tie(asker, name, wish);
        }
    }
}

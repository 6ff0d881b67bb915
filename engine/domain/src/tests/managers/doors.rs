//! How managers come in: API tokens, made and taken back at any moment, and passwords that others set.

use super::*;

/// What a token was given; where nothing was said, what its owner was granted then.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(super) sphere: Option<Names>,
    privileges: Option<Names>,
    rights: Option<(Names, usize)>,
    expires: Option<Timestamp>,
}

const TOKENS: [&str; 2] = ["t", "u"];

impl Model {
    /// Whether somebody may do something with how a manager comes in: it itself, and whoever manages it.
    fn holds(&self, asker: &str, login: &'static str) -> bool {
        let Some(held) = self.effective(asker) else { return false };
        let is_at_home = org(asker) == org(login)
            || (org(asker).is_none() && org(login).is_some_and(|org| self.touches(asker, org)));
        let manages = || held.privileges.contains("managers") && self.manages(asker, login);
        self.managers.contains_key(login) && is_at_home && (asker == login || manages())
    }

    /// Who knows the password of a manager is it, and so has what it has, and will have again of what it was granted.
    fn may_set_password(&self, asker: &str, login: &'static str) -> bool {
        if !self.holds(asker, login) {
            return false;
        }
        let (held, other) = (self.effective(asker).unwrap(), &self.managers[login]);
        asker == login
            || (other.privileges.is_subset(&held.privileges)
                && other.rights.is_subset(&held.rights)
                && other.step <= held.step)
    }
}

impl World {
    pub(super) fn password(&mut self) {
        let (asker, login) = (*self.dice.one(&LOGINS), *self.dice.one(&LOGINS));
        let is_right = self.model.may_set_password(asker, login);
        let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";
        let verb = json!({"set_password": {"manager": login.rsplit('/').next(), "password": hash}});
        let verdict = self.ask(asker, org(login), &verb);
        self.check(verdict, is_right);
    }

    pub(super) fn issue(&mut self) {
        let (login, token) = (*self.dice.one(&LOGINS), *self.dice.one(&TOKENS));
        let (now, dice) = (self.lane.now, &mut self.dice);
        let key = Key {
            sphere: (dice.next(2) == 0).then(|| dice.some(&PLACES, 3)),
            privileges: (dice.next(2) == 0).then(|| dice.some(&PRIVILEGES, 3)),
            rights: (dice.next(3) == 0).then(|| (dice.some(&RIGHTS, 4), dice.next(3))),
            // Of some it is past already.
            expires: (dice.next(2) == 0).then(|| {
                let minutes = i64::try_from(dice.next(40)).unwrap();
                now + jiff::SignedDuration::from_mins(minutes)
            }),
        };
        let is_right = self.model.effective(login).is_some_and(|held| {
            key.expires.is_none_or(|end| now < end)
                && !self.model.tokens.contains_key(&(login, token))
                && key.sphere.iter().flatten().all(|place| self.model.sees_place(login, place))
                && key.privileges.as_ref().is_none_or(|given| given.is_subset(&held.privileges))
                && key.rights.as_ref().is_none_or(|(given, step)| given.is_subset(&held.rights) && *step <= held.step)
        });
        let mut issue = json!({"manager": login.rsplit('/').next(), "token": token, "hash": "ab".repeat(32),
            "expires": key.expires, "sphere": key.sphere, "privileges": key.privileges});
        if let Some((rights, step)) = &key.rights {
            issue["rights"] = rights.iter().map(|right| ((*right).to_owned(), json!(true))).collect();
            issue["rights"]["incidents"] = json!(STEPS[*step]);
        }
        let verdict = self.ask(login, org(login), &json!({"issue_token": issue}));
        self.check(verdict, is_right);
        if is_right {
            let granted = &self.model.managers[login];
            let key = Key {
                sphere: key.sphere.as_ref().map(below),
                privileges: key.privileges.or_else(|| Some(granted.privileges.clone())),
                rights: key.rights.or_else(|| Some((granted.rights.clone(), granted.step))),
                ..key
            };
            self.model.tokens.insert((login, token), key);
        }
    }

    pub(super) fn revoke(&mut self) {
        let (login, token) = (*self.dice.one(&LOGINS), *self.dice.one(&TOKENS));
        let asker = if self.dice.next(2) == 0 { login } else { *self.dice.one(&LOGINS) };
        let is_right = self.model.holds(asker, login) && self.model.tokens.contains_key(&(login, token));
        let verb = json!({"revoke_token": {"manager": login.rsplit('/').next(), "token": token}});
        let verdict = self.ask(asker, org(login), &verb);
        self.check(verdict, is_right);
        if is_right {
            self.model.tokens.remove(&(login, token));
        }
    }

    /// By a token its owner does what both may, at the moment and until it ends, and nothing else.
    pub(super) fn compare_tokens(&self) {
        let directory = Directory::of(directory::read(&self.lane.base).unwrap());
        let (known, now) = (Known::new(&directory, &self.lane.base), self.lane.now);
        for (login, token) in LOGINS.into_iter().flat_map(|login| TOKENS.map(|token| (login, token))) {
            let principal = Principal::of_login(&login.parse().unwrap(), Some(token.parse().unwrap()));
            let key = self.model.tokens.get(&(login, token)).filter(|key| key.expires.is_none_or(|end| now < end));
            let held = key.and_then(|_| self.model.effective(login));
            for place in PLACES {
                let at: Place = place.parse().unwrap();
                let may = |need| {
                    let asked = Asked { principal: &principal, need, place: &at, is_within: false, now };
                    rights::may(&known, &asked).unwrap() == Ruling::Allowed
                };
                let told = || format!("{login} by {token} at {place}\n{:#?}\n{}", self.model, self.log.join("\n"));
                let sees = key.is_some_and(|key| {
                    key.sphere.as_ref().is_none_or(|sphere| sphere.contains(place))
                        && self.model.sees_place(login, place)
                });
                assert_eq!(may(Need::Sight), sees, "{}", told());
                let (Some(key), Some(held)) = (key, &held) else { continue };
                for privilege in Privilege::ALL {
                    let word = privilege.as_str();
                    let is_given = key.privileges.as_ref().is_none_or(|given| given.contains(word));
                    let expected = sees && is_given && held.privileges.contains(word);
                    assert_eq!(may(Need::Privilege(privilege)), expected, "{word} {}", told());
                }
                for right in linesman_schemas::Right::ALL.into_iter().filter(|right| RIGHTS.contains(&right.as_str())) {
                    let word = right.as_str();
                    let is_given = key.rights.as_ref().is_none_or(|(given, _)| given.contains(word));
                    assert_eq!(may(Need::Right(right)), sees && is_given && held.rights.contains(word), "{}", told());
                }
                for step in linesman_schemas::IncidentStep::ALL {
                    let least = STEPS.iter().position(|word| *word == step.as_str()).unwrap();
                    let given = key.rights.as_ref().map_or(held.step, |(_, given)| held.step.min(*given));
                    assert_eq!(may(Need::Incidents(step)), sees && given >= least, "{}", told());
                }
            }
        }
    }
}

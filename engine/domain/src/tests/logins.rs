//! Passwords, sessions and API tokens: who may what with them, and what is kept of it.

use linesman_schemas::audit::Verdict;
use linesman_schemas::directory::{Grant, Granter};
use linesman_schemas::{Login, Place, Principal, Privilege, Privileges, Sphere};

use super::*;
use crate::credentials::{self, CredentialsRow};
use crate::managers::{self, Known, ManagerRow};
use crate::state::Writes;
use crate::{commands, failures, sessions, table, tokens};

const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";

fn login(text: &str) -> Login {
    text.parse().unwrap()
}

/// SHA-256 of a secret, as commands have it.
fn hash(digit: char) -> String {
    digit.to_string().repeat(64)
}

impl Lane {
    /// A lane with a chain of managers: `bob` of the provider's, `acme/ann` by him, `acme/eve` by her, and beside them
    /// `acme/sam`, who may nothing.
    fn with_managers() -> Self {
        Self::with(&[]).and_managers()
    }

    fn and_managers(self) -> Self {
        let mut lane = self;
        let all = Privileges::all();
        lane.manager("bob", "acme", all, "admin");
        lane.manager("acme/ann", "acme", all, "bob");
        lane.manager("acme/eve", "acme/berlin", all, "acme/ann");
        lane.manager("acme/sam", "acme/berlin", Privileges::default(), "acme/ann");
        lane.domain = open(&lane.base, &lane.judge, lane.book.clone(), lane.number);
        lane
    }

    fn manager(&mut self, text: &str, sphere: &str, privileges: Privileges, granter: &str) {
        let granter = Some(Granter { login: login(granter), number: 0 });
        let sphere = Sphere::of([sphere.parse().unwrap()]);
        let grant = Grant { sphere, privileges, granter, ..Grant::default() };
        let row = ManagerRow { number: 0, grant: (&grant).into(), created: self.now, changed: self.now };
        let rows = vec![(managers::key(&login(text)).into_bytes(), Some(table::encode(&row).unwrap()))];
        self.base.apply(&Writes { batch: 0, rows });
    }

    /// What became of what somebody asks concerning a manager.
    fn by(&mut self, principal: &Principal, whose: &str, verb: &Value) -> (Verdict, String) {
        let org = login(whose).organization;
        let id = format!("l{}", self.sequence);
        let command = json!({"id": id, "principal": principal, "node": "n", "verb": verb});
        match &org {
            Some(org) => {
                self.take(org.as_str(), "cmd", command.to_string().as_bytes());
            }
            None => {
                let content = Content::Command(serde_json::from_value(command).unwrap());
                self.decide("", "ctl", b"", content);
                self.commit();
            }
        }
        let row = self.row(&commands::key(org.as_ref(), &id)).unwrap();
        (row.verdict, row.detail)
    }

    fn as_(&mut self, who: &str, whose: &str, verb: &Value) -> (Verdict, String) {
        self.by(&Principal::of_login(&login(who), None), whose, verb)
    }

    fn log_in(&mut self, who: &str, session: &str) {
        let done = self.as_(who, who, &opening(who, session, self.now + days(30)));
        assert_eq!(done, (Verdict::Done, "created".to_owned()));
    }

    fn sessions(&self, who: &str) -> Vec<String> {
        sessions::of(&self.base, &login(who)).map(|found| found.unwrap().0.to_string()).collect()
    }

    fn tokens(&self, who: &str) -> Vec<String> {
        tokens::of(&self.base, &login(who)).map(|found| found.unwrap().0.to_string()).collect()
    }

    fn credentials(&self, who: &str) -> Option<CredentialsRow> {
        self.row(&credentials::key(&login(who)))
    }
}

fn days(days: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24 * days)
}

fn name(text: &str) -> String {
    login(text).name.to_string()
}

fn opening(who: &str, session: &str, expires: Timestamp) -> Value {
    let manager = name(who);
    json!({"login": {"manager": manager, "session": session, "hash": hash('a'), "source": "192.0.2.1", "expires": expires}})
}

fn password(whose: &str) -> Value {
    json!({"set_password": {"manager": name(whose), "password": HASH}})
}

fn issue(whose: &str, token: &str, more: &Value) -> Value {
    let mut fields = json!({"manager": name(whose), "token": token, "hash": hash('b')});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "issue_token": fields })
}

#[test]
fn ones_own_password_stays_and_anothers_is_to_be_changed() {
    let mut lane = Lane::with_managers();
    for (who, must_change) in [("acme/eve", false), ("acme/ann", true), ("bob", true), ("admin", true)] {
        assert_eq!(lane.as_(who, "acme/eve", &password("acme/eve")), (Verdict::Done, "changed".to_owned()), "{who}");
        assert_eq!(lane.credentials("acme/eve").unwrap().must_change, must_change, "{who}");
    }
    assert_eq!(lane.by(&Principal::Machine, "admin", &password("admin")).0, Verdict::Done);
    assert!(lane.credentials("admin").unwrap().must_change);
    let data = &lane.on("acme.audit.set-password")[3].data;
    assert_eq!(data["new"], json!({"password": "changed", "must_change": true}));
    assert!(!serde_json::to_string(data).unwrap().contains("argon2"), "{data}");
}

#[test]
fn nobody_sets_the_password_of_whom_they_do_not_manage() {
    let mut lane = Lane::with_managers();
    for (who, whose, verdict, detail) in [
        ("acme/eve", "acme/ann", Verdict::NotFound, "there is no manager `acme/ann`"),
        ("bob", "admin", Verdict::NotFound, "there is no manager `admin`"),
        ("acme/sam", "acme/eve", Verdict::Forbidden, "`acme/sam` has not the privilege `managers`"),
        ("acme/ann", "acme/nobody", Verdict::NotFound, "there is no manager `acme/nobody`"),
        ("acme/sam", "acme/nobody", Verdict::NotFound, "there is no manager `acme/nobody`"),
        ("acme/nobody", "acme/ann", Verdict::NotFound, "there is no organization `acme`"),
    ] {
        assert_eq!(lane.as_(who, whose, &password(whose)), (verdict, detail.to_owned()), "{who} of {whose}");
    }
    // Whom they do not see is not there.
    lane.manager("acme/ivy", "acme/paris", Privileges::all(), "acme/ann");
    let unseen = lane.as_("acme/eve", "acme/ivy", &password("acme/ivy"));
    assert_eq!(unseen, (Verdict::NotFound, "there is no manager `acme/ivy`".to_owned()));
    assert_eq!(lane.as_("bolt/ann", "acme/ann", &password("acme/ann")).0, Verdict::NotFound);
    assert!(["acme/ann", "acme/eve", "acme/ivy", "admin"].iter().all(|who| lane.credentials(who).is_none()));
}

#[test]
fn a_changed_password_ends_all_sessions_of_its_owner_and_nothing_else_does() {
    let mut lane = Lane::with_managers();
    for (who, session) in [("acme/eve", "s1"), ("acme/eve", "s2"), ("acme/ann", "s1"), ("bob", "s1")] {
        lane.log_in(who, session);
    }
    lane.done(&json!("suspend_organization"));
    lane.organization("acme", "Do not send");
    lane.as_("acme/eve", "acme/eve", &issue("acme/eve", "ci", &json!({})));
    assert_eq!(lane.sessions("acme/eve"), ["s1", "s2"]);
    lane.as_("acme/ann", "acme/eve", &password("acme/eve"));
    assert_eq!(lane.sessions("acme/eve"), [""; 0]);
    assert_eq!((lane.sessions("acme/ann").len(), lane.sessions("bob").len()), (1, 1));
    assert_eq!(lane.tokens("acme/eve"), ["ci"], "programs come in by something else");
}

#[test]
fn nobody_logs_in_as_another_and_the_oldest_of_too_many_sessions_ends() {
    let mut lane = Lane::with_managers();
    let as_eve = opening("acme/eve", "s", lane.now + days(1));
    for who in ["acme/ann", "bob", "admin"] {
        assert_eq!(lane.as_(who, "acme/eve", &as_eve).0, Verdict::Forbidden, "{who}");
    }
    let token = Principal::of_login(&login("acme/eve"), Some("ci".parse().unwrap()));
    lane.as_("acme/eve", "acme/eve", &issue("acme/eve", "ci", &json!({})));
    assert_eq!(lane.by(&token, "acme/eve", &as_eve).0, Verdict::Forbidden);
    assert_eq!(lane.by(&token, "acme/eve", &password("acme/eve")).0, Verdict::Forbidden);
    assert_eq!(lane.by(&token, "acme/eve", &issue("acme/eve", "more", &json!({}))).0, Verdict::Forbidden);

    lane.as_("acme/eve", "acme/eve", &opening("acme/eve", "short", lane.now + days(1)));
    lane.now += 25.hours();
    for number in 0..17 {
        lane.now += 1.minute();
        lane.log_in("acme/eve", &format!("s{number:02}"));
    }
    let known = lane.sessions("acme/eve");
    assert_eq!((known.len(), &*known[0], &*known[15]), (16, "s01", "s16"), "the ended and the oldest are gone");
}

#[test]
fn sessions_are_ended_by_their_owner_and_by_who_manages_it() {
    let mut lane = Lane::with_managers();
    for session in ["a", "b", "c"] {
        lane.log_in("acme/eve", session);
    }
    let end = |verb: &str, session: &str| json!({ verb: {"manager": "eve", "session": session} });
    assert_eq!(lane.as_("acme/eve", "acme/eve", &end("logout", "a")), (Verdict::Done, "ended".to_owned()));
    assert_eq!(lane.as_("acme/ann", "acme/eve", &end("revoke_session", "b")).0, Verdict::Done);
    assert_eq!(lane.as_("acme/sam", "acme/eve", &end("revoke_session", "c")).0, Verdict::Forbidden);
    let gone = lane.as_("acme/eve", "acme/eve", &end("logout", "a"));
    assert_eq!(gone, (Verdict::NotFound, "there is no session `a` of `acme/eve`".to_owned()));
    assert_eq!(lane.sessions("acme/eve"), ["c"]);
    let operations = ["login", "logout", "revoke-session"];
    let told = operations.map(|operation| lane.on(&format!("acme.audit.{operation}")).len());
    assert_eq!(told, [3, 2, 2]);
}

#[test]
fn a_token_is_no_more_than_its_owner() {
    let mut lane = Lane::with_managers();
    let mut asked = |who: &str, more: Value| lane.as_(who, who, &issue(who, "t", &more));
    for (who, more, detail) in [
        ("acme/eve", json!({"sphere": ["acme"]}), "`acme` is not in the sphere of `acme/eve`"),
        ("acme/eve", json!({"sphere": ["acme/berlin/x", "acme/b"]}), "`acme/b` is not in the sphere of `acme/eve`"),
        ("acme/sam", json!({"privileges": ["managers"]}), "`acme/sam` has not the privilege `managers`"),
        ("bob", json!({"rights": {"audit": true}}), "`bob` has not the right `audit`"),
        ("acme/eve", json!({"rights": {"incidents": "own"}}), "`acme/eve` has not the right `incidents`"),
    ] {
        assert_eq!(asked(who, more), (Verdict::Forbidden, detail.to_owned()));
    }
    let past = json!({"expires": "2026-11-21T09:59:59Z"});
    assert_eq!(asked("acme/eve", past), (Verdict::Invalid, "`expires` is past".to_owned()));
    let less = json!({"sphere": ["acme/berlin/line-7"], "privileges": ["managers"], "expires": "2026-11-22T10:00:00Z"});
    assert_eq!(asked("acme/eve", less.clone()), (Verdict::Done, "created".to_owned()));
    let twice = asked("acme/eve", less);
    assert_eq!(twice, (Verdict::Conflict, "there is a token `t` of `acme/eve`".to_owned()));
    for number in 1..10 {
        assert_eq!(
            lane.as_("acme/eve", "acme/eve", &issue("acme/eve", &format!("t{number}"), &json!({}))).0,
            Verdict::Done
        );
    }
    let (verdict, detail) = lane.as_("acme/eve", "acme/eve", &issue("acme/eve", "t10", &json!({})));
    assert_eq!((verdict, &*detail), (Verdict::Conflict, "`acme/eve` has 10 tokens, and no more"));
    let row = lane.row(&tokens::key(&login("acme/eve"), &"t".parse().unwrap())).unwrap();
    assert_eq!(row.hash, [0xbb; 32]);
    assert_eq!(row.attenuation().privileges, Some([Privilege::Managers].into_iter().collect()));
    assert_eq!(row.attenuation().sphere, Some(Sphere::of(["acme/berlin/line-7".parse::<Place>().unwrap()])));
    let told = lane.on("acme.audit.issue-token");
    assert!(told.iter().all(|audit| !audit.data.to_string().contains(&hash('b'))), "no hash is told");
}

#[test]
fn what_a_provider_token_may_is_part_of_the_directory_and_its_use_is_not() {
    let mut lane = Lane::with_managers();
    let version = |lane: &Lane| {
        let row = lane.row(&crate::sections::key()).unwrap_or_default();
        row.section(linesman_schemas::control::Section::Directory).map(|section| section.hash.clone())
    };
    let before = version(&lane);
    lane.as_("bob", "bob", &issue("bob", "ci", &json!({"privileges": []})));
    let issued = version(&lane);
    assert_ne!(issued, before);
    let machine = Principal::Machine;
    lane.now += 1.hour();
    let touch = json!({"touch_sessions": {"sessions": [], "tokens": [{"manager": "bob", "token": "ci"}]}});
    assert_eq!(lane.by(&machine, "bob", &touch).0, Verdict::Done);
    lane.log_in("bob", "s");
    lane.as_("bob", "bob", &password("bob"));
    assert_eq!(version(&lane), issued, "a login rewrites no book");
    let row = lane.row(&tokens::key(&login("bob"), &"ci".parse().unwrap())).unwrap();
    assert_eq!(row.used, Some(lane.now));
    // By the token its owner has no privilege.
    let token = Principal::of_login(&login("bob"), Some("ci".parse().unwrap()));
    assert_eq!(lane.by(&token, "acme/ann", &password("acme/ann")).0, Verdict::Forbidden);
    let revoke = json!({"revoke_token": {"manager": "bob", "token": "ci"}});
    assert_eq!(lane.as_("admin", "bob", &revoke), (Verdict::Done, "revoked".to_owned()));
    assert_ne!(version(&lane), issued);
    assert_eq!(lane.by(&token, "acme/ann", &password("acme/ann")).0, Verdict::NotFound);
    let gone = lane.as_("bob", "bob", &revoke);
    assert_eq!(gone, (Verdict::NotFound, "there is no token `ci` of `bob`".to_owned()));
}

#[test]
fn what_was_used_is_noted_by_the_engine_and_told_nobody() {
    let mut lane = Lane::with_managers();
    lane.log_in("acme/eve", "s");
    lane.events.clear();
    lane.now += 2.hours();
    let used = json!({"touch_sessions": {"tokens": [], "sessions":
        [{"manager": "eve", "session": "s"}, {"manager": "eve", "session": "gone"}]}});
    assert_eq!(lane.as_("admin", "acme/eve", &used).0, Verdict::Forbidden, "nobody keeps a session alive");
    lane.events.clear();
    assert_eq!(lane.by(&Principal::Machine, "acme/eve", &used).0, Verdict::Done);
    assert_eq!(lane.subjects(), [""; 0]);
    let row = lane.row(&sessions::key(&login("acme/eve"), &"s".parse().unwrap())).unwrap();
    assert_eq!(row.used, lane.now);
    assert_eq!(lane.sessions("acme/eve"), ["s"], "what has ended stays so");
}

#[test]
fn refused_logins_are_kept_until_somebody_is_let_in() {
    let mut lane = Lane::with_managers();
    let failures = |lane: &Lane| lane.row(&failures::key(&login("acme/eve")));
    let refused = |manager: Value, count: u64| json!({"login_refused": {"manager": manager, "count": count, "sources": ["192.0.2.9"]}});
    assert_eq!(lane.as_("acme/ann", "acme/eve", &refused(json!("eve"), 1)).0, Verdict::Forbidden);
    for (manager, verdict) in [(json!("eve"), Verdict::Done), (json!("nobody"), Verdict::NotFound)] {
        assert_eq!(lane.by(&Principal::Machine, "acme/eve", &refused(manager, 3)).0, verdict);
    }
    assert_eq!(lane.by(&Principal::Machine, "bob", &refused(Value::Null, 70)).0, Verdict::Done);
    let until = lane.now + jiff::SignedDuration::from_mins(15);
    let lock = json!({"login_locked": {"manager": "eve", "failures": 10, "until": until}});
    assert_eq!(lane.by(&Principal::Machine, "acme/eve", &lock).0, Verdict::Done);
    lane.by(&Principal::Machine, "acme/eve", &refused(json!("eve"), 4));
    let row = failures(&lane).unwrap();
    assert_eq!((row.count, row.locked_until), (7, Some(until)));
    assert_eq!(lane.on("acme.audit.login-locked")[0].data["new"]["failures"], 10);
    lane.log_in("acme/eve", "s");
    assert_eq!(failures(&lane), None);
    lane.by(&Principal::Machine, "acme/eve", &lock);
    lane.as_("acme/ann", "acme/eve", &password("acme/eve"));
    assert_eq!(failures(&lane), None, "who has a new password is not locked out");
}

/// Refusals of `acme/eve` that count behind an input, the first so many seconds ago.
fn refusals(lane: &Lane, since: u64, count: u64, first_s: i64) -> Value {
    let first = lane.now - jiff::SignedDuration::from_secs(first_s);
    json!({"login_refused": {"manager": "eve", "count": count, "sources": [],
        "counting": {"since": since, "first": first, "last": first + 1.second()}}})
}

fn since(lane: &Lane, who: &str) -> u64 {
    failures::since(&lane.base, &login(who)).unwrap()
}

#[test]
fn what_was_refused_before_a_login_or_a_new_password_counts_no_more_when_it_is_told_late() {
    let mut lane = Lane::with_managers();
    let eve = login("acme/eve");
    let mut before = 0;
    for anew in ["login", "password"] {
        let refused = refusals(&lane, before, 9, 30);
        lane.by(&Principal::Machine, "acme/eve", &refused);
        assert_eq!(lane.row(&failures::key(&eve)).unwrap().count, 9);
        match anew {
            "login" => lane.log_in("acme/eve", "s"),
            _ => drop(lane.as_("acme/ann", "acme/eve", &password("acme/eve"))),
        }
        let after = since(&lane, "acme/eve");
        assert!(after > before, "{anew}");
        // What still waited to be told: on record, and held against nobody.
        let lock = json!({"login_locked": {"manager": "eve", "failures": 10, "since": before,
            "until": lane.now + 14.minutes()}});
        for late in [refused, lock] {
            assert_eq!(lane.by(&Principal::Machine, "acme/eve", &late).0, Verdict::Done);
        }
        assert_eq!(lane.row(&failures::key(&eve)), None, "{anew}");
        before = after;
    }
    let recorded = ["login-refused", "login-locked"].map(|name| lane.on(&format!("acme.audit.{name}")).len());
    assert_eq!(recorded, [4, 2]);
    // One who is made again is another.
    credentials::remove(&mut lane.domain.desk, &eve).unwrap();
    lane.commit();
    assert_eq!(since(&lane, "acme/eve"), 0);
    lane.as_("acme/ann", "acme/eve", &password("acme/eve"));
    let late = refusals(&lane, before, 9, 30);
    lane.by(&Principal::Machine, "acme/eve", &late);
    assert_eq!(lane.row(&failures::key(&eve)), None);
}

#[test]
fn what_was_refused_is_forgotten_after_the_longest_lock_out_without_another() {
    let mut lane = Lane::with_managers();
    let row = |lane: &Lane| lane.row(&failures::key(&login("acme/eve"))).unwrap();
    let refuse = |lane: &mut Lane, minutes: i64, first_s: i64| {
        lane.now += jiff::SignedDuration::from_mins(minutes);
        let refused = refusals(lane, 0, 2, first_s);
        lane.by(&Principal::Machine, "acme/eve", &refused);
        row(lane).count
    };
    // Told a minute later or at once: what counts is when it was.
    assert_eq!(refuse(&mut lane, 0, 60), 2);
    assert_eq!(refuse(&mut lane, 14, 59), 4);
    assert_eq!(refuse(&mut lane, 16, 119), 6, "not yet: the last was 14 min 59 s before");
    assert_eq!(refuse(&mut lane, 15, 118), 2);
    assert_eq!(row(&lane).last, lane.now - 117.seconds());
    // A lock-out is over when it says, and what led to it counts no more.
    let until = lane.now + jiff::SignedDuration::from_secs(14 * 60 + 55);
    let lock = json!({"login_locked": {"manager": "eve", "failures": 10, "since": 0, "until": until}});
    lane.by(&Principal::Machine, "acme/eve", &lock);
    assert_eq!((row(&lane).last, row(&lane).locked_until), (lane.now - 5.seconds(), Some(until)));
    assert_eq!(refuse(&mut lane, 0, 10), 4, "what led to it");
    assert_eq!(row(&lane).locked_until, Some(until));
    assert_eq!(refuse(&mut lane, 15, 5), 2);
    assert_eq!(row(&lane).locked_until, None);
}

#[test]
fn up_to_level_6_what_was_refused_counts_whenever_it_is_told() {
    let mut lane = Lane::at(6);
    lane.organization("acme", "Send all information");
    let mut lane = lane.and_managers();
    let late = refusals(&lane, 3, 9, 3600);
    lane.log_in("acme/eve", "s");
    lane.by(&Principal::Machine, "acme/eve", &late);
    lane.now += 16.minutes();
    lane.by(&Principal::Machine, "acme/eve", &late);
    let row = lane.row(&failures::key(&login("acme/eve"))).unwrap();
    assert_eq!((row.count, row.last, since(&lane, "acme/eve")), (18, lane.now, 0));
}

#[test]
fn lock_outs_without_a_name_are_on_record_as_how_many_they_were() {
    let mut lane = Lane::with_managers();
    let lock =
        json!({"login_locked": {"failures": 50_000, "until": lane.now, "unnamed": {"logins": 200, "sources": 480}}});
    assert_eq!(lane.by(&Principal::Machine, "bob", &lock).0, Verdict::Done);
    let told = &lane.on("_provider.audit.login-locked")[0].data["new"];
    assert_eq!(*told, json!({"logins": 200, "sources": 480, "failures": 50_000, "until": lane.now}));
}

#[test]
fn with_a_manager_goes_what_it_came_in_by() {
    let mut lane = Lane::with_managers();
    for who in ["acme/eve", "acme/sam"] {
        lane.as_(who, who, &password(who));
        lane.log_in(who, "s");
        lane.as_(who, who, &issue(who, "t", &json!({})));
    }
    credentials::remove(&mut lane.domain.desk, &login("acme/eve")).unwrap();
    lane.commit();
    assert!(lane.credentials("acme/eve").is_none() && lane.credentials("acme/sam").is_some());
    assert_eq!((lane.sessions("acme/eve").len(), lane.tokens("acme/eve").len()), (0, 0));
    assert_eq!((lane.sessions("acme/sam").len(), lane.tokens("acme/sam").len()), (1, 1));
}

#[test]
fn nobody_becomes_who_may_more_by_its_password() {
    let mut lane = Lane::with_managers();
    let some = [Privilege::Managers].into_iter().collect();
    lane.manager("acme/peer", "acme", some, "acme/ann");
    lane.manager("acme/able", "acme", Privileges::all(), "acme/ann");
    let (verdict, detail) = lane.as_("acme/peer", "acme/able", &password("acme/able"));
    assert_eq!(
        (verdict, &*detail),
        (Verdict::Forbidden, "`acme/peer` has not the privilege `subscription`, which `acme/able` was granted")
    );
    let set = json!({"set_manager": {"manager": "able", "password": "$argon2id$v=19$m=8,t=1,p=1$YQ$Yg"}});
    assert_eq!(lane.as_("acme/peer", "acme/able", &set).0, Verdict::Forbidden);
    assert_eq!(lane.as_("acme/able", "acme/peer", &password("acme/peer")).0, Verdict::Done);
}

#[test]
fn what_somebody_above_has_not_at_the_moment_is_nobodys_by_a_password() {
    let mut lane = Lane::with_managers();
    let [some, more] = [&[Privilege::Managers][..], &[Privilege::Managers, Privilege::Activation]]
        .map(|privileges| privileges.iter().copied().collect());
    lane.manager("acme/peer", "acme", some, "acme/ann");
    lane.manager("acme/able", "acme", more, "acme/ann");
    let refused = (
        Verdict::Forbidden,
        "`acme/peer` has not the privilege `activation`, which `acme/able` was granted".to_owned(),
    );
    assert_eq!(lane.as_("acme/peer", "acme/able", &password("acme/able")), refused);
    // For a moment neither may activate: whoever came in now could do so for ever after.
    lane.manager("bob", "acme", some, "admin");
    lane.domain = open(&lane.base, &lane.judge, lane.book.clone(), lane.number);
    assert_eq!(lane.as_("acme/peer", "acme/able", &password("acme/able")), refused);
    assert_eq!(lane.as_("acme/able", "acme/peer", &password("acme/peer")).0, Verdict::Done);
}

#[test]
fn what_a_manager_is_granted_later_is_no_tokens_that_was_made_before() {
    for (level, later) in [(8, Privileges::all()), (crate::level::NEWEST, [Privilege::Managers].into_iter().collect())]
    {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        let mut lane = lane.and_managers();
        let some = [Privilege::Managers].into_iter().collect();
        lane.manager("acme/peer", "acme", some, "acme/ann");
        lane.manager("acme/able", "acme", Privileges::all(), "acme/ann");
        // Whoever may manage another lowers it first, and is it then by its password.
        let less = ["acme/berlin"];
        let place = json!({"set_place": {"place": "acme/berlin"}});
        assert_eq!(lane.by(&Principal::admin(), "acme/able", &place).0, Verdict::Done);
        let lower = json!({"set_manager": {"manager": "able", "sphere": less, "privileges": ["managers"]}});
        assert_eq!(lane.as_("acme/peer", "acme/able", &lower).0, Verdict::Done);
        assert_eq!(lane.as_("acme/peer", "acme/able", &password("acme/able")).0, Verdict::Done);
        assert_eq!(lane.as_("acme/able", "acme/able", &issue("acme/able", "keep", &json!({}))).0, Verdict::Done);
        let mend = json!({"set_manager": {"manager": "able", "sphere": ["acme"], "privileges": Privileges::all()}});
        assert_eq!(lane.as_("acme/ann", "acme/able", &mend).0, Verdict::Done);
        let directory = Directory::of(crate::directory::read(&lane.base).unwrap());
        let known = Known::new(&directory, &lane.base);
        let of = |token: Option<&str>| {
            let principal = Principal::of_login(&login("acme/able"), token.map(|name| name.parse().unwrap()));
            let may = crate::rights::effective(&known, &principal, lane.now).unwrap().unwrap();
            let all = "acme".parse::<Place>().unwrap();
            (may.privileges, crate::rights::reach(&known, &principal, lane.now).unwrap().covers(&all))
        };
        assert_eq!((of(None), of(Some("keep"))), ((Privileges::all(), true), (later, level == 8)), "level {level}");
    }
}

#[test]
fn a_manager_to_whom_nothing_is_left_is_there_for_whoever_has_all_of_the_organization() {
    for (level, verdict) in [(8, Verdict::NotFound), (crate::level::NEWEST, Verdict::Done)] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        let mut lane = lane.and_managers();
        lane.manager("acme/zoe", "acme/paris", Privileges::all(), "acme/ann");
        lane.manager("acme/zyl", "acme/berlin", Privileges::all(), "acme/zoe");
        lane.domain = open(&lane.base, &lane.judge, lane.book.clone(), lane.number);
        let remove = |whose: &str| json!({"remove_manager": {"manager": name(whose)}});
        assert_eq!(lane.as_("acme/ann", "acme/zoe", &remove("acme/zoe")).0, Verdict::Done);
        // What she had and what her granter has do not meet.
        let by_eve = lane.as_("acme/eve", "acme/zyl", &remove("acme/zyl"));
        assert_eq!(by_eve, (Verdict::NotFound, "there is no manager `acme/zyl`".to_owned()), "level {level}");
        assert_eq!(lane.as_("acme/ann", "acme/zyl", &password("acme/zyl")).0, verdict, "level {level}");
        assert_eq!(lane.as_("acme/ann", "acme/zyl", &remove("acme/zyl")).0, verdict, "level {level}");
    }
}

#[test]
fn nobody_is_called_as_records_call_the_engine() {
    let set = |name: &str| json!({"set_manager": {"manager": name, "sphere": ["acme"]}});
    for (level, verdict) in [(8, Verdict::Done), (crate::level::NEWEST, Verdict::Invalid)] {
        let mut lane = Lane::at(level);
        lane.organization("acme", "Send all information");
        lane.rules(1, &[], Settings::default());
        let mut lane = lane.and_managers();
        for name in ["configuration", "machine"] {
            assert_eq!(lane.by(&Principal::admin(), name, &set(name)).0, verdict, "{name} at level {level}");
        }
        // What an organization's are called has the organization before it.
        assert_eq!(lane.by(&Principal::admin(), "acme/machine", &set("machine")).0, Verdict::Done);
    }
}

//! Who comes in by a session or an API token, and who does not: on rows that are made up.

use jiff::{SignedDuration, Timestamp};
use linesman_domain::credentials::{self, CredentialsRow};
use linesman_domain::failures::{self, FailuresRow};
use linesman_domain::sessions::{self, SessionRow};
use linesman_domain::table;
use linesman_domain::tokens::{self, TokenRow};
use linesman_schemas::{Login, Privileges, Rights};
use reqwest::header::{COOKIE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::fixture::{Fixture, LANES, TOKEN, people_at, problem};
use crate::edge::logins::bearer::Bearer;

pub(super) const PASSWORD: &str = "correct horse battery";

fn ago(seconds: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_secs(seconds)
}

impl Fixture {
    pub(super) fn row(&self, login: &Login, key: Vec<u8>, row: Vec<u8>) {
        match &login.organization {
            Some(org) => self.write(org.as_str(), vec![(key, row)]),
            None => self.write_provider(vec![(key, row)]),
        }
    }

    /// The manager has this password; its hash was made elsewhere.
    pub(super) fn password(&self, login: &str, must_change: bool) {
        let login: Login = login.parse().unwrap();
        let password = argon2::Argon2::from(argon2::Params::new(8, 1, 1, None).unwrap());
        let password =
            argon2::PasswordHasher::hash_password_with_salt(&password, PASSWORD.as_bytes(), b"salt of a test");
        let row = CredentialsRow { password: password.unwrap().to_string(), must_change, changed: ago(0) };
        self.row(&login, credentials::key(&login).into_bytes(), table::encode(&row).unwrap());
    }

    /// A session that was used so long ago and ends in so many seconds; what it bears.
    pub(super) fn session(&self, login: &str, used_s: i64, expires_s: i64) -> String {
        let login: Login = login.parse().unwrap();
        let bearer = Bearer::session(&login).unwrap();
        let row = SessionRow {
            hash: bearer.hash(),
            created: ago(90_000),
            used: ago(used_s),
            expires: ago(-expires_s),
            source: "192.0.2.1".to_owned(),
        };
        let key = sessions::key(&login, &bearer.name.parse().unwrap()).into_bytes();
        self.row(&login, key, table::encode(&row).unwrap());
        bearer.text().expose().to_owned()
    }

    /// A session of that id by which nobody comes in.
    pub(super) fn session_of(&self, login: &str, id: &str) {
        let login: Login = login.parse().unwrap();
        let (hash, source) = ([0; 32], "192.0.2.1".to_owned());
        let row = SessionRow { hash, created: ago(60), used: ago(60), expires: ago(-3600), source };
        let key = sessions::key(&login, &id.parse().unwrap()).into_bytes();
        self.row(&login, key, table::encode(&row).unwrap());
    }

    /// A token that ends in so many seconds; what it bears.
    pub(super) fn token(&self, login: &str, name: &str, expires_s: Option<i64>) -> String {
        let login: Login = login.parse().unwrap();
        let bearer = Bearer::token(&login, &name.parse().unwrap()).unwrap();
        let row = TokenRow {
            hash: bearer.hash(),
            expires: expires_s.map(|seconds| ago(-seconds)),
            sphere: None,
            privileges: Some(0),
            rights: None,
            created: ago(90_000),
            used: None,
        };
        let key = tokens::key(&login, &name.parse().unwrap()).into_bytes();
        self.row(&login, key, table::encode(&row).unwrap());
        bearer.text().expose().to_owned()
    }

    async fn log_in(&self, login: &str, password: &str) -> Response {
        let body = json!({"login": login, "password": password});
        self.request(Method::POST, "/api/v1/session").json(&body).send().await.unwrap()
    }

    async fn me(&self, bearer: &str) -> Response {
        self.get_as(bearer, "/api/v1/me").await
    }
}

async fn edge() -> Fixture {
    let edge = Fixture::new().await;
    edge.grant("acme/eve", "acme/berlin", Privileges::all(), Rights::default());
    for login in ["acme/ann", "acme/eve"] {
        edge.password(login, false);
    }
    edge
}

/// All there is of an answer but its moment.
async fn whole(answer: Response) -> (StatusCode, Vec<(String, String)>, String) {
    let status = answer.status();
    let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    (status, headers, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_login_nobody_has_is_answered_like_a_wrong_password() {
    let edge = edge().await;
    let wrong = whole(edge.log_in("acme/ann", "wrong horse battery").await).await;
    assert_eq!(wrong.0, 401);
    assert!(wrong.1.iter().any(|(name, _)| name == WWW_AUTHENTICATE.as_str()));
    assert!(wrong.2.contains("login or password is wrong"), "{}", wrong.2);
    let long = "x".repeat(2000);
    for (login, password) in [
        ("acme/nobody", PASSWORD),
        ("nobody/ann", PASSWORD),
        ("nobody", PASSWORD),
        ("admin", PASSWORD),
        ("not a login", PASSWORD),
        ("", ""),
        ("acme/eve", ""),
        ("acme/eve", &*long),
    ] {
        assert_eq!(whole(edge.log_in(login, password).await).await, wrong, "{login}");
    }
    // The doors are the same too: three failures are free.
    for login in ["acme/ann", "acme/nobody"] {
        for _ in 0..2 {
            assert_eq!(edge.log_in(login, "wrong horse battery").await.status(), 401, "{login}");
        }
        let answer = edge.log_in(login, PASSWORD).await;
        let wait = answer.headers()[RETRY_AFTER].to_str().unwrap().to_owned();
        let detail = "too many logins have failed: wait 1 s before the next one".to_owned();
        assert_eq!((wait.as_str(), problem(answer).await), ("1", (429, detail)), "{login}");
    }
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn who_was_locked_out_before_a_restart_still_is() {
    let edge = edge().await;
    let login: Login = "acme/ann".parse().unwrap();
    let row = FailuresRow { count: 10, last: ago(60), locked_until: Some(ago(-840)) };
    edge.row(&login, failures::key(&login).into_bytes(), table::encode(&row).unwrap());
    let wait = edge.logins.wait("acme/ann", "192.0.2.1".parse().unwrap());
    assert!(wait.is_some_and(|wait| (800..=840).contains(&wait)), "{wait:?}");
    // Not in the machine itself: what is missing here is the log.
    assert_eq!(edge.log_in("acme/ann", PASSWORD).await.status(), 503);
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn a_restart_does_not_tell_which_logins_somebody_has() {
    let edge = edge().await;
    let logins = ["acme/ann", "acme/nobody", "nobody/ann", "not a login"];
    for login in logins {
        for number in (0..10).rev() {
            edge.logins.fail(login, "192.0.2.1".parse().unwrap(), ago(number * 60));
        }
    }
    // Of one the log has it too.
    let login: Login = "acme/ann".parse().unwrap();
    let row = FailuresRow { count: 10, last: ago(0), locked_until: None };
    edge.row(&login, failures::key(&login).into_bytes(), table::encode(&row).unwrap());
    edge.listening.shutdown().await;
    let text = std::fs::read_to_string(edge.dir.path().join("doors.json")).unwrap();
    assert!(!logins.iter().any(|login| text.contains(login)), "{text}");
    let again = people_at((0..LANES).map(|lane| edge.store.lane(lane).unwrap()).collect(), &edge.dir);
    let waits = logins.map(|login| again.wait(login, "192.0.2.2".parse().unwrap()));
    assert!(waits.iter().all(|wait| wait.is_some_and(|wait| (600..=900).contains(&wait))), "{waits:?}");
}

#[tokio::test]
async fn the_right_password_needs_the_log() {
    let edge = edge().await;
    let answer = edge.log_in("acme/ann", PASSWORD).await;
    assert_eq!(answer.status(), 503, "the session was kept nowhere");
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn a_session_is_good_while_it_is_used_and_not_at_its_end() {
    let edge = edge().await;
    // This program knows of them no more than what was noted: they may have been used until the next note was due.
    for (used_s, expires_s, status) in
        [(0, 60, 200), (46_800, 60, 200), (46_811, 60, 401), (0, -1, 401), (80_000, 600_000, 401)]
    {
        let session = edge.session("acme/ann", used_s, expires_s);
        assert_eq!(edge.me(&session).await.status(), status, "used {used_s} s ago, ends in {expires_s} s");
    }
    let session = edge.session("acme/ann", 0, 60);
    let nobodys = edge.session("acme/gone", 0, 60);
    let mut forged = session.clone();
    forged.pop();
    for bearer in [&*nobodys, &*forged, &*session.replace("lms_", "lmt_"), "lms_", "x"] {
        let answer = edge.me(bearer).await;
        assert_eq!(problem(answer).await, (401, "a bearer token is needed".to_owned()), "{bearer}");
    }
    let me: Value = edge.me(&session).await.json().await.unwrap();
    assert_eq!(
        me,
        json!({
            "login": "acme/ann", "sphere": ["acme"], "granted_by": "admin",
            "privileges": ["subscription", "substitution", "activation", "managers"],
            "rights": {
                "organizations": false, "settings": false, "policies": false, "services": false, "devices": false,
                "intelligence": false, "approvals": false, "cases": false, "delete-incidents": false, "audit": false,
                "incidents": "none",
            },
        })
    );
    let admin: Value = edge.me(TOKEN).await.json().await.unwrap();
    assert_eq!(
        (&admin["login"], &admin["sphere"], &admin["granted_by"]),
        (&json!("admin"), &json!(["/"]), &Value::Null)
    );
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn a_token_is_good_until_its_end_and_narrows_its_owner() {
    let edge = edge().await;
    for (name, expires_s, status) in [("a", None, 200), ("b", Some(60), 200), ("c", Some(-1), 401)] {
        let token = edge.token("acme/ann", name, expires_s);
        assert_eq!(edge.me(&token).await.status(), status, "ends in {expires_s:?}");
    }
    let token = edge.token("acme/ann", "a", None);
    let me: Value = edge.me(&token).await.json().await.unwrap();
    assert_eq!((&me["sphere"], &me["privileges"]), (&json!(["acme"]), &json!([])));
    let listed: Value = edge.get_as(&token, "/api/v1/tokens").await.json().await.unwrap();
    let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a"], "it is told of itself, and nothing of what else its owner has");
    assert!(listed["items"][0]["used"].is_string(), "{listed}");
    edge.session("acme/ann", 0, 60);
    let sessions: Value = edge.get_as(&token, "/api/v1/sessions").await.json().await.unwrap();
    assert_eq!(sessions["items"], json!([]));
    assert_eq!(edge.get_as(&token, "/api/v1/tokens/a").await.status(), 200);
    let other = problem(edge.get_as(&token, "/api/v1/tokens/b").await).await;
    assert_eq!(other, (404, "there is no token `b` of `acme/ann`".to_owned()));
    // One that has ended already is not made.
    let body = json!({"name": "past", "expires": "2020-01-01T00:00:00Z"});
    let answer = edge.request(Method::POST, "/api/v1/tokens").bearer_auth(TOKEN).json(&body).send().await.unwrap();
    let wrong: Value = answer.json().await.unwrap();
    assert_eq!(
        (&wrong["status"], &wrong["errors"]),
        (&json!(422), &json!([{"pointer": "#/expires", "detail": "`expires` is past"}]))
    );
    // It is nobody's way to come in as its owner.
    let body = json!({"old": PASSWORD, "new": "another horse battery"});
    let answer = edge.request(Method::PUT, "/api/v1/me/password").bearer_auth(&token).json(&body).send().await.unwrap();
    assert_eq!(problem(answer).await, (403, "one's own password is not changed by an API token".to_owned()));
    let answer = edge.request(Method::DELETE, "/api/v1/session").bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 409);
    // Nor to put them out, be there anything or not.
    let session = edge.session("acme/ann", 0, 60);
    let id = Bearer::read(&session).unwrap().name;
    for path in ["tokens/a", "tokens/none", "sessions/none", &format!("sessions/{id}")] {
        let answer = edge.request(Method::DELETE, &format!("/api/v1/{path}")).bearer_auth(&token).send().await.unwrap();
        let detail = "an API token does nothing with how its owner comes in".to_owned();
        assert_eq!(problem(answer).await, (403, detail), "{path}");
    }
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_without_a_command() {
    let edge = edge().await;
    let (ann, eve) = (edge.session("acme/ann", 0, 60), edge.session("acme/eve", 0, 60));
    edge.token("acme/eve", "ci", None);
    edge.token("admin", "ci", None);
    // Of what it was not given it has as much as its owner, of rights an organization's none.
    let ci: Value = edge.get_as(&eve, "/api/v1/tokens/ci").await.json().await.unwrap();
    assert_eq!(ci["rights"]["audit"], false);
    let ci: Value = edge.get("/api/v1/tokens/ci").await.json().await.unwrap();
    assert_eq!(ci["rights"], Value::Null);
    for (bearer, query, whose) in [(&eve, "", "acme/eve"), (&ann, "?login=acme/eve", "acme/eve")] {
        for (path, what) in [("tokens/none", "token `none`"), ("sessions/none", "session `none`")] {
            let path = format!("/api/v1/{path}{query}");
            let answer = edge.request(Method::DELETE, &path).bearer_auth(bearer).send().await.unwrap();
            assert_eq!(problem(answer).await, (404, format!("there is no {what} of `{whose}`")), "{path}");
        }
        // The log, which is away here, is asked about what is there.
        let path = format!("/api/v1/tokens/ci{query}");
        let answer = edge.request(Method::DELETE, &path).bearer_auth(bearer).send().await.unwrap();
        assert_eq!(answer.status(), 503, "{path}");
    }
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn a_cookie_reads_and_writes_only_from_a_page_of_ours() {
    let edge = edge().await;
    let session = edge.session("acme/ann", 0, 60);
    let cookie = format!("a=b; __Host-linesman={session}");
    let asked = |method: Method, origin: Option<String>| {
        let request = edge.request(method, "/api/v1/me/password").header(COOKIE, &cookie);
        origin.iter().fold(request, |request, origin| request.header(ORIGIN, origin)).json(&json!({}))
    };
    assert_eq!(edge.request(Method::GET, "/api/v1/me").header(COOKIE, &cookie).send().await.unwrap().status(), 200);
    let detail = "a request with a cookie that changes something has `Origin` as the address of this API";
    for origin in [None, Some("https://evil.example".to_owned()), Some("null".to_owned())] {
        let answer = asked(Method::PUT, origin.clone()).send().await.unwrap();
        assert_eq!(problem(answer).await, (403, detail.to_owned()), "{origin:?}");
    }
    let ours = Some(format!("https://{}", edge.addr()));
    assert_eq!(asked(Method::PUT, ours).send().await.unwrap().status(), 422, "it came as far as its body");
    // What is borne counts, whatever a browser adds.
    let answer = asked(Method::PUT, None).bearer_auth("wrong").send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let answer = asked(Method::PUT, None).bearer_auth(&session).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn who_has_to_change_the_password_does_nothing_else() {
    let edge = edge().await;
    edge.password("acme/eve", true);
    let session = edge.session("acme/eve", 0, 60);
    let detail = "the password was set by somebody else: change it first, with `PUT /api/v1/me/password`".to_owned();
    for path in ["/api/v1/incidents", "/api/v1/tokens", "/api/v1/sessions", "/api/v1/nothing", "/api/v1/events"] {
        assert_eq!(problem(edge.get_as(&session, path).await).await, (403, detail.clone()), "{path}");
    }
    assert_eq!(edge.me(&session).await.status(), 200);
    let body = |old: &str, new: &str| json!({"old": old, "new": new});
    for (body, pointer) in [
        (body(PASSWORD, "short"), "#/new"),
        (body(PASSWORD, "Password1234"), "#/new"),
        (body(PASSWORD, "another\thorse battery"), "#/new"),
        (body(PASSWORD, PASSWORD), "#/new"),
        (body("wrong horse battery", "another horse battery"), "#/old"),
    ] {
        let request = edge.request(Method::PUT, "/api/v1/me/password").bearer_auth(&session).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 422, "{body}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{body}: {answer}");
    }
    edge.listening.shutdown().await;
}

#[tokio::test]
async fn sessions_and_tokens_are_shown_to_their_owner_and_who_manages_it() {
    let edge = edge().await;
    let ann = edge.session("acme/ann", 0, 60);
    let eve = edge.session("acme/eve", 0, 60);
    edge.session("acme/eve", 0, -1);
    edge.token("acme/eve", "ci", None);
    let own: Value = edge.get_as(&eve, "/api/v1/sessions").await.json().await.unwrap();
    assert_eq!((own["items"].as_array().unwrap().len(), &own["items"][0]["is_current"]), (1, &json!(true)), "{own}");
    assert!(!own.to_string().contains("hash"));
    for path in ["/api/v1/sessions", "/api/v1/tokens"] {
        let seen: Value = edge.get_as(&ann, &format!("{path}?login=acme/eve")).await.json().await.unwrap();
        assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{path}");
        for (bearer, whose) in [(&eve, "acme/ann"), (&eve, "acme/nobody"), (&ann, "bob"), (&ann, "bolt/zed")] {
            let answer = edge.get_as(bearer, &format!("{path}?login={whose}")).await;
            assert_eq!(problem(answer).await, (404, format!("there is no manager `{whose}`")), "{path}");
        }
    }
    // And one by one: the same item, by whoever may see the list.
    let id = own["items"][0]["id"].as_str().unwrap().to_owned();
    for (list, name) in [("/api/v1/sessions", &*id), ("/api/v1/tokens", "ci")] {
        let mut one: Value = edge.get_as(&eve, &format!("{list}/{name}")).await.json().await.unwrap();
        let mut listed: Value = edge.get_as(&eve, list).await.json().await.unwrap();
        // By being asked for, her session is used.
        for item in [&mut one, &mut listed["items"][0]] {
            item.as_object_mut().unwrap().remove("used").unwrap();
        }
        assert_eq!(one, listed["items"][0], "{list}");
        let one = edge.get_as(&ann, &format!("{list}/{name}?login=acme/eve")).await;
        let listed: Value = edge.get_as(&ann, &format!("{list}?login=acme/eve")).await.json().await.unwrap();
        assert_eq!(one.json::<Value>().await.unwrap(), listed["items"][0], "{list}");
        let other = edge.get_as(&eve, &format!("{list}/{name}?login=acme/ann")).await;
        assert_eq!(problem(other).await, (404, "there is no manager `acme/ann`".to_owned()), "{list}");
    }
    let ended = edge.session("acme/eve", 0, -1);
    let ended = Bearer::read(&ended).unwrap().name;
    for (path, missing) in [
        (format!("/api/v1/sessions/{ended}"), format!("there is no session `{ended}` of `acme/eve`")),
        (format!("/api/v1/sessions/{id}?login=acme/low"), "there is no manager `acme/low`".to_owned()),
        ("/api/v1/tokens/other".to_owned(), "there is no token `other` of `acme/eve`".to_owned()),
    ] {
        assert_eq!(problem(edge.get_as(&eve, &path).await).await, (404, missing), "{path}");
    }
    let body = json!({"login": "acme/ann", "password": "short"});
    let reset = |bearer: &str| edge.request(Method::POST, "/api/v1/password-resets").bearer_auth(bearer).json(&body);
    let answer = reset(&eve).send().await.unwrap();
    assert_eq!(problem(answer).await, (404, "there is no manager `acme/ann`".to_owned()));
    let answer = reset(&ann).send().await.unwrap();
    assert_eq!(problem(answer).await, (403, "one's own password is changed by `PUT /api/v1/me/password`".to_owned()));
    let answer = reset(TOKEN).send().await.unwrap();
    assert_eq!(problem(answer).await, (422, "a password has at least 12 characters".to_owned()));
    edge.listening.shutdown().await;
}

//! What `why` tells of every operation at every kind of place, beside what the API answers whoever asks for it there.

use linesman_domain::rights::{OPERATIONS, Where, asked_at};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::task::LocalSet;

use super::super::fixture::audited;
use super::kinds::{self, Kind, Way};
use super::samples::{self, LINE, SITE};
use super::world::{Asked, Person};

/// A place of each kind, and one of that kind that there is not.
const PLACES: [(&str, &str); 4] = [("/", "/"), ("acme", "nope"), (SITE, "acme/nope"), (LINE, "acme/berlin/nope")];
/// Who is asked about.
const WHO: [&str; 19] = [
    "admin",
    "reads",
    "has-all",
    "acme-all",
    "site-all",
    "bolt-all",
    "tied-reads",
    "tied-all",
    "cores-all",
    "audit",
    "managers",
    "incidents-own",
    "acme/enterprise-reads",
    "acme/enterprise-all",
    "acme/site-managers",
    "acme/site-all",
    "acme/line-all",
    "acme/chained",
    "bolt/all",
];

/// A request for an operation at a place.
struct Request {
    operation: &'static str,
    place: &'static str,
    /// The operation of the document that leads there.
    route: &'static str,
    path: String,
    body: Option<Value>,
}

/// All requests: the samples by where they ask, and what those ask for elsewhere.
fn requests(letter_of_provider: &str) -> Vec<Request> {
    let mut all: Vec<_> = samples::samples()
        .into_iter()
        .filter(|sample| !samples::is_of_somebody(sample.operation))
        .map(|sample| {
            let operation = match (sample.operation, sample.path) {
                ("load-policies", path) if path.contains("settings") => "load-settings",
                ("load-policies", path) if path.contains("services") => "load-services",
                ("set-values", path) if path.contains("service=") => "localize-service",
                ("replay-input", path) if path.contains("{failed}") => "run-policy",
                (operation, _) => operation.split('.').next().unwrap(),
            };
            let (place, path) = (sample.place.unwrap_or("/"), sample.path.to_owned());
            Request { operation, place, route: sample.operation, path, body: sample.body }
        })
        .collect();
    let mut add = |operation, place, route, path: &str, body| {
        all.push(Request { operation, place, route, path: path.to_owned(), body });
    };
    add("policy", "/", "policy", "/api/v1/policies/all", None);
    add("dead-letter", "/", "dead-letter", &format!("/api/v1/dead-letters/{letter_of_provider}"), None);
    add("audit-record", "/", "audit-record", "/api/v1/audit/_provider/0", None);
    add("audit-checkpoint", "/", "audit-checkpoint", "/api/v1/audit/_provider/checkpoint", None);
    add("audit-proof", "/", "audit-proof", "/api/v1/audit/_provider/proof?index=0", None);
    add("events", "acme", "events", "/api/v1/events?organization=acme", None);
    add("command", "acme", "command", "/api/v1/commands/asked?organization=acme", None);
    for (place, _) in PLACES {
        for (operation, path) in [
            ("places", "/api/v1/places"),
            ("managers", "/api/v1/managers"),
            ("subscriptions", "/api/v1/subscriptions"),
            ("activations", "/api/v1/activations"),
            ("audit", "/api/v1/audit"),
            ("export-audit", "/api/v1/audit/export"),
        ] {
            add(operation, place, operation, &format!("{path}?under={place}"), None);
        }
        add("simulate", place, "simulate", "/api/v1/rights/simulate", Some(json!({"under": place})));
        let asked = format!("/api/v1/rights/why?login={{login}}&operation=places&place={place}");
        add("why", place, "why", &asked, None);
        let under = json!({"under": place});
        add("rollout-service", place, "rollout-service", "/api/v1/services/nat/rollout", Some(under));
    }
    for place in [SITE, LINE] {
        let new = json!({"sphere": [place], "privileges": []});
        add("manager", place, "manager", "/api/v1/managers/acme/low", None);
        add("set-manager", place, "set-manager", "/api/v1/managers/acme/new", Some(new));
        add("remove-manager", place, "remove-manager", "/api/v1/managers/acme/low", None);
    }
    for (place, login) in [("/", "low"), ("acme", "acme/low")] {
        for operation in ["tokens", "sessions"] {
            add(operation, place, operation, &format!("/api/v1/{operation}?login={login}"), None);
            let (one, revoke) = match operation {
                "tokens" => ("token", "revoke-token"),
                _ => ("session", "revoke-session"),
            };
            let path = format!("/api/v1/{operation}/own?login={login}");
            add(one, place, one, &path, None);
            add(revoke, place, revoke, &path, None);
        }
        let body = json!({"login": login, "password": "a password that nobody has"});
        add("set-password", place, "set-password.reset", "/api/v1/password-resets", Some(body));
    }
    all
}

/// What is told of somebody.
async fn told(asked: &Asked, login: &str, operation: &str, place: &str) -> Value {
    let path = format!("/api/v1/rights/why?login={login}&operation={operation}&place={place}");
    let answer = asked.world.edge.get(&path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// Status and detail of an answer.
async fn parts(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    if answer.headers()["content-type"] != "application/problem+json" {
        return (status, String::new());
    }
    let body: Value = answer.json().await.unwrap();
    (status, body["detail"].as_str().unwrap_or_default().to_owned())
}

/// Whether the API looks at it where managers belong who are named, or whoever asks.
fn is_asked_at_home(operation: &str) -> bool {
    matches!(operation, "set-manager" | "remove-manager" | "audit" | "export-audit" | "simulate")
}

/// A refusal without where.
fn placeless(detail: &str) -> String {
    let (what, place) = detail.split_once(" on `").unwrap();
    format!("{what}{}", place.split_once('`').unwrap().1)
}

/// What of an answer is not as it was told; nothing, if it is.
async fn untrue(asked: &Asked, person: &Person<'_>, request: &Request, nowhere: &str, told: &Value) -> Option<String> {
    let Request { operation, place, route, path, body } = request;
    let (status, detail) = parts(asked.ask(person, route, path, body.as_ref()).await).await;
    let has_more = !told["besides"].as_array().unwrap().is_empty();
    let is_so = match told["verdict"].as_str().unwrap() {
        // This engine has no files, and is not ready.
        "allowed" if matches!(*operation, "readyz" | "load-policies" | "load-services" | "load-settings") => {
            matches!(status, 200 | 503)
        }
        // None is reached of that name.
        "allowed" if *operation == "use-device" => status == 404 && detail.contains("reaches no device"),
        "allowed" => matches!(status, 200 | 201 | 207 | 409) || (has_more && matches!(status, 403 | 404 | 422)),
        "forbidden" if is_asked_at_home(operation) => {
            status == 403 && placeless(told["detail"].as_str().unwrap()) == placeless(&detail)
        }
        "forbidden" => status == 403 && told["detail"] == detail,
        "unseen" if status == 404 => true,
        // No place is named, and whoever may roll out somewhere is told to name one.
        "unseen" if (*operation, *place) == ("rollout-service", "/") => status == 403,
        "unseen" => {
            let named = |text: &str| text.replace(place, nowhere);
            let body = body.as_ref().map(|body| serde_json::from_str(&named(&body.to_string())).unwrap());
            *place != "/" && parts(asked.ask(person, route, &named(path), body.as_ref()).await).await.0 == status
        }
        _ => false,
    };
    let login = &person.kind.login;
    (!is_so).then(|| format!("{login}: {operation} at {place} ({path}): {status} {detail}, told {told}"))
}

#[tokio::test]
async fn why_tells_of_every_operation_at_every_kind_of_place_what_the_api_answers() {
    let kinds: Vec<Kind> = kinds::kinds().into_iter().filter(|kind| WHO.contains(&&*kind.name)).collect();
    assert_eq!(kinds.len(), WHO.len());
    assert!(kinds.iter().all(|kind| matches!(kind.way, Way::Machine | Way::Session)));
    let compared = async {
        let (asked, people) = Asked::new(&kinds).await;
        asked.world.edge.write_provider(audited("_provider", 3));
        let requests = requests(&asked.letter_of_provider().await);
        let mut otherwise = Vec::new();
        for (operation, _) in OPERATIONS {
            for (place, nowhere) in PLACES {
                let here: Vec<_> =
                    requests.iter().filter(|one| one.operation == *operation && one.place == place).collect();
                for person in &people {
                    let login = &*person.kind.login;
                    let told = told(&asked, login, operation, place).await;
                    // What is one's own alone is asked for by no path that names somebody.
                    if asked_at(operation) == Where::Home {
                        let is_told = (told["verdict"] == "allowed") == (place == person.kind.home());
                        otherwise.extend((!is_told).then(|| format!("{login}: {operation} at {place}: {told}")));
                        continue;
                    }
                    if (told["verdict"] == "no-operation") != here.is_empty() {
                        otherwise.push(format!("{} requests for {operation} at {place}: {told}", here.len()));
                    }
                    for request in &here {
                        otherwise.extend(untrue(&asked, person, request, nowhere, &told).await);
                    }
                }
            }
        }
        asked.world.end().await;
        assert!(otherwise.is_empty(), "{}:\n{}", otherwise.len(), otherwise.join("\n"));
    };
    LocalSet::new().run_until(compared).await;
}

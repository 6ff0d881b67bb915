//! Nobody below reads the value of what is fixed above and hidden.

use linesman_schemas::{Place, Principal};

use super::*;
use crate::activations::origins;
use crate::hidden::{About, Reader};
use crate::preview::{Asked, Preview, Question, Sight, preview};
use crate::rights::Reach;
use crate::shelf::Shelf;

/// A service that hides what is fixed above.
const COVERT: [(&str, &str); 2] = [
    (
        "service.toml",
        "title = \"Covert\"\nhide_fixed = true\n[parameters]\n\
         rate = { type = \"rate\", default = \"10m\" }\nburst = { type = \"number\", default = \"1\" }\n",
    ),
    ("main.j2", "cap {\n    rate {{ rate }};\n    burst {{ burst }};\n    fixed;\n}\n"),
];

/// The rate that the enterprise has fixed, as it is printed.
const SECRET: &str = "7654321";

fn network() -> Network {
    let mut network = Network::with(vec![service("covert", &COVERT), service("banner", &BANNER)]);
    network.does(&subscribe("acme", "cap", "covert", &[&format!("!rate={SECRET}")], true));
    let manager = json!({"manager": "ann", "sphere": ["acme/berlin"],
        "privileges": ["subscription", "substitution", "activation"]});
    network.does(&json!({"set_manager": manager}));
    network
}

fn ann() -> Value {
    json!({"kind": "manager", "organization": "acme", "name": "ann"})
}

/// What she has a say in.
fn reach() -> Reach {
    let sphere = linesman_schemas::Sphere::of(["acme/berlin".parse().unwrap()]);
    Reach { sphere, ..Reach::default() }
}

#[test]
fn a_refusal_does_not_tell_what_is_fixed_above_and_hidden() {
    let mut network = network();
    // What comes of it is not told either, nor what it does not fit.
    for given in ["burst=rate / 0", "burst in 1..rate - 7654321", "!burst in 9..10"] {
        let verb =
            json!({"set_values": {"place": "acme/berlin", "keep": true, "substitutions": [given, "burst=rate"]}});
        let (verdict, detail) = network.lane.decided_for(&ann(), &verb);
        assert_ne!(verdict, Verdict::Done, "{given}");
        assert!(!detail.contains(SECRET), "{given}: {detail}");
        let (_, detail) = network.lane.decided(&verb);
        assert!(!detail.contains("not shown"), "the provider is told: {detail}");
    }
    let verb = json!({"set_values": {"place": "acme/berlin", "substitutions": ["burst=rate", "burst in 1..10"]}});
    let (_, detail) = network.lane.decided_for(&ann(), &verb);
    assert_eq!(detail, "`burst`: what is wrong is not shown: it comes of what is fixed above and hidden");
}

#[test]
fn what_two_set_differently_is_not_told_where_a_hidden_value_stands_in_it() {
    let mut network = network();
    network.does(&json!({"set_place": {"place": "acme/berlin/line-2", "device": "pe-own"}}));
    network.does(&values("acme", &["burst=2"]));
    let asked = activate("acme/berlin/line-1", "cap", &["burst=3"]);
    let (verdict, detail) = network.lane.decided_for(&ann(), &asked);
    assert_eq!(verdict, Verdict::Conflict, "{detail}");
    assert!(detail.contains("`cap burst` is set to `2` and to `3`: by `cap-"), "it is not hidden: {detail}");
    network.does(&json!({"set_subscription": {"place": "acme/berlin/line-1", "name": "other", "service": "covert",
        "substitutions": ["burst=2"], "active": false}}));
    let (verdict, detail) = network.lane.decided_for(&ann(), &activate("acme/berlin/line-1", "other", &[]));
    assert_eq!(verdict, Verdict::Conflict, "{detail}");
    assert!(detail.contains("a statement with a hidden value is set differently: by `cap-"), "{detail}");
    assert!(!detail.contains(SECRET), "{detail}");
    let (verdict, detail) = network.lane.decided(&activate("acme/berlin/line-1", "other", &[]));
    assert_eq!(verdict, Verdict::Conflict, "{detail}");
    assert!(detail.contains(SECRET) && !detail.contains("hidden"), "the provider is told: {detail}");
    let told = network.lane.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
    assert_eq!(told.1.data["verdict"], "conflict");
    let told = told.1.data.to_string();
    assert!(told.contains("a statement with a hidden value") && !told.contains(SECRET), "{told}");
    // Nor where the other one is another line's.
    network.does(&deactivate("acme/paris/line-1", "cap"));
    network.does(&json!({"set_place": {"place": "acme/paris/line-1", "device": "pe-own"}}));
    network.does(&json!({"set_subscription": {"place": "acme/paris/line-1", "name": "third", "service": "covert",
        "substitutions": ["burst=2"], "active": false}}));
    let (verdict, detail) = network.lane.decided(&activate("acme/paris/line-1", "third", &[]));
    assert_eq!(verdict, Verdict::Conflict, "{detail}");
    assert!(detail.contains(SECRET), "the provider is told: {detail}");
    let told = network.lane.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap().1.data.to_string();
    assert!(told.contains("a statement with a hidden value is set otherwise") && !told.contains(SECRET), "{told}");
}

fn previewed(network: &Network, verb: &Value, reader: Reader<'_>) -> Preview {
    let said = json!({"id": "p", "actor": "admin", "node": "test", "verb": verb});
    let Content::Command(command) = Content::decode("cmd", said.to_string().as_bytes()) else { panic!("{verb}") };
    let principal: Principal = serde_json::from_value(ann()).unwrap();
    let question = Question {
        lane: network.lane.number,
        directory: Arc::clone(&network.lane.directory),
        organization: "acme".parse().unwrap(),
        asked: Asked::Command(
            if reader.sees_all() { command.principal.clone() } else { principal },
            Box::new(command.verb.clone()),
        ),
        now: network.lane.now,
    };
    let sight = Sight { sees: &|_| true, reader };
    preview(Box::new(network.lane.base.handle()), question, &sight, &|| true).unwrap()
}

#[test]
fn a_preview_and_what_devices_were_told_keep_the_statements_with_a_hidden_value() {
    let network = network();
    let (reach, shelf) = (reach(), Shelf::default());
    let reader = Reader::of_organization(&reach);
    let verb = values("acme/berlin", &["burst=rate + 1"]);
    let found = previewed(&network, &verb, reader);
    assert_eq!((found.verdict, found.lines), (Verdict::Done, 2));
    assert!(found.changes.iter().all(|change| change.is_hidden && change.diff.is_empty()), "{found:?}");
    let shown: Vec<_> = found.values.iter().filter_map(|change| change.after.clone()).collect();
    assert!(
        !shown.is_empty() && shown.iter().all(|standing| standing.is_hidden && standing.value.is_none()),
        "{shown:?}"
    );
    let whole = previewed(&network, &verb, Reader::of_provider());
    assert!(whole.changes[0].diff.contains("7654322") && !whole.changes[0].is_hidden, "{whole:?}");

    let base = network.lane.base.handle();
    let ((_, id), part) = network.parts().pop_first().unwrap();
    let line = "acme/berlin/line-1".parse().unwrap();
    let Place::Below(line) = line else { panic!("{line}") };
    let told = origins::of_part(&base, &shelf, (&line, &id), &part, reader).unwrap();
    let hidden = ["cap rate 7654321", "cap burst 1", "cap fixed"].map(|statement| told.hides(statement));
    assert_eq!(hidden, [true, false, false]);
    assert!(told.hides("cap rate 1000"), "what would not be rendered any more may hold what was hidden");
    assert!(origins::hides(&base, &shelf, (&line, &id), &part, reader).unwrap());
    assert!(!origins::hides(&base, &shelf, (&line, &id), &part, Reader::of_provider()).unwrap());
    // Whoever has fixed it is shown it.
    let sphere = linesman_schemas::Sphere::of(["acme".parse().unwrap()]);
    let own = Reach { sphere, ..Reach::default() };
    assert!(!origins::hides(&base, &shelf, (&line, &id), &part, Reader::of_organization(&own)).unwrap());
}

#[test]
fn what_an_activation_above_fixes_itself_is_not_among_what_was_given_with_it() {
    let mut network = Network::with(vec![service("covert", &COVERT)]);
    network.does(&subscribe("acme", "cap", "covert", &[], false));
    let fixed = format!("!rate={SECRET}");
    network.does(&activate("acme", "cap", &[&fixed, "burst=5"]));
    let (reach, name, acme) = (reach(), "cap".parse().unwrap(), "acme".parse::<Place>().unwrap());
    let rows = crate::activations::at(&network.lane.base, &acme, &name).map(Result::unwrap);
    let given = rows.flat_map(|(_, row)| row.substitutions).collect::<Vec<_>>();
    let shown = |reader: Reader<'_>| {
        let (mut left, about) = (given.clone(), About::Activation(&name, &given));
        reader.cut(&network.lane.base, &Shelf::default(), (&acme, about), &mut left, |given| &given.text).unwrap();
        left.into_iter().map(|given| given.text).collect::<Vec<_>>()
    };
    assert_eq!(shown(Reader::of_organization(&reach)), ["burst=5"]);
    assert_eq!(shown(Reader::of_provider()), [fixed.as_str(), "burst=5"]);
}

#[test]
fn what_goes_on_record_of_a_refusal_tells_nothing_that_is_hidden() {
    let twice = ("main.j2", "cap {\n    rate {{ rate }};\n    rate 5;\n    burst {{ burst }};\n}\n");
    let mut network = Network::with(vec![service("covert", &[COVERT[0], twice])]);
    let detail = network.refuses(&subscribe("acme", "cap", "covert", &[&format!("!rate={SECRET}")], true));
    assert!(detail.contains(SECRET), "the provider is told: {detail}");
    let (_, event) = network.lane.events.iter().rfind(|(subject, _)| subject.contains(".audit.")).unwrap();
    let outcome = event.data["outcome"].as_str().unwrap();
    assert!(!outcome.contains(SECRET) && outcome.contains("acme/berlin/line-1"), "{outcome}");
}

#[test]
fn the_dead_letter_of_a_device_does_not_quote_what_is_hidden() {
    for (level, files, is_told) in [(level::NEWEST, COVERT, false), (level::NEWEST, LIMIT, true), (12, COVERT, true)] {
        let mut network = Network::at(level, vec![service("cap", &files)]);
        network.ask(&subscribe("acme/berlin/line-1", "cap", "cap", &[&format!("!rate={SECRET}"), "!burst=2000"], true));
        let refusal = json!({"failed": {"class": "refused", "message": format!("no such rate: {SECRET}")}});
        assert!(network.answer(&refusal));
        let letters = network.lane.on("acme.dead.reaction-failed");
        let detail = letters[0].data["detail"].as_str().unwrap();
        assert_eq!((letters.len(), detail.contains(SECRET)), (1, is_told), "{detail}");
        let untold = "attempt 1: refused: why is not shown: it may tell what is fixed above and hidden";
        let rest = detail.strip_prefix(untold);
        assert!(is_told || rest.is_some_and(|rest| rest.starts_with("; the device `pe-berlin`")), "{detail}");
        // Whoever is shown all reads it of the activation.
        assert!(network.parts().values().all(|part| part.reason.contains(SECRET)));
    }
}

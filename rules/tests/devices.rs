//! `org.devices(#{ ... })`: what it gives, what it costs, what of it is refused, and what of that the check finds.

#![cfg(test)]

mod support;

use std::rc::Rc;

use linesman_rules::{Device, Edition, Failure, FailureKind, Intent, Judge, Limits};
use support::{accepted, check, expiry, incident, load, logged, organization, script, script_on};

fn device(number: usize, product: &str, os_version: &str) -> Device {
    Device {
        serial_number: format!("SN{number:04}"),
        host_name: format!("edge-{number}"),
        product: product.to_owned(),
        platform: "junos".to_owned(),
        os_version: os_version.to_owned(),
    }
}

fn some() -> Rc<[Device]> {
    [
        device(1, "MX240", "21.4R2-S1"),
        device(2, "MX480", "21.4R3"),
        device(3, "EX4300", "20.1R1"),
        device(4, "MX5", "lab"),
    ]
    .into()
}

fn run(judge: &mut Judge, body: &str, devices: Option<Rc<[Device]>>) -> Result<Vec<Intent>, Failure> {
    let policy = script(body);
    assert!(policy.asks_devices());
    judge.react_among(&policy, incident().shared(), &organization(), devices, Edition::NEWEST)
}

#[test]
fn those_that_are_all_that_is_asked_for_are_given() {
    let mut judge = Judge::new(Limits::default());
    for (asked, expected) in [
        ("", "SN0001,SN0002,SN0003,SN0004"),
        ("product: \"MX*\", os_version: \"< 21.4R3\"", "SN0001"),
        ("os_version: \">= 20.1, < 22.1\"", "SN0001,SN0002,SN0003"),
        ("host_name: \"edge-3\", platform: \"junos\"", "SN0003"),
        ("serial_number: \"SN000*\", product: \"QFX*\"", ""),
    ] {
        let body = format!(
            "let found = org.devices(#{{ {asked} }}); let text = \"\"; \
             for one in found {{ if text != \"\" {{ text += \",\"; }} text += one; }} log(text);"
        );
        let expected = if expected.is_empty() { Vec::new() } else { vec![logged(expected, serde_json::Map::new())] };
        let body = if expected.is_empty() {
            format!("if org.devices(#{{ {asked} }}).len() > 0 {{ log(\"some\"); }}")
        } else {
            body
        };
        assert_eq!(run(&mut judge, &body, Some(some())).unwrap(), expected, "{asked}");
    }
}

#[test]
fn it_is_bounded_and_takes_operations() {
    let many: Rc<[Device]> = (0..10_000).map(|number| device(number, "MX240", "21.4R3")).collect();
    let mut judge = Judge::new(Limits::default());
    let asked = "log(`${org.devices(#{ product: \"MX*\" }).len()}`);";
    assert_eq!(run(&mut judge, asked, Some(Rc::clone(&many))).unwrap(), [logged("1000", serde_json::Map::new())]);
    assert!((11_000..14_000).contains(&judge.operations()), "{}", judge.operations());
    let one = "if org.devices(#{ os_version: \"< 1.1\" }).len() > 0 { log(\"x\"); }";
    assert_eq!(run(&mut judge, one, Some(Rc::clone(&many))).unwrap(), []);
    assert!((20_000..21_000).contains(&judge.operations()), "{}", judge.operations());
    let again = "for n in 0..4 { org.devices(#{ product: \"EX*\" }); }";
    assert!(run(&mut judge, again, Some(Rc::clone(&many))).is_ok());
    let failure = run(&mut judge, &again.replace("0..4", "0..5"), Some(many)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Operations, "{failure}");
}

#[test]
fn what_is_refused_in_a_run_is_found_before_it() {
    for (asked, refused) in [
        ("#{ vendor: \"x\" }", "`devices` knows no key `vendor`"),
        ("#{ produkt: \"x\" }", "`devices` knows no key `produkt`"),
        ("#{ product: 5 }", "`product` of `devices` is a text, not a number"),
        ("#{ os_version: \"older\" }", "`older` is no expression of versions"),
    ] {
        let body = format!("org.devices({asked});");
        let policy = script(&body);
        let failure = run(&mut Judge::new(Limits::default()), &body, Some(some())).unwrap_err();
        assert!(failure.message.starts_with(refused), "{failure}");
        let [fault] = &check(&policy)[..] else { panic!("{asked}: {:?}", check(&policy)) };
        assert!(fault.message.starts_with(refused), "{fault:?}");
    }
    for (body, refused) in [
        ("subject.devices(#{});", "`devices` are asked for of the organization: `org.devices(...)`"),
        ("org.devices(\"MX*\");", "what `devices` is given is a map, not a text"),
        ("org.devices();", "`devices` takes 1 argument, not 0"),
    ] {
        let faults = check(&script(body));
        assert!(faults.iter().any(|fault| fault.message.starts_with(refused)), "{body}: {faults:?}");
    }
    let computed = "let asked = #{}; asked.product = subject.device.product; org.devices(asked);";
    assert!(check(&script(computed)).is_empty());
    assert!(run(&mut Judge::new(Limits::default()), computed, Some(some())).is_ok());
}

#[test]
fn where_there_are_none_to_ask_for_it_is_refused() {
    let failure = run(&mut Judge::new(Limits::default()), "org.devices(#{});", None).unwrap_err();
    assert!(failure.message.contains("from engine level 11 on"), "{failure}");
    let policy = script_on("licence.expired", "org.devices(#{});");
    let failure = Judge::new(Limits::default()).react(&policy, expiry().shared(), &organization()).unwrap_err();
    assert!(failure.message.starts_with("`devices` has nobody's devices to tell"), "{failure}");
    assert!(!accepted("p", "policy(#{ on: \"incident.detected\" });\nfn react(a, b) {}").asks_devices());
    let own = "policy(#{ on: \"incident.detected\" });\nfn devices(a, b) { 1 }\nfn react(a, b) { devices(a, 5); }";
    assert!(load("p", own).is_ok(), "a function of one's own of that name");
}

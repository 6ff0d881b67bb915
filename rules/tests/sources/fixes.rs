//! What stands below a fix loses, whatever it says, and is no fault; what counts is.

use serde_json::json;

use super::{faults, resolved};

const PARAMETERS: &str = "rate = { type = \"rate\", level = \"enterprise\" }\nmask = { type = \"address\" }";

#[test]
fn of_a_substitution_below_a_fix_nothing_is_a_fault() {
    for said in [
        "rate=5",
        "!rate=5",
        "rate=",
        "rate=5g",
        "rate=\"x\"",
        "rate=1/0",
        "rate=mask",
        "rate=mask + 1",
        "rate=nowhere",
        "rate=rate",
        "rate:port=5",
        "rate:port=",
        "rate in 5..9",
        "rate in [mask]",
        "rate in nowhere..9",
        "rate in \"x\"",
    ] {
        let report = resolved(PARAMETERS, &[("enterprise", &["!rate=1"]), ("site", &[said])]);
        assert_eq!(report["faults"], json!([]), "{said}");
        assert_eq!(report["parameters"]["rate"]["value"], json!("1"), "{said}");
    }
    // One constraint fixed blocks those below it, and no value.
    let narrowed = [("enterprise", &["!rate in 1..5"][..]), ("subscription-enterprise", &["rate in nowhere..9"][..])];
    assert_eq!(faults(PARAMETERS, &narrowed), Vec::<String>::new());
    let valued = [("enterprise", &["!rate in 1..5"][..]), ("subscription-enterprise", &["rate=9"][..])];
    assert_eq!(
        faults(PARAMETERS, &valued),
        ["rate: the subscription at `acme` gives `9`, and `acme` admits `1..5` only \
             [\"acme\",\"subscription-enterprise\"]"]
    );
}

#[test]
fn what_is_said_where_it_is_fixed_and_above_is_held() {
    for said in ["rate=5g", "rate=mask", "rate=nowhere", "rate in [mask]"] {
        let found = faults(PARAMETERS, &[("service", &[said]), ("enterprise", &["!rate=1"])]);
        assert_eq!(found.len(), 1, "{said}: {found:?}");
    }
    // Twice at one source is a fault of that source, and a text that cannot be read is none of a value.
    let twice = faults(PARAMETERS, &[("enterprise", &["!rate=1"]), ("site", &["rate=2", "rate=3"])]);
    assert_eq!(twice, ["rate: `rate` is substituted twice by `acme/berlin` [\"acme/berlin\"]"]);
}

#[test]
fn a_renaming_below_a_fix_renames_nothing() {
    let report = resolved(
        "source = { type = \"network\" }",
        &[
            ("enterprise", &["!source=10.0.0.0/8"]),
            ("site", &["dept:network=", "source=dept"]),
            ("line", &["source=11.0.0.0/8"]),
        ],
    );
    assert_eq!(report["faults"], json!([]));
    assert_eq!(report["parameters"]["source"]["renamed"], json!(null));
    assert_eq!(report["parameters"]["source"]["value"], json!("10.0.0.0/8"));
    // One that fixes is one: below it there is only the new name.
    let fixing = faults(
        "source = { type = \"network\" }",
        &[("enterprise", &["dept:network=", "!source=dept"]), ("site", &["source=11.0.0.0/8"])],
    );
    assert_eq!(
        fixing,
        ["source: `source` cannot be substituted by `acme/berlin`: `acme` has renamed it [\"acme\",\"acme/berlin\"]"]
    );
}

#[test]
fn a_circle_through_a_constraint_names_where_it_stands() {
    let circle = "rate: the parameters refer to each other in a circle: rate -> rate [\"acme/berlin\"]";
    assert_eq!(faults("rate = { type = \"rate\" }", &[("site", &["rate in rate..5"])]), [circle]);
}

#[test]
fn what_is_said_at_one_level_alone_is_said_there_by_activations_too_and_of_its_new_name() {
    let parameters = "c = { type = \"string\", level = \"enterprise\" }";
    let renamed = [("enterprise", &["d:string=", "c=d"][..]), ("line", &["d=\"x\""][..])];
    let told =
        "d: `d` cannot be said by `acme/berlin/line-7`: it is for the enterprise and above [\"acme/berlin/line-7\"]";
    assert_eq!(faults(parameters, &renamed), [told]);
    let at = |place: &str| {
        let text = format!(
            "[parameters]\n{parameters}\n[[sources]]\nsource = \"activation\"\nplace = \"{place}\"\nsubstitutions = ['c=\"x\"']\n"
        );
        super::of(&text)["faults"].as_array().map(Vec::len)
    };
    assert_eq!(["acme", "acme/berlin", "acme/berlin/line-7"].map(at), [Some(0), Some(1), Some(1)]);
}

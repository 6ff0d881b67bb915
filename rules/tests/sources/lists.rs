//! Lists that meet, and what constrains them.

use serde_json::json;

use super::{faults, value};

#[test]
fn what_is_left_of_a_list_lies_within_all_that_constrains_it() {
    let ports = "l = { type = \"port\", list = \"remove\" }";
    // What is taken out is no value.
    let narrowed: [(&str, &[&str]); 3] =
        [("enterprise", &["l=[1, 2, 3]"]), ("site", &["l in [1, 2]"]), ("line", &["l=[3]"])];
    assert_eq!(value(ports, &narrowed, "l"), json!(["1", "2"]));
    let own: [(&str, &[&str]); 2] = [("enterprise", &["l=[1, 2, 3]"]), ("site", &["l in [1, 2]", "l=[3]"])];
    assert_eq!(value(ports, &own, "l"), json!(["1", "2"]));
    // What is left is.
    let left: [(&str, &[&str]); 3] =
        [("enterprise", &["l=[1, 2, 3]"]), ("site", &["l in [1, 2]"]), ("line", &["l=[2]"])];
    assert_eq!(
        faults(ports, &left),
        ["l: `acme` gives `[1, 2, 3]`, of which `[1, 3]` is left, and `acme/berlin` admits `[1, 2]` only \
             [\"acme\",\"acme/berlin\"]"]
    );
    // The general list is held against what is more general still, whatever is taken out of it.
    let general: [(&str, &[&str]); 2] = [("enterprise", &["l in 1..2", "l=[1, 3]"]), ("site", &["l=[3]"])];
    assert_eq!(faults(ports, &general), ["l: `acme` gives `[1, 3]`, and `acme` admits `1..2` only [\"acme\"]"]);
    // A negation that is left alone matches nearly everything.
    let alone: [(&str, &[&str]); 2] = [("enterprise", &["l in 1..9", "l=[1, not 2]"]), ("site", &["l=[1]"])];
    assert_eq!(
        faults(ports, &alone),
        ["l: of `[1, not 2]` of `acme` `acme/berlin` leaves `[not 2]`, and `acme` admits `1..9` only \
             [\"acme\",\"acme/berlin\"]"]
    );
}

#[test]
fn a_list_that_nothing_is_left_of_is_missing_where_it_is_required() {
    for list in ["remove", "append", "replace"] {
        let ports = format!("l = {{ type = \"port\", list = \"{list}\", required = true }}");
        let general: &[&str] = if list == "remove" { &["l=[1]"] } else { &["l=[]"] };
        let specific: &[&str] = if list == "remove" { &["l=1"] } else { &["l=[]"] };
        assert_eq!(
            faults(&ports, &[("enterprise", general), ("site", specific)]),
            [
                "l: `l` is required and has no value: the list that `acme/berlin` gives leaves it empty [\"acme/berlin\"]"
            ],
            "{list}"
        );
    }
}

#[test]
fn an_element_that_takes_away_is_held_with_those_it_takes_from() {
    let networks = "n = { type = \"network\", list = \"append\", constraint = \"n in 0.0.0.0/0\" }";
    let both: [(&str, &[&str]); 2] = [("enterprise", &["n=10.0.0.0/8"]), ("site", &["n=[not 10.1.0.0/16]"])];
    assert_eq!(value(networks, &both, "n"), json!(["10.0.0.0/8", "not 10.1.0.0/16"]));
    let negated: [(&str, &[&str]); 2] = [("enterprise", &["n=not 10.0.0.0/8"]), ("site", &["n=[not 10.1.0.0/16]"])];
    assert_eq!(
        faults(networks, &negated),
        [
            "n: `acme/berlin` gives `[not 10.1.0.0/16]`, and the definition admits `0.0.0.0/0` only \
             [\"local-default\",\"acme/berlin\"]",
            "n: `acme` gives `not 10.0.0.0/8`, and the definition admits `0.0.0.0/0` only [\"local-default\",\"acme\"]",
        ]
    );
}

#[test]
fn what_lists_come_to_together_is_no_longer_than_a_list_may_be() {
    let ports = "l = { type = \"port\", list = \"append\" }";
    let list = |from: usize| format!("l={:?}", (from..from + 600).collect::<Vec<_>>());
    let (first, other) = (list(0), list(424));
    let fits: [(&str, &[&str]); 2] = [("enterprise", &[first.as_str()]), ("site", &[other.as_str()])];
    assert_eq!(value(ports, &fits, "l").as_array().map(Vec::len), Some(1_024));
    let (line, longer) = (list(425), "what `l` comes to of several lists: a list has at most 1024 elements");
    assert_eq!(
        faults(ports, &[("enterprise", &[first.as_str()]), ("line", &[line.as_str()])]),
        [format!("l: {longer} [\"acme\",\"acme/berlin/line-7\"]")]
    );
}

//! Random worlds: parameters of a service, and what sources say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;

/// From the most specific to the most general, as the document lists them; `global` stands where fixed ones do.
pub(crate) const ORDER: [&str; 13] = [
    "activation",
    "subscription-line",
    "line",
    "subscription-site",
    "site",
    "subscription-enterprise",
    "enterprise",
    "localized",
    "service",
    "local-default",
    "global",
    "runtime",
    "global-default",
];
pub(crate) const LOCALS: [&str; 6] = ["a", "b", "c", "n", "g", "l"];
pub(crate) const ALL: [&str; 9] = ["a", "b", "c", "n", "g", "l", "dept", "interface_speed", "nowhere"];
/// How a more specific list meets the more general one.
pub(crate) const MODES: [&str; 3] = ["replace", "append", "remove"];
/// What the place tells.
pub(crate) const SPEED: i64 = 7;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Give {
    Number(i64),
    List(Vec<i64>),
    Network(u8),
    Name(&'static str),
}

#[derive(Debug, Clone)]
pub(crate) enum Say {
    Give {
        name: &'static str,
        fixed: bool,
        give: Give,
    },
    Narrow {
        name: &'static str,
        fixed: bool,
        low: i64,
        high: i64,
    },
    /// `dept:rate=`, and with it `name=dept`.
    Rename {
        name: &'static str,
    },
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Local {
    pub(crate) default: Option<i64>,
    pub(crate) constraint: Option<(i64, i64)>,
    pub(crate) required: bool,
    /// None: nothing is said of it.
    pub(crate) list: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) locals: BTreeMap<&'static str, Local>,
    pub(crate) said: BTreeMap<&'static str, Vec<Say>>,
}

pub(crate) fn kind(name: &str) -> Option<&'static str> {
    match name {
        "a" | "b" | "c" | "g" | "dept" | "interface_speed" => Some("rate"),
        "n" => Some("network"),
        "l" => Some("port"),
        _ => None,
    }
}

pub(crate) fn place(source: &str) -> Option<&'static str> {
    match source {
        "localized" | "enterprise" | "subscription-enterprise" => Some("acme"),
        "site" | "subscription-site" => Some("acme/berlin"),
        "line" | "subscription-line" | "activation" => Some("acme/berlin/line-7"),
        _ => None,
    }
}

fn says() -> impl Strategy<Value = Say> {
    let name = prop::sample::select(ALL.to_vec());
    let give = prop_oneof![
        6 => (0_i64..40).prop_map(Give::Number),
        3 => prop::collection::vec(0_i64..6, 0..4).prop_map(Give::List),
        1 => (0_u8..4).prop_map(Give::Network),
        2 => prop::sample::select(ALL.to_vec()).prop_map(Give::Name),
    ];
    prop_oneof![
        8 => (name.clone(), prop::bool::weighted(0.2), give.clone()).prop_map(|(name, fixed, give)| Say::Give { name, fixed, give }),
        3 => (prop::bool::weighted(0.1), give).prop_map(|(fixed, give)| Say::Give { name: "l", fixed, give }),
        2 => (prop::sample::select(vec!["a", "b", "g", "l", "dept"]), prop::bool::weighted(0.2), 0_i64..20, 0_i64..30)
            .prop_map(|(name, fixed, low, more)| Say::Narrow { name, fixed, low, high: low + more }),
        1 => prop::sample::select(vec!["a", "b", "c", "g"]).prop_map(|name| Say::Rename { name }),
    ]
}

pub(crate) fn worlds() -> impl Strategy<Value = World> {
    let local = (
        prop::option::weighted(0.4, 0_i64..40),
        prop::option::weighted(0.3, (0_i64..10, 10_i64..40)),
        any::<bool>(),
        prop::option::weighted(0.8, prop::sample::select(MODES.to_vec())),
    );
    let local = local.prop_map(|(default, constraint, required, list)| Local { default, constraint, required, list });
    let locals =
        prop::collection::btree_map(prop::sample::select(LOCALS.to_vec()), local, 1..=6).prop_map(|mut locals| {
            for (_, single) in locals.iter_mut().filter(|(name, _)| **name != "l") {
                single.list = None;
            }
            if let Some(network) = locals.get_mut("n") {
                *network = Local { required: network.required, ..Local::default() };
            }
            locals
        });
    let sources: Vec<&str> = ORDER
        .iter()
        .copied()
        .filter(|source| !["local-default", "runtime", "global-default"].contains(source))
        .collect();
    let said = prop::collection::btree_map(prop::sample::select(sources), prop::collection::vec(says(), 1..4), 0..7);
    (locals, said).prop_map(|(locals, said)| {
        let said = said.into_iter().map(|(source, says)| (source, alone(source, says)));
        World { locals, said: said.collect() }
    })
}

/// A source gives each name at most once, narrows it at most once, and declares `dept` at most once. Globals speak of
/// globals.
fn alone(source: &str, says: Vec<Say>) -> Vec<Say> {
    let (mut given, mut narrowed, mut renamed) = (BTreeSet::new(), BTreeSet::new(), false);
    let mut kept = Vec::new();
    for say in says {
        let (Say::Give { name, .. } | Say::Narrow { name, .. } | Say::Rename { name }) = &say;
        let is_of_local =
            matches!(&say, Say::Give { give: Give::Name(other), .. } if *other != "g" && *other != "nowhere");
        if source == "global" && (*name != "g" || is_of_local) {
            continue;
        }
        // Of a list all that is given counts: a circle of its own is none that the others have.
        if matches!(&say, Say::Give { name: "l", give: Give::Name(_), .. }) {
            continue;
        }
        let keep = match &say {
            Say::Give { name, .. } => given.insert(*name),
            Say::Narrow { name, .. } => narrowed.insert(*name),
            Say::Rename { name } => !std::mem::replace(&mut renamed, true) && given.insert(*name),
        };
        if keep {
            kept.push(say);
        }
    }
    kept
}

impl World {
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("[parameters]\n");
        for (name, local) in &self.locals {
            write!(text, "{name} = {{ type = \"{}\"", kind(name).unwrap()).unwrap();
            if let Some(default) = local.default {
                write!(text, ", default = \"{default}\"").unwrap();
            }
            if let Some((low, high)) = local.constraint {
                write!(text, ", constraint = \"{name} in {low}..{high}\"").unwrap();
            }
            if let Some(list) = local.list {
                write!(text, ", list = \"{list}\"").unwrap();
            }
            writeln!(text, ", required = {} }}", local.required).unwrap();
        }
        for (source, says) in &self.said {
            write!(text, "[[sources]]\nsource = \"{source}\"\n").unwrap();
            if let Some(place) = place(source) {
                writeln!(text, "place = \"{place}\"").unwrap();
            }
            let mut all = Vec::new();
            for say in says {
                match say {
                    Say::Give { name, fixed, give } => {
                        let mark = if *fixed { "!" } else { "" };
                        all.push(match give {
                            Give::Number(number) => format!("{mark}{name}={number}"),
                            Give::List(numbers) => format!("{mark}{name}={numbers:?}"),
                            Give::Network(third) => format!("{mark}{name}=10.0.{third}.0/24"),
                            Give::Name(other) => format!("{mark}{name}={other}"),
                        });
                    }
                    Say::Narrow { name, fixed, low, high } => {
                        all.push(format!("{}{name} in {low}..{high}", if *fixed { "!" } else { "" }));
                    }
                    Say::Rename { name } => all.extend([format!("{name}=dept"), "dept:rate=".to_owned()]),
                }
            }
            if *source == "global" {
                all.push("g:rate=".to_owned());
            }
            writeln!(text, "substitutions = {all:?}").unwrap();
        }
        writeln!(text, "[runtime]\ninterface_speed = {SPEED}").unwrap();
        text
    }
}

//! Acquisition against a naive model, which is written from the text of `docs/values.md` alone: over random sources with
//! fixes, renames, references, hiding and constraints both come to the same values, sources and faults.

#![expect(clippy::unwrap_used, reason = "a test that finds something else has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use linesman_rules::values::{Ground, Report, Scenario, acquire};
use proptest::prelude::*;

/// From the most specific to the most general, as the document lists them; `global` stands where fixed ones do.
const ORDER: [&str; 13] = [
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
const LOCALS: [&str; 5] = ["a", "b", "c", "n", "g"];
const ALL: [&str; 8] = ["a", "b", "c", "n", "g", "dept", "interface_speed", "nowhere"];
/// What the place tells.
const SPEED: i64 = 7;

#[derive(Debug, Clone, PartialEq)]
enum Give {
    Number(i64),
    Network(u8),
    Name(&'static str),
}

#[derive(Debug, Clone)]
enum Say {
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
struct Local {
    default: Option<i64>,
    constraint: Option<(i64, i64)>,
    required: bool,
}

#[derive(Debug, Clone)]
struct World {
    locals: BTreeMap<&'static str, Local>,
    said: BTreeMap<&'static str, Vec<Say>>,
}

fn kind(name: &str) -> Option<&'static str> {
    match name {
        "a" | "b" | "c" | "g" | "dept" | "interface_speed" => Some("rate"),
        "n" => Some("network"),
        _ => None,
    }
}

fn place(source: &str) -> Option<&'static str> {
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
        1 => (0_u8..4).prop_map(Give::Network),
        2 => prop::sample::select(ALL.to_vec()).prop_map(Give::Name),
    ];
    prop_oneof![
        8 => (name.clone(), prop::bool::weighted(0.2), give).prop_map(|(name, fixed, give)| Say::Give { name, fixed, give }),
        2 => (prop::sample::select(vec!["a", "b", "g", "dept"]), prop::bool::weighted(0.2), 0_i64..20, 0_i64..30)
            .prop_map(|(name, fixed, low, more)| Say::Narrow { name, fixed, low, high: low + more }),
        1 => prop::sample::select(vec!["a", "b", "c", "g"]).prop_map(|name| Say::Rename { name }),
    ]
}

fn worlds() -> impl Strategy<Value = World> {
    let local =
        (prop::option::weighted(0.4, 0_i64..40), prop::option::weighted(0.3, (0_i64..10, 10_i64..40)), any::<bool>());
    let local = local.prop_map(|(default, constraint, required)| Local { default, constraint, required });
    let locals =
        prop::collection::btree_map(prop::sample::select(LOCALS.to_vec()), local, 1..=5).prop_map(|mut locals| {
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
    fn text(&self) -> String {
        let mut text = String::from("[parameters]\n");
        for (name, local) in &self.locals {
            write!(text, "{name} = {{ type = \"{}\"", kind(name).unwrap()).unwrap();
            if let Some(default) = local.default {
                write!(text, ", default = \"{default}\"").unwrap();
            }
            if let Some((low, high)) = local.constraint {
                write!(text, ", constraint = \"{name} in {low}..{high}\"").unwrap();
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

/// How general a source is: the higher, the more.
fn rank(source: &str) -> usize {
    ORDER.iter().position(|known| *known == source).unwrap()
}

#[derive(Debug, Clone)]
struct Candidate {
    source: &'static str,
    fixed: bool,
    give: Give,
}

#[derive(Debug, Clone, PartialEq)]
enum Came {
    Number(i64),
    Network(u8),
    Missing,
    Faulty,
}

/// A constraint; `since` the source that renamed what it was given of to the name at hand.
#[derive(Debug, Clone)]
struct Narrowed {
    source: &'static str,
    fixed: bool,
    low: i64,
    high: i64,
    since: Option<&'static str>,
}

impl Narrowed {
    fn admits(&self, number: i64) -> bool {
        (self.low..=self.high).contains(&number)
    }
}

/// The model: everything is looked for anew, again and again.
struct Model<'w> {
    world: &'w World,
    faulty: BTreeSet<String>,
}

impl Model<'_> {
    /// Whether a global parameter is hidden by one of the service.
    fn is_hidden(&self, name: &str, source: &str) -> bool {
        source == "global" && self.world.locals.contains_key(name)
    }

    /// The most general source that declares a name, if any does.
    fn declared(&self, name: &str) -> Option<&'static str> {
        if name == "interface_speed" {
            return Some("runtime");
        }
        if self.world.locals.contains_key(name) {
            return Some("local-default");
        }
        let declares = |source: &&str| match (name, self.world.said.get(*source)) {
            ("g", Some(_)) => **source == *"global",
            ("dept", Some(says)) => says.iter().any(|say| matches!(say, Say::Rename { .. })),
            _ => false,
        };
        ORDER
            .iter()
            .copied()
            .rev()
            .find(|source| declares(source))
            .map(|source| if source == "global" { "global-default" } else { source })
    }

    fn is_known_at(&self, name: &str, source: &str) -> bool {
        self.declared(name)
            .is_some_and(|declared| rank(declared) >= rank(source) || self.world.locals.contains_key(name))
    }

    /// The most general source that renames a parameter: it declares the name, and gives it.
    fn renamed(&self, name: &str) -> Option<&'static str> {
        let renames = |source: &&str| {
            let says = self.world.said.get(*source).map(Vec::as_slice).unwrap_or_default();
            let declares = says.iter().any(|say| matches!(say, Say::Rename { .. }));
            let gives = says.iter().any(|say| match say {
                Say::Rename { name: known } | Say::Give { name: known, give: Give::Name("dept"), .. } => *known == name,
                Say::Give { .. } | Say::Narrow { .. } => false,
            });
            declares && gives && self.is_known_at(name, source) && !self.is_hidden(name, source)
        };
        if ["dept", "interface_speed"].contains(&name) {
            return None;
        }
        ORDER.iter().copied().rev().find(renames)
    }

    fn candidates(&self, name: &str) -> Vec<Candidate> {
        if name == "interface_speed" {
            return vec![Candidate { source: "runtime", fixed: false, give: Give::Number(SPEED) }];
        }
        let mut found = Vec::new();
        for source in ORDER {
            if self.is_hidden(name, source) {
                continue;
            }
            if source == "local-default" {
                let default = self.world.locals.get(name).and_then(|local| local.default);
                found.extend(default.map(|number| Candidate { source, fixed: false, give: Give::Number(number) }));
            }
            for say in self.world.said.get(source).into_iter().flatten() {
                let (fixed, give) = match say {
                    Say::Give { name: known, fixed, give } if *known == name => (*fixed, give.clone()),
                    Say::Rename { name: known } if *known == name => (false, Give::Name("dept")),
                    _ => continue,
                };
                if self.renamed(name).is_some_and(|renamed| rank(source) < rank(renamed))
                    || !self.is_known_at(name, source)
                {
                    continue;
                }
                let source = if source == "global" && !fixed { "global-default" } else { source };
                found.push(Candidate { source, fixed, give });
            }
        }
        found.sort_by_key(|candidate| rank(candidate.source));
        found
    }

    fn fix(&self, name: &str) -> Option<Candidate> {
        self.candidates(name).into_iter().rev().find(|candidate| candidate.fixed)
    }

    fn counting(&self, name: &str) -> Option<Candidate> {
        self.fix(name).or_else(|| self.candidates(name).into_iter().next())
    }

    /// From the most general to the most specific, those that no fix makes moot.
    fn constraints(&self, name: &str) -> Vec<Narrowed> {
        let mut found: Vec<Narrowed> = Vec::new();
        for source in ORDER {
            let own =
                self.world.locals.get(name).filter(|_| source == "local-default").and_then(|local| local.constraint);
            found.extend(own.map(|(low, high)| Narrowed { source, fixed: false, low, high, since: None }));
            if self.is_hidden(name, source) {
                continue;
            }
            for say in self.world.said.get(source).into_iter().flatten() {
                if let Say::Narrow { name: known, fixed, low, high } = say
                    && *known == name
                    && self.is_known_at(name, source)
                    && self.renamed(name).is_none_or(|renamed| rank(source) >= rank(renamed))
                {
                    let source = if source == "global" && !fixed { "global-default" } else { source };
                    found.push(Narrowed { source, fixed: *fixed, low: *low, high: *high, since: None });
                }
            }
        }
        // Those of what was renamed to it, as far as that counts.
        for other in ALL.iter().filter(|_| name == "dept") {
            let Some(renamed) = self.renamed(other) else { continue };
            if self.fix(other).is_none_or(|fix| rank(fix.source) <= rank(renamed)) {
                let of_other = self.constraints(other).into_iter();
                found.extend(of_other.map(|narrowed| Narrowed { since: Some(renamed), ..narrowed }));
            }
        }
        found.sort_by_key(|narrowed| std::cmp::Reverse(rank(narrowed.source)));
        let fixed = found.iter().find(|narrowed| narrowed.fixed).map(|narrowed| rank(narrowed.source));
        let of_value = self.fix(name).map(|fix| rank(fix.source));
        let last = fixed.into_iter().chain(of_value).max().unwrap_or(0);
        found.retain(|narrowed| rank(narrowed.source) >= last);
        found
    }

    fn cycle(&self, name: &str) -> bool {
        self.circle(name, "activation").is_some()
    }

    /// What counts if only what stands at a source and at more general ones does.
    fn counting_at(&self, name: &str, source: &str) -> Option<Candidate> {
        let candidates: Vec<Candidate> =
            self.candidates(name).into_iter().filter(|candidate| rank(candidate.source) >= rank(source)).collect();
        let fix = candidates.iter().rev().find(|candidate| candidate.fixed);
        fix.or_else(|| candidates.first()).cloned()
    }

    /// The circle that a parameter is in, as a source sees it.
    fn circle(&self, name: &str, source: &str) -> Option<Vec<String>> {
        let mut seen = vec![name.to_owned()];
        let mut at = name.to_owned();
        loop {
            let Some(Candidate { give: Give::Name(next), .. }) = self.counting_at(&at, source) else { return None };
            self.declared(next)?;
            if next == name {
                return Some(seen);
            }
            if seen.iter().any(|known| known == next) {
                return None;
            }
            seen.push(next.to_owned());
            at = next.to_owned();
        }
    }

    fn given(&self, name: &str, give: &Give) -> Result<Came, ()> {
        let came = match give {
            Give::Number(number) => Came::Number(*number),
            Give::Network(third) => Came::Network(*third),
            Give::Name(other) if self.declared(other).is_none() => return Ok(Came::Faulty),
            Give::Name(other) if kind(other) != kind(name) => return Err(()),
            Give::Name(other) => self.value(other),
        };
        match (&came, kind(name)) {
            (Came::Number(_), Some("network")) | (Came::Network(_), Some("rate")) => Err(()),
            _ => Ok(came),
        }
    }

    /// What a parameter comes to.
    fn value(&self, name: &str) -> Came {
        if self.cycle(name) {
            return Came::Faulty;
        }
        let came = match self.counting(name) {
            None => Came::Missing,
            Some(counting) => match self.given(name, &counting.give) {
                Ok(came) => came,
                Err(()) => return Came::Faulty,
            },
        };
        if self.widens(name) {
            return Came::Faulty;
        }
        if let Came::Number(number) = came
            && self.constraints(name).iter().any(|narrowed| !narrowed.admits(number))
        {
            return Came::Faulty;
        }
        came
    }

    fn widens(&self, name: &str) -> bool {
        let constraints = self.constraints(name);
        constraints.iter().enumerate().filter(|(_, own)| own.since.is_none()).any(|(index, own)| {
            let mut above = constraints.iter().take(index);
            // What was narrowed before something was renamed to it was not narrowed of that.
            let is_below = |since: &str| rank(since) >= rank(own.source);
            above.any(|above| above.since.is_none_or(is_below) && (own.low < above.low || own.high > above.high))
        })
    }

    /// Which parameters have a fault of their own.
    fn find_faults(&mut self) {
        let names: Vec<&str> = ALL.iter().copied().filter(|name| self.declared(name).is_some()).collect();
        let mut faulty = BTreeSet::new();
        for (source, says) in &self.world.said {
            for say in says {
                let (Say::Give { name, .. } | Say::Narrow { name, .. } | Say::Rename { name }) = say;
                let is_renamed = self.renamed(name).is_some_and(|renamed| rank(source) < rank(renamed));
                if self.is_hidden(name, source) {
                    continue;
                }
                if is_renamed || !self.is_known_at(name, source) || *name == "interface_speed" {
                    faulty.insert((*name).to_owned());
                }
            }
        }
        for name in &names {
            let fix = self.fix(name).map(|fix| rank(fix.source));
            for candidate in self.candidates(name) {
                let is_blocked = fix.is_some_and(|fix| rank(candidate.source) < fix);
                if let Give::Name(other) = &candidate.give {
                    let crosses = kind(other).is_some() && kind(other) != kind(name) && self.declared(other).is_some();
                    if crosses || !self.is_known_at(other, candidate.source) {
                        faulty.insert((*name).to_owned());
                    }
                }
                // Also what another counts for is held against what it may be, but below a fix.
                match self.given(name, &candidate.give) {
                    _ if is_blocked => {}
                    Err(()) => drop(faulty.insert((*name).to_owned())),
                    Ok(Came::Number(number)) => {
                        let constraints = self.constraints(name);
                        let mut general =
                            constraints.iter().filter(|narrowed| rank(narrowed.source) >= rank(candidate.source));
                        if !self.widens(name) && general.any(|narrowed| !narrowed.admits(number)) {
                            faulty.insert((*name).to_owned());
                        }
                    }
                    Ok(_) => {}
                }
            }
            if self.widens(name) {
                faulty.insert((*name).to_owned());
            }
            // One fault for a whole circle, of its first name; also for one that only a more general source sees.
            for source in ORDER {
                faulty.extend(self.circle(name, source).and_then(|circle| circle.into_iter().min()));
            }
            let came = self.value(name);
            let is_required = self.world.locals.get(name).is_some_and(|local| local.required);
            if came == Came::Missing && is_required {
                faulty.insert((*name).to_owned());
            }
            if came == Came::Faulty && !self.cycle(name) {
                let own = match self.counting(name).map(|counting| counting.give) {
                    Some(Give::Name(other)) => {
                        self.declared(other).is_some() && !matches!(self.value(other), Came::Faulty | Came::Missing)
                    }
                    _ => true,
                };
                if own {
                    faulty.insert((*name).to_owned());
                }
            }
        }
        self.faulty = faulty;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_sources_and_faults_are_those_of_the_text(world in worlds()) {
        let text = world.text();
        let scenario = Scenario::read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let layers: Vec<_> = scenario.layers.iter().collect();
        let ground = Ground {
            locals: &scenario.parameters,
            globals: &Default::default(),
            layers: &layers,
            runtime: &scenario.runtime,
            has_other_services: false,
        };
        let acquisition = acquire(ground);
        let report = serde_json::to_value(Report::of(&acquisition)).unwrap();
        let mut model = Model { world: &world, faulty: BTreeSet::new() };
        model.find_faults();
        let faulty: BTreeSet<String> = acquisition.faults().iter().map(|fault| fault.parameter.clone()).collect();
        prop_assert_eq!(&faulty, &model.faulty, "{}\n{:#}", text, report);
        for name in ALL.iter().filter(|name| model.declared(name).is_some()) {
            let found = &report["parameters"][*name];
            let (value, source) = match model.value(name) {
                Came::Number(number) => (serde_json::json!(number.to_string()), model.counting(name).map(|found| found.source)),
                Came::Network(third) => (serde_json::json!(format!("10.0.{third}.0/24")), model.counting(name).map(|found| found.source)),
                Came::Missing | Came::Faulty => (serde_json::Value::Null, None),
            };
            let status = if model.fix(name).is_some() { "fixed" } else if value.is_null() { "free" } else { "defaulted" };
            prop_assert_eq!(&found["value"], &value, "{} of\n{}\n{:#}", name, text, report);
            prop_assert_eq!(&found["status"], &serde_json::json!(status), "{} of\n{}\n{:#}", name, text, report);
            prop_assert_eq!(&found["source"], &serde_json::json!(source), "{} of\n{}\n{:#}", name, text, report);
            prop_assert_eq!(&found["place"], &serde_json::json!(source.and_then(place)), "{} of\n{}\n{:#}", name, text, report);
        }
    }
}

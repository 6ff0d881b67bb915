//! Acquisition against a naive model, which is written from the text of `docs/values.md` alone: over random sources with
//! fixes, renames, references, hiding, constraints and lists that meet both come to the same values, sources and
//! faults, with the places of these.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that finds something else has failed"
)]

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
const LOCALS: [&str; 6] = ["a", "b", "c", "n", "g", "l"];
const ALL: [&str; 9] = ["a", "b", "c", "n", "g", "l", "dept", "interface_speed", "nowhere"];
/// How a more specific list meets the more general one.
const MODES: [&str; 3] = ["replace", "append", "remove"];
/// What the place tells.
const SPEED: i64 = 7;

#[derive(Debug, Clone, PartialEq)]
enum Give {
    Number(i64),
    List(Vec<i64>),
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
    /// None: nothing is said of it.
    list: Option<&'static str>,
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
        "l" => Some("port"),
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

fn worlds() -> impl Strategy<Value = World> {
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
    List(Vec<i64>),
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
    fn admits(&self, came: &Came) -> bool {
        let within = |number: &i64| (self.low..=self.high).contains(number);
        match came {
            Came::Number(number) => within(number),
            Came::List(numbers) => numbers.iter().all(within),
            Came::Network(_) | Came::Missing | Came::Faulty => true,
        }
    }
}

/// The model: everything is looked for anew, again and again.
struct Model<'w> {
    world: &'w World,
    /// What is at fault, and the places that are at odds.
    faults: BTreeSet<(String, Vec<String>)>,
}

/// What is named of sources: their places, or their words; what is named already not again.
fn named<'s>(sources: impl IntoIterator<Item = &'s str>) -> Vec<String> {
    let (mut seen, mut names) = (BTreeSet::new(), Vec::new());
    for source in sources.into_iter().filter(|source| seen.insert(*source)) {
        let name = place(source).filter(|place| !names.iter().any(|known| known == place)).unwrap_or(source);
        names.push(name.to_owned());
    }
    names
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

    /// How lists of a parameter meet.
    fn list(&self, name: &str) -> &'static str {
        self.world.locals.get(name).and_then(|local| local.list).unwrap_or("replace")
    }

    /// All that make up the value, from the most general to the most specific.
    fn contributing(&self, name: &str) -> Vec<Candidate> {
        if self.list(name) == "replace" {
            return self.counting(name).into_iter().collect();
        }
        let fix = self.fix(name).map_or(0, |fix| rank(fix.source));
        let all = self.candidates(name).into_iter().rev();
        all.filter(|candidate| rank(candidate.source) >= fix).collect()
    }

    /// Where a parameter was declared, as faults name it.
    fn declaring(&self, name: &str) -> Option<&'static str> {
        self.declared(name).map(|source| if source == "global-default" { "global" } else { source })
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
            Give::List(numbers) => Came::List(numbers.clone()),
            Give::Network(third) => Came::Network(*third),
            Give::Name(other) if self.declared(other).is_none() => return Ok(Came::Faulty),
            Give::Name(other) if kind(other) != kind(name) => return Err(()),
            Give::Name(other) => self.value(other),
        };
        match (&came, kind(name)) {
            (Came::Number(_) | Came::List(_), Some("network")) if !matches!(&came, Came::List(all) if all.is_empty()) => {
                Err(())
            }
            (Came::Network(_), Some("rate" | "port")) | (Came::List(_), Some("rate")) => Err(()),
            _ => Ok(came),
        }
    }

    /// What a parameter comes to.
    fn value(&self, name: &str) -> Came {
        if self.cycle(name) {
            return Came::Faulty;
        }
        let mut all = Vec::new();
        for candidate in self.contributing(name) {
            match self.given(name, &candidate.give) {
                Err(()) | Ok(Came::Faulty) => return Came::Faulty,
                Ok(came) => all.push(came),
            }
        }
        if (0..self.constraints(name).len()).any(|at| self.widened(name, at).is_some()) {
            return Came::Faulty;
        }
        let constraints = self.constraints(name);
        if all.iter().any(|came| constraints.iter().any(|narrowed| !narrowed.admits(came))) {
            return Came::Faulty;
        }
        if all.contains(&Came::Missing) {
            return Came::Missing;
        }
        let Some(last) = all.last().cloned() else { return Came::Missing };
        if all.len() == 1 || self.list(name) == "replace" {
            return last;
        }
        let elements = |came: &Came| match came {
            Came::Number(number) => vec![*number],
            Came::List(numbers) => numbers.clone(),
            other => panic!("{other:?}"),
        };
        let mut folded = elements(&all[0]);
        for more in all[1..].iter().map(elements) {
            match self.list(name) {
                "remove" => folded.retain(|known| !more.contains(known)),
                _ => folded.extend(more),
            }
        }
        if self.list(name) == "append" {
            let mut known = BTreeSet::new();
            folded.retain(|number| known.insert(*number));
        }
        Came::List(folded)
    }

    /// The nearest constraint above that one of a parameter's would widen, by their places among all; none that would
    /// widen another is one.
    fn widened(&self, name: &str, at: usize) -> Option<usize> {
        let constraints = self.constraints(name);
        let own = constraints.get(at).filter(|own| own.since.is_none())?;
        (0..at).rev().find(|above| {
            let known = &constraints[*above];
            // What was narrowed before something was renamed to it was not narrowed of that.
            let is_below = known.since.is_none_or(|since| rank(since) >= rank(own.source));
            is_below && self.widened(name, *above).is_none() && (own.low < known.low || own.high > known.high)
        })
    }

    /// What is at fault, with the places that are at odds.
    fn find_faults(&mut self) {
        let mut found = BTreeSet::new();
        let mut fault = |name: &str, sources: &[&str]| {
            found.insert((name.to_owned(), named(sources.iter().copied())));
        };
        for (source, says) in &self.world.said {
            for say in says {
                let (Say::Give { name, .. } | Say::Narrow { name, .. } | Say::Rename { name }) = say;
                if self.is_hidden(name, source) {
                    continue;
                }
                match self.renamed(name).filter(|renamed| rank(source) < rank(renamed)) {
                    Some(renamed) => fault(name, &[renamed, source]),
                    None if !self.is_known_at(name, source) || *name == "interface_speed" => fault(name, &[source]),
                    None => {}
                }
            }
        }
        let mut circles = BTreeSet::new();
        for name in ALL.iter().copied().filter(|name| self.declared(name).is_some()) {
            let fix = self.fix(name).map_or(0, |fix| rank(fix.source));
            let (constraints, contributing) = (self.constraints(name), self.contributing(name));
            for (at, own) in constraints.iter().enumerate() {
                if let Some(above) = self.widened(name, at) {
                    fault(name, &[constraints[above].source, own.source]);
                }
            }
            for Candidate { source, give, .. } in self.candidates(name) {
                let mut can_be = true;
                if let Give::Name(other) = give {
                    match self.declaring(other) {
                        None => fault(name, &[source]),
                        Some(declared) => {
                            if !self.is_known_at(other, source) {
                                fault(name, &[source, declared]);
                            }
                            can_be = kind(other) == kind(name);
                            if !can_be {
                                fault(name, &[declared, source]);
                            }
                        }
                    }
                }
                if rank(source) < fix || !can_be {
                    continue;
                }
                let counts = contributing.iter().any(|counting| counting.source == source);
                if counts && self.cycle(name) {
                    continue;
                }
                let came = match self.given(name, &give) {
                    Err(()) => {
                        fault(name, &[source]);
                        continue;
                    }
                    Ok(came) => came,
                };
                // What counts is held against all, and what another counts for against what is more general.
                let held = constraints.iter().enumerate().filter(|(_, own)| counts || rank(own.source) >= rank(source));
                let mut held = held.filter(|(at, _)| self.widened(name, *at).is_none());
                if let Some((_, own)) = held.find(|(_, own)| !own.admits(&came)) {
                    match rank(own.source) >= rank(source) {
                        true => fault(name, &[own.source, source]),
                        false => fault(name, &[source, own.source]),
                    }
                }
            }
            let is_required = self.world.locals.get(name).is_some_and(|local| local.required);
            if is_required && [Came::Missing, Came::List(Vec::new())].contains(&self.value(name)) {
                let at: Vec<&str> = self.counting(name).map(|counting| counting.source).into_iter().collect();
                fault(name, &at);
            }
            // One fault for a whole circle, of its first name, as the most general source sees it that does.
            for source in ORDER.iter().copied().rev() {
                let Some(mut circle) = self.circle(name, source) else { continue };
                let mut at: Vec<&str> =
                    circle.iter().filter_map(|name| Some(self.counting_at(name, source)?.source)).collect();
                at.sort_by_key(|source| std::cmp::Reverse(rank(source)));
                circle.sort();
                if circles.insert(circle.clone()) {
                    fault(&circle[0], &at);
                }
            }
        }
        self.faults = found;
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
        let mut model = Model { world: &world, faults: BTreeSet::new() };
        model.find_faults();
        let faults: BTreeSet<(String, Vec<String>)> =
            acquisition.faults().iter().map(|fault| (fault.parameter.clone(), fault.places.clone())).collect();
        prop_assert_eq!(&faults, &model.faults, "{}\n{:#}", text, report);
        for name in ALL.iter().filter(|name| model.declared(name).is_some()) {
            let found = &report["parameters"][*name];
            let (value, source) = match model.value(name) {
                Came::Number(number) => (serde_json::json!(number.to_string()), model.counting(name).map(|found| found.source)),
                Came::List(numbers) => {
                    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
                    (serde_json::json!(texts), model.counting(name).map(|found| found.source))
                }
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

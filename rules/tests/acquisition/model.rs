//! The naive model: everything is looked for anew, again and again.

use std::collections::BTreeSet;

use super::world::{ALL, Give, ORDER, SPEED, Say, World, kind, place};

/// How general a source is: the higher, the more.
pub(crate) fn rank(source: &str) -> usize {
    ORDER.iter().position(|known| *known == source).unwrap()
}

#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) source: &'static str,
    fixed: bool,
    give: Give,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Came {
    Number(i64),
    List(Vec<i64>),
    Network(u8),
    Missing,
    Faulty,
}

/// A constraint; `since` the source that renamed what it was given of to the name at hand.
#[derive(Debug, Clone)]
pub(crate) struct Narrowed {
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
pub(crate) struct Model<'w> {
    pub(crate) world: &'w World,
    /// What is at fault, and the places that are at odds.
    pub(crate) faults: BTreeSet<(String, Vec<String>)>,
}

/// What is named of sources: their places, or their words; what is named already not again.
pub(crate) fn named<'s>(sources: impl IntoIterator<Item = &'s str>) -> Vec<String> {
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
    pub(crate) fn declared(&self, name: &str) -> Option<&'static str> {
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
    pub(crate) fn renamed(&self, name: &str) -> Option<&'static str> {
        let renames = |source: &str| {
            let says = self.world.said.get(source).map(Vec::as_slice).unwrap_or_default();
            let declares = says.iter().any(|say| matches!(say, Say::Rename { .. }));
            let gives = says.iter().any(|say| match say {
                Say::Rename { name: known } | Say::Give { name: known, give: Give::Name("dept"), .. } => *known == name,
                Say::Give { .. } | Say::Narrow { .. } => false,
            });
            declares && gives && self.is_known_at(name, source) && !self.is_hidden(name, source)
        };
        let fixes = |source: &str| {
            let says = self.world.said.get(source).map(Vec::as_slice).unwrap_or_default();
            let gives =
                says.iter().any(|say| matches!(say, Say::Give { name: known, fixed: true, .. } if *known == name));
            gives && self.is_known_at(name, source) && !self.is_hidden(name, source)
        };
        if ["dept", "interface_speed"].contains(&name) {
            return None;
        }
        // What stands below a fix loses: it renames nothing.
        ORDER.iter().copied().rev().find(|source| renames(source) || fixes(source)).filter(|source| renames(source))
    }

    pub(crate) fn candidates(&self, name: &str) -> Vec<Candidate> {
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

    pub(crate) fn fix(&self, name: &str) -> Option<Candidate> {
        self.candidates(name).into_iter().rev().find(|candidate| candidate.fixed)
    }

    pub(crate) fn counting(&self, name: &str) -> Option<Candidate> {
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
            let of_other = self.constraints(other).into_iter();
            found.extend(of_other.map(|narrowed| Narrowed { since: Some(renamed), ..narrowed }));
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
    pub(crate) fn value(&self, name: &str) -> Came {
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
        let is_of_rest = self.list(name) == "remove" && all.len() > 1;
        if !is_of_rest && all.iter().any(|came| constraints.iter().any(|narrowed| !narrowed.admits(came))) {
            return Came::Faulty;
        }
        if all.contains(&Came::Missing) {
            return Came::Missing;
        }
        if is_of_rest && self.refusing_rest(name).is_some() {
            return Came::Faulty;
        }
        self.fold(name, &all)
    }

    /// The constraint that does not admit what is left of a general list, and the source of that list. It is held against
    /// those of its own source and more general ones as it is, and what is left of it against all.
    fn refusing_rest(&self, name: &str) -> Option<[&'static str; 2]> {
        let contributing = self.contributing(name);
        let all: Vec<Result<Came, ()>> = contributing.iter().map(|own| self.given(name, &own.give)).collect();
        let general = contributing.first()?.source;
        let constraints = self.constraints(name);
        let refuses = |came: &Came, least: usize| {
            let held = constraints
                .iter()
                .enumerate()
                .filter(|(at, own)| rank(own.source) >= least && self.widened(name, *at).is_none());
            held.map(|(_, own)| own).find(|own| !own.admits(came)).map(|own| own.source)
        };
        let own = all.first()?.as_ref().ok().and_then(|came| refuses(came, rank(general)));
        let all: Option<Vec<Came>> = all.into_iter().map(Result::ok).collect();
        let by = own.or_else(|| refuses(&self.fold(name, &all?), 0))?;
        Some(if rank(by) >= rank(general) { [by, general] } else { [general, by] })
    }

    /// What values come to together.
    fn fold(&self, name: &str, all: &[Came]) -> Came {
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
    pub(crate) fn find_faults(&mut self) {
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
            let is_of_rest = self.list(name) == "remove" && contributing.len() > 1;
            if let Some(at) = self.refusing_rest(name).filter(|_| is_of_rest) {
                fault(name, &at);
            }
            // Of what stands below a fix nothing is a fault.
            for Candidate { source, give, .. } in
                self.candidates(name).into_iter().filter(|own| rank(own.source) >= fix)
            {
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
                                let mut at = [declared, source];
                                at.sort_by_key(|source| std::cmp::Reverse(rank(source)));
                                fault(name, &at);
                            }
                        }
                    }
                }
                if !can_be {
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
                if counts && is_of_rest {
                    continue;
                }
                // What counts is held against all, and what another counts for against what is more general.
                let held = constraints.iter().enumerate().filter(|(_, own)| counts || rank(own.source) >= rank(source));
                let mut held = held.filter(|(at, _)| self.widened(name, *at).is_none());
                if let Some((_, own)) = held.find(|(_, own)| !own.admits(&came)) {
                    // Where what it comes of stands is named too.
                    let mut at = vec![own.source, source];
                    if let Give::Name(other) = give {
                        at.extend(self.counting(other).map(|counting| counting.source));
                    }
                    at.sort_by_key(|source| std::cmp::Reverse(rank(source)));
                    fault(name, &at);
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

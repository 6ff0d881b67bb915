//! What of the values of a place is kept from whoever is not to read some of them: these, and what comes of them.
//!
//! It hides values, and not that there are parameters: their names stand in the definition of the service. Nor does it
//! keep anybody from finding out by trying what is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::slot::Candidate;
use super::{Acquired, Acquisition, Explanation, Fault};
use crate::values::expression::Expression;
use crate::values::report::Parameter;

/// What is said of a fault that may tell a value which is hidden.
const UNTOLD: &str = "what is wrong is not shown: it comes of what is fixed above and hidden";

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Veil {
    /// The parameters of which nothing is shown.
    hidden: BTreeSet<String>,
    /// Those whose values or constraints come of them.
    derived: BTreeSet<String>,
    /// Those of which something that does not count comes of them: what is wrong with that tells them as well.
    losing: BTreeSet<String>,
}

impl Acquisition<'_> {
    /// What is kept from somebody from whom the parameters are hidden that `is_hidden` names.
    pub fn veil(&self, is_hidden: impl Fn(&Acquired<'_, '_>) -> bool) -> Veil {
        let hidden = self.slots.iter().filter(|slot| is_hidden(&Acquired { slot }));
        let mut veil = Veil { hidden: hidden.map(|slot| slot.name.to_string()).collect(), ..Veil::default() };
        if veil.is_empty() {
            return veil;
        }
        // What refers to what comes of them is found in a later round: each finds one more, or is the last.
        loop {
            let mut found = Vec::new();
            for slot in self.slots.iter().filter(|slot| !veil.covers(slot.name.as_str())) {
                if slot.references().any(|name| veil.covers(name.as_str())) {
                    found.push(slot.name.to_string());
                }
            }
            if found.is_empty() {
                break;
            }
            veil.derived.extend(found);
        }
        if self.edition.is_third() {
            let losing = self.slots.iter().filter(|slot| {
                let given = slot.candidates.iter().take(slot.unblocked()).filter_map(Candidate::given_expression);
                let mut named = given.flat_map(Expression::references);
                named.any(|found| veil.covers(found.name.as_str()))
            });
            veil.losing = losing.map(|slot| slot.name.to_string()).collect();
        }
        veil
    }
}

impl Veil {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.hidden.is_empty()
    }

    /// Whether nothing of a parameter is shown.
    pub fn hides(&self, name: &str) -> bool {
        self.hidden.contains(name)
    }

    /// Whether the value of a parameter is not shown: it is hidden, or comes of one that is.
    pub fn covers(&self, name: &str) -> bool {
        self.hidden.contains(name) || self.derived.contains(name)
    }

    /// The parameters of which nothing is shown.
    pub fn hidden(&self) -> impl Iterator<Item = &str> {
        self.hidden.iter().map(String::as_str)
    }

    /// Takes out of a report what is kept.
    pub fn cut(&self, parameters: &mut BTreeMap<String, Parameter>) {
        parameters.retain(|name, _| !self.hides(name));
        for (_, parameter) in parameters.iter_mut().filter(|(name, _)| self.covers(name)) {
            (parameter.value, parameter.choice, parameter.hidden) = (None, None, true);
        }
    }

    /// An explanation without what is kept; none of what is hidden.
    pub fn explanation(&self, mut explained: Explanation) -> Option<Explanation> {
        if self.hides(&explained.parameter) {
            return None;
        }
        let is_covered = self.covers(&explained.parameter);
        for found in explained.sources.iter_mut().filter_map(|step| step.found.as_mut()) {
            found.value = found.value.take().filter(|_| !is_covered);
            for input in found.inputs.iter_mut().filter(|input| self.covers(&input.parameter)) {
                (input.value, input.source, input.place) = (None, None, None);
            }
        }
        if is_covered {
            (explained.value, explained.hidden) = (None, true);
            explained.constraints.iter_mut().for_each(|trail| trail.admits = None);
        }
        explained.faults = explained.faults.iter().map(|fault| self.fault(fault)).collect();
        Some(explained)
    }

    /// A fault in words that tell nothing of what is kept.
    pub fn fault(&self, fault: &Fault) -> Fault {
        if !self.covers(&fault.parameter) && !self.losing.contains(&fault.parameter) {
            return fault.clone();
        }
        Fault { message: UNTOLD.to_owned(), help: None, places: Vec::new(), ..fault.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Definition, Ground, Report, Scenario, acquire};

    const SCENARIO: &str = r#"
[parameters]
rate  = { type = "rate", default = "10m" }
burst = { type = "number", default = "rate / 8" }
peak  = { type = "number", default = "burst * 2" }
count = { type = "number", default = "1", constraint = "count in 1..rate" }
label = { type = "string", default = '"free"' }

[[sources]]
source = "enterprise"
place = "acme"
substitutions = ["!rate=7654321", "peak=rate * 9223372036854775807"]

[[sources]]
source = "line"
place = "acme/berlin/line-7"
substitutions = ["peak=5", "label=burst"]
"#;

    #[test]
    fn what_comes_of_a_hidden_value_is_kept_and_what_does_not_is_shown() {
        let scenario = Scenario::read(SCENARIO).unwrap();
        let layers: Vec<_> = scenario.layers.iter().collect();
        let (locals, globals, runtime) = (&scenario.parameters, &Definition::default(), &scenario.runtime);
        let ground = Ground { locals, globals, layers: &layers, runtime, has_other_services: false };
        let values = acquire(ground);
        let veil = values.veil(|found| found.fixed_at().is_some());
        let mut parameters = Report::of(&values).parameters;
        veil.cut(&mut parameters);
        let shown = serde_json::to_string(&parameters).unwrap();
        assert!(!shown.contains("7654321") && !shown.contains("956790"), "{shown}");
        let is_hidden = |name: &str| parameters.get(name).map(|parameter| parameter.hidden);
        assert_eq!(
            ["rate", "burst", "peak", "count", "label"].map(is_hidden),
            [None, Some(true), Some(false), Some(true), Some(true)],
            "{shown}"
        );
        assert_eq!(veil.explanation(values.explain("rate").unwrap()), None);
        // What does not count is wrong, and says with which value.
        let told = |fault: &Fault| fault.message.contains("7654321");
        assert!(values.faults().iter().any(told) && !values.faults().iter().any(|fault| told(&veil.fault(fault))));
        for name in ["burst", "peak", "count", "label"] {
            let explained = veil.explanation(values.explain(name).unwrap()).unwrap();
            let told = format!("{explained}{}", serde_json::to_string(&explained).unwrap());
            assert!(!told.contains("7654321") && !told.contains("956790"), "{told}");
        }
        assert_eq!(values.veil(|_| false), Veil::default());
    }
}

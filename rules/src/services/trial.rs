//! Scenarios of a service held against what they are to come to: a rendering, or faults.

use super::service::Service;
use crate::Strictness;
use crate::configuration::{Configuration, diff};
use crate::values::{Definition, Ground, Layer, Scenario, acquire};

/// What became of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// It came to what it is to come to.
    Passed,
    /// It renders this, and nothing says what it is to render.
    New {
        /// What it renders.
        rendered: String,
    },
    /// It renders something else.
    Differs {
        /// What it renders.
        rendered: String,
        /// How that differs from what it is to render.
        diff: String,
    },
    /// It ends in other faults than it is to end in.
    Faults {
        /// Those that it is to end in and does not.
        missing: Vec<String>,
        /// Those that it ends in and is not to.
        unexpected: Vec<String>,
    },
    /// What it is to render is no configuration.
    NoGolden(String),
}

impl Service {
    /// Holds a scenario against `golden`, the text it is to render, or against the faults that the scenario itself says
    /// it is to end in.
    pub fn try_out(&self, globals: &Definition, scenario: &Scenario, golden: Option<&str>) -> Trial {
        let layers: Vec<&Layer> = scenario.layers.iter().collect();
        let (locals, runtime) = (&self.definition.parameters, &scenario.runtime);
        let acquisition = acquire(Ground { locals, globals, layers: &layers, runtime, has_other_services: false });
        let faults = scenario.faults.iter().chain(acquisition.faults());
        let mut found: Vec<String> = faults.map(|fault| format!("{}: {}", fault.parameter, fault.message)).collect();
        let mut rendered = None;
        if found.is_empty() {
            match self.render(&acquisition, Strictness::Utmost) {
                Ok(configuration) => rendered = Some(configuration),
                Err(fault) => found.push(format!("{}: {}", fault.file, fault.message)),
            }
        }
        let missing: Vec<String> = scenario.expected.iter().filter(|fault| !found.contains(fault)).cloned().collect();
        let unexpected: Vec<String> = found.into_iter().filter(|fault| !scenario.expected.contains(fault)).collect();
        let Some(rendered) = rendered.filter(|_| missing.is_empty() && unexpected.is_empty()) else {
            let is_met = missing.is_empty() && unexpected.is_empty();
            return if is_met { Trial::Passed } else { Trial::Faults { missing, unexpected } };
        };
        let text = rendered.to_string();
        match golden.map(Configuration::parse) {
            None => Trial::New { rendered: text },
            Some(Err(fault)) => Trial::NoGolden(fault.to_string()),
            Some(Ok(golden)) if golden == rendered => Trial::Passed,
            Some(Ok(golden)) => Trial::Differs { diff: diff(&golden, &rendered), rendered: text },
        }
    }
}

//! The functions there are, by name and number of arguments, taken from an engine that has them all.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::LazyLock;

use super::super::actions::ACTIONS;
use super::super::budget::Run;
use super::super::forwarding::FORWARD;
use super::super::{Edition, Limits, library, parser, stdlib};
use super::Function;
use super::walk::Walk;
use crate::diagnostic::Code;

/// The functions of the host: the same for all scripts.
static HOST: LazyLock<Functions> = LazyLock::new(Functions::of_host);

/// What the interpreter itself answers to, which no engine lists.
const BUILT_IN: [(&str, &[usize]); 4] = [("type_of", &[1]), ("Fn", &[1]), ("is_def_var", &[1]), ("is_def_fn", &[2, 3])];

/// Names of functions with the numbers of arguments they take.
#[derive(Debug, Default)]
pub(crate) struct Functions(BTreeMap<String, BTreeSet<usize>>);

impl Functions {
    /// Those of the host.
    pub(crate) fn host() -> &'static Self {
        &HOST
    }

    fn of_host() -> Self {
        let limits = Limits::default();
        let run = Rc::new(Run::new(limits.clone(), None));
        let mut engine = parser::engine(&limits);
        super::super::register(&mut engine, &run, Edition::NEWEST);
        let listed = |f: rhai::FuncInfo<'_>| {
            let is_listed = library::is_listed(&f.metadata.name, &f.metadata.param_types);
            is_listed.then(|| (f.metadata.name.to_string(), f.metadata.num_params))
        };
        let listed = engine.collect_fn_metadata(None, listed, true);
        let mut functions = Self::default();
        for (name, count) in listed {
            functions.add(&name, count);
        }
        for (name, counts) in BUILT_IN {
            counts.iter().for_each(|count| functions.add(name, *count));
        }
        functions
    }

    pub(super) fn add(&mut self, name: &str, count: usize) {
        self.0.entry(name.to_owned()).or_default().insert(count);
    }

    /// The numbers of arguments that a function takes; none if there is no such function.
    pub(super) fn counts(&self, name: &str) -> Option<&BTreeSet<usize>> {
        self.0.get(name)
    }

    /// Whether a function takes so many arguments.
    pub(super) fn takes(&self, name: &str, count: usize) -> bool {
        self.counts(name).is_some_and(|counts| counts.contains(&count))
    }

    /// The names a script can call.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let is_word = |name: &&String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        self.0.keys().filter(is_word).map(String::as_str)
    }
}

/// Warns of a function of a script that hides one of the host's.
pub(super) fn check_hidden(function: &Function, walk: &mut Walk<'_>) {
    let (name, count) = (function.name.as_str(), function.parameters.len());
    if function.is_entry() || !Functions::host().takes(name, count) {
        return;
    }
    let is_action = ACTIONS.iter().any(|action| action.name == name) || name == FORWARD;
    let what = if is_action { "the action" } else { "the function" };
    let message = format!("`{name}` hides {what} of that name: a call of it comes here");
    walk.warnings.add_with_help(Code::Hides, function.at, message, "choose another name");
}

/// The names of all functions that a script can call beside its own, in order, without those refused
/// whatever they are given.
pub fn function_names() -> Vec<&'static str> {
    let is_useful = |name: &&str| !stdlib::is_inexact(name);
    Functions::host().names().filter(is_useful).collect()
}

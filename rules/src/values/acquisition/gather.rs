//! Who says what of which parameter.

use std::borrow::Cow;

use super::Acquisition;
use super::fault::Fault;
use super::slot::{Candidate, Given, Narrowing, Renamed, Scope, Slot};
use crate::diagnostic::suggest;
use crate::values::layer::{Layer, SUBSTITUTIONS_MOST, Said};
use crate::values::name::Name;
use crate::values::parameter::Parameter;
use crate::values::source::{Source, Where};
use crate::values::substitution::{Clause, Substitution};

/// What is the same at every place.
const fn everywhere(source: Source) -> Where<'static> {
    Where { source, place: None }
}

impl<'a> Acquisition<'a> {
    /// Makes a slot for each parameter, with all that was said of it. Goes from general to specific, so that a name is
    /// known to the source that declares it and to more specific ones.
    pub(super) fn gather(&mut self) {
        let ground = self.ground;
        // What places tell is reserved: nobody declares it before them.
        if self.edition.is_second() {
            self.tell();
        }
        for parameter in ground.globals.parameters() {
            self.define(parameter, Scope::Global);
        }
        let mut layers: Vec<&'a Layer> = ground.layers.to_vec();
        layers.sort_by_key(|layer| layer.source);
        let (global, given): (Vec<&'a Layer>, Vec<_>) =
            layers.into_iter().partition(|layer| layer.source <= Source::Global);
        for layer in global {
            self.take(layer);
        }
        if !self.edition.is_second() {
            self.tell();
        }
        for parameter in ground.locals.parameters() {
            self.define(parameter, Scope::Local);
        }
        for layer in given {
            self.take(layer);
        }
        if self.edition.is_second() {
            self.inherit();
        }
        if self.edition.is_fourth() {
            self.hand_down();
        }
    }

    /// What the place itself tells.
    fn tell(&mut self) {
        for told in self.ground.runtime.told() {
            let index =
                self.slot_of(&told.name, Cow::Borrowed(&told.types), Scope::Runtime, everywhere(Source::Runtime));
            let Some(slot) = self.slots.get_mut(index) else { continue };
            slot.is_read_only = true;
            if let Some(value) = &told.value {
                slot.put(Candidate::value(everywhere(Source::Runtime), value));
            }
        }
    }

    /// The slot of a name, made where there is none.
    fn slot_of(
        &mut self,
        name: &'a Name,
        types: Cow<'a, crate::values::types::Types>,
        scope: Scope,
        at: Where<'a>,
    ) -> usize {
        if let Some(index) = self.index.get(name.as_str()) {
            return *index;
        }
        let index = self.slots.len();
        self.slots.push(Slot::new(name, types, scope, at));
        self.index.insert(name.as_str(), index);
        index
    }

    /// A parameter as its definition has it.
    fn define(&mut self, parameter: &'a Parameter, scope: Scope) {
        let is_local = scope == Scope::Local;
        let (own, default) =
            if is_local { (Source::Service, Source::LocalDefault) } else { (Source::Global, Source::GlobalDefault) };
        let (at, runtime) = (everywhere(default), self.ground.runtime);
        let index = self.slot_of(&parameter.name, Cow::Borrowed(&parameter.types), scope, at);
        let Some(slot) = self.slots.get_mut(index) else { return };
        if slot.is_read_only && self.edition.is_second() {
            return self.faults.push(Fault::declares_told(&parameter.name).at(at));
        }
        if is_local && slot.scope == Scope::Global {
            slot.candidates.retain(|candidate| candidate.at.source == Source::Runtime);
            slot.narrowings.clear();
            slot.renamed = None;
            self.hides_global(&parameter.name);
        }
        let Some(slot) = self.slots.get_mut(index) else { return };
        slot.types = Cow::Borrowed(&parameter.types);
        slot.scope = if slot.scope == Scope::Runtime && !is_local { Scope::Runtime } else { scope };
        slot.declared = at;
        slot.list = parameter.list;
        slot.asked = parameter.asked;
        slot.is_required = parameter.is_required;
        slot.level = parameter.level;
        slot.is_beyond = parameter.level.is_some_and(|level| runtime.tells(level.told_below()));
        if let Some(expression) = &parameter.default {
            slot.put(Candidate::expression(at, false, expression, None));
        }
        if let Some(said) = &parameter.substitution {
            let source = if is_local || said.is_fixed { own } else { default };
            if let Clause::Value(expression) = &said.clause {
                slot.put(Candidate::expression(everywhere(source), said.is_fixed, expression, None));
            } else if said.is_fixed {
                slot.put(Candidate::nothing(everywhere(source), None));
            }
        }
        if let Some(said) = &parameter.constraint
            && let Clause::Within(expression) = &said.clause
        {
            slot.narrowings.push(Narrowing {
                at,
                is_fixed: said.is_fixed,
                expression,
                told: None,
                of: None,
                constraint: None,
            });
        }
    }

    /// What one source says: first what it declares, then what it gives.
    fn take(&mut self, layer: &'a Layer) {
        let at = layer.at();
        if layer.substitutions.len() > SUBSTITUTIONS_MOST {
            let count = layer.substitutions.len();
            let message = format!("{count} substitutions at {at}, at most {SUBSTITUTIONS_MOST} may be");
            self.faults.push(Fault::new("substitutions", message).at(at));
            return;
        }
        let (mut fresh, mut declared): (Vec<&'a Name>, Vec<&'a Name>) = Default::default();
        for said in &layer.substitutions {
            if self.declare(at, &said.substitution, &mut fresh) {
                declared.push(&said.substitution.name);
            }
        }
        for said in &layer.substitutions {
            self.give(at, said);
        }
        for said in &layer.substitutions {
            self.rename(at, &said.substitution, if self.edition.is_second() { &declared } else { &fresh });
        }
    }

    /// A name that a source declares: anew, or again. Returns whether it does.
    fn declare(&mut self, at: Where<'a>, said: &'a Substitution, fresh: &mut Vec<&'a Name>) -> bool {
        let name = &said.name;
        let is_known = self.index.contains_key(name.as_str());
        let declares = !said.types.is_empty() || matches!(said.clause, Clause::Declare);
        if !declares {
            return false;
        }
        if !is_known {
            let scope = if at.source <= Source::Global { Scope::Global } else { Scope::Introduced };
            self.slot_of(name, Cow::Borrowed(&said.types), scope, at);
            fresh.push(name);
            return true;
        }
        let Some(slot) = self.slot(name.as_str()) else { return false };
        if slot.is_read_only && self.edition.is_second() {
            // What is given besides is refused as what is given of it always is.
            if matches!(said.clause, Clause::Declare) && !said.is_fixed {
                self.faults.push(Fault::declares_told(name).at(at));
            }
            return false;
        }
        if said.types.is_empty() || *slot.types == said.types {
            return true;
        }
        if self.edition.is_third() && slot.is_fixed_above(at.source) {
            return false;
        }
        // One source may declare a name and say its type beside, in any order.
        let (is_own, was_untyped) = (fresh.contains(&name), slot.types.is_empty());
        let (declared, types) = (slot.declared, slot.types.to_string());
        if is_own && was_untyped {
            if let Some(index) = self.index.get(name.as_str()).copied()
                && let Some(slot) = self.slots.get_mut(index)
            {
                slot.types = Cow::Borrowed(&said.types);
            }
            return true;
        }
        let message = format!("`{name}` is declared as `{types}` by {declared} and as `{}` by {at}", said.types);
        self.faults
            .push(Fault::new(name, message).help("leave the type out, or choose another name").at(declared).at(at));
        true
    }

    /// A value or a constraint that a source gives.
    fn give(&mut self, at: Where<'a>, said: &'a Said) {
        let (told, said) = (said.told.as_ref(), &said.substitution);
        let name = &said.name;
        let Some(index) = self.index.get(name.as_str()).copied() else { return self.unknown(at, name) };
        let Some(slot) = self.slots.get_mut(index) else { return };
        let is_set = match &said.clause {
            Clause::Declare => said.is_fixed,
            Clause::Value(_) | Clause::Within(_) => true,
        };
        if !is_set {
            return;
        }
        let is_global = at.source <= Source::Global;
        let refused = match &said.clause {
            Clause::Value(expression) => Some(Candidate::expression(at, said.is_fixed, expression, told)),
            Clause::Declare | Clause::Within(_) => None,
        };
        if slot.is_read_only || (is_global && said.is_fixed && self.ground.runtime.has(name.as_str())) {
            slot.refused.extend(refused);
            let message = format!("`{name}` is told by the place itself, and nobody substitutes it");
            return self.faults.push(Fault::new(name, message).at(at));
        }
        // What is said below a fix loses, whatever it says.
        let is_lost = self.edition.is_third() && slot.is_lost(at.source, &said.clause);
        let from = if self.edition.is_third() { at.level() } else { at.source };
        if let Some(level) = slot.level.filter(|level| level.source() < from && !is_lost) {
            slot.refused.extend(refused);
            let level = level.as_str();
            let message = format!("`{name}` cannot be said by {at}: it is for the {level} and above");
            let help = format!("say it at the {level}");
            return self.faults.push(Fault::new(name, message).help(help).at(at));
        }
        if let Some(renamed) = slot.renamed
            && renamed.at.source < at.source
        {
            let (to, by) = (renamed.to, renamed.at);
            slot.refused.extend(refused);
            let message = format!("`{name}` cannot be substituted by {at}: {by} has renamed it");
            let help = format!("substitute `{to}`");
            return self.faults.push(Fault::new(name, message).help(help).at(by).at(at));
        }
        let source = if is_global && !said.is_fixed { Source::GlobalDefault } else { at.source };
        let at = Where { source, ..at };
        let is_again = match &said.clause {
            Clause::Within(_) => slot.narrowings.iter().any(|known| known.at == at),
            _ => slot.candidates.iter().any(|known| known.at == at),
        };
        if is_again {
            let what = if matches!(said.clause, Clause::Within(_)) { "narrowed" } else { "substituted" };
            let message = format!("`{name}` is {what} twice by {at}");
            return self.faults.push(Fault::new(name, message).at(at));
        }
        match &said.clause {
            Clause::Declare => slot.put(Candidate::nothing(at, told)),
            Clause::Value(expression) => slot.put(Candidate::expression(at, said.is_fixed, expression, told)),
            Clause::Within(expression) => {
                let narrowing = Narrowing { at, is_fixed: said.is_fixed, expression, told, of: None, constraint: None };
                let place = slot.narrowings.partition_point(|known| known.at.source <= at.source);
                slot.narrowings.insert(place, narrowing);
            }
        }
    }

    fn hides_global(&mut self, name: &Name) {
        let message = format!("`{name}` of the service hides the global parameter of its name");
        let warning = Fault::new(name, message).at(everywhere(Source::Global));
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn unknown(&mut self, at: Where<'a>, name: &'a Name) {
        if self.ground.has_other_services && !at.source.is_of_one_service() {
            return;
        }
        if self.edition.is_second() && at.source <= Source::Global && self.ground.locals.get(name.as_str()).is_some() {
            return self.hides_global(name);
        }
        let known: Vec<&str> = self.slots.iter().map(|slot| slot.name.as_str()).collect();
        let message = format!("there is no parameter `{name}`");
        let help = if known.is_empty() {
            format!("declare it with `{name}=`")
        } else {
            suggest(name.as_str(), known.iter().copied())
        };
        self.faults.push(Fault::new(name, message).help(help).at(at));
    }

    /// A parameter that a source substitutes by the bare name of one that it declares has that name from there on.
    fn rename(&mut self, at: Where<'a>, said: &'a Substitution, declared: &[&'a Name]) {
        let Clause::Value(expression) = &said.clause else { return };
        let Some(to) = expression.as_name() else { return };
        if !declared.contains(&to) || *to == said.name {
            return;
        }
        if let Some(index) = self.index.get(said.name.as_str()).copied()
            && let Some(slot) = self.slots.get_mut(index)
            && slot
                .candidates
                .iter()
                .any(|candidate| matches!(candidate.given, Given::Expression(own) if std::ptr::eq(own, expression)))
        {
            // What loses below a fix renames nothing.
            if self.edition.is_third() && slot.is_fixed_above(at.source) {
                return;
            }
            slot.renamed = Some(Renamed { to, at });
            // At which level something is said of it holds of the name that it has below.
            let level = slot.level.filter(|_| self.edition.is_third());
            if let Some(level) = level
                && let Some(named) = self.index.get(to.as_str()).and_then(|index| self.slots.get_mut(*index))
            {
                named.level = Some(named.level.map_or(level, |own| own.min(level)));
                named.is_beyond |= self.ground.runtime.tells(level.told_below());
            }
        }
    }
}

impl<'a> Slot<'a> {
    /// Whether something that is said of it at a source stands below a fix: of the value, or of a constraint.
    fn is_lost(&self, source: Source, clause: &Clause) -> bool {
        let mut fixed = self.narrowings.iter().filter(|narrowing| narrowing.is_fixed);
        let is_narrowed = matches!(clause, Clause::Within(_)) && fixed.any(|fixed| fixed.at.source < source);
        self.is_fixed_above(source) || is_narrowed
    }

    /// Takes a candidate in its order.
    fn put(&mut self, candidate: Candidate<'a>) {
        let place = self.candidates.partition_point(|known| known.at.source <= candidate.at.source);
        self.candidates.insert(place, candidate);
    }
}

impl<'a> Candidate<'a> {
    const fn new(at: Where<'a>, is_fixed: bool, given: Given<'a>) -> Self {
        Self { at, is_fixed, given, told: None, value: None }
    }

    const fn value(at: Where<'a>, value: &'a crate::values::value::Value) -> Self {
        Self::new(at, false, Given::Value(value))
    }

    fn expression(
        at: Where<'a>,
        is_fixed: bool,
        expression: &'a crate::values::expression::Expression,
        told: Option<&'a crate::values::layer::Told>,
    ) -> Self {
        Self { told, ..Self::new(at, is_fixed, Given::Expression(expression)) }
    }

    fn nothing(at: Where<'a>, told: Option<&'a crate::values::layer::Told>) -> Self {
        Self { told, ..Self::new(at, true, Given::Nothing) }
    }
}

//! The templates of a service: from texts and values to configuration.
//!
//! ```text
//! *.j2 --load--> Templates --render(values)--> text with marks --parse--> Configuration with marks
//!   inspected before they run                                                       |
//!                                        Configuration <--fill-- what each mark printed
//! ```
//!
//! A value never becomes text before the configuration is read: where it is printed stands a mark, and the
//! value takes its place when the statements are there already. Whatever it holds, it is one word, or part
//! of one. The template's own text tells which: `{{ x }}` alone is a word, `"{{ x }}"` and `a-{{ x }}` are
//! parts of one, `[ {{ x }} ]` takes the elements of a list. In a comment a value is refused.
//!
//! Conditions and loops see the values themselves. Templates run within bounds of steps, memory, output
//! and recursion; they read nothing but the values and the files of their own folder, of which those with
//! a name that begins with `_` are included or imported and render nothing alone.

mod compared;
mod fault;
mod filters;
mod flow;
mod inspect;
mod origin;
mod printed;
mod rendering;
mod sort;
mod value;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::machinery::parse;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use self::compared::Compared;
use self::inspect::{Findings, inspect};
use self::printed::Printed;
use self::rendering::Rendering;
use crate::Strictness;
use crate::configuration::{self, Configuration, Conflict, Filling, LARGEST_TEXT, conflicts, holds_mark, mark, marks};
use crate::diagnostic::Code;

pub use self::fault::Fault;
pub(super) use self::flow::Flow;
pub(super) use self::sort::{Sort, base, form};
pub use self::value::{TemplateValue, Values};

/// The most steps of one template, where each 64 bytes that it makes are a step as well.
const FUEL: u64 = 200_000;
/// How deep macros and includes call each other, in units of the engine: one call costs several.
const RECURSION: usize = 100;
/// The largest template, in bytes.
const LARGEST_TEMPLATE: usize = 64 * 1_024;
/// The most templates of a service.
const MOST_TEMPLATES: usize = 32;

/// The texts of templates by the names of their files.
type Files = BTreeMap<String, String>;

/// The templates of one service, read and inspected.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    files: Files,
    findings: BTreeMap<String, Findings>,
    /// The same templates, looking at what they compare; none where they compare nothing.
    compared: Option<Compared>,
    /// The last text that each file rendered, read. Most places differ in values alone, and so in no text.
    shapes: Mutex<BTreeMap<String, Arc<Shape>>>,
    /// The same templates, saying where they print; made where somebody asks.
    signed: OnceLock<Option<origin::Signed>>,
}

/// A rendered text in which marks stand for values, read.
#[derive(Debug)]
struct Shape {
    text: String,
    configuration: Configuration,
    /// The marks that stand between quotes of the template's own.
    quoted: Vec<usize>,
    /// The first mark that was printed into a comment, which is not part of what is read.
    in_comment: Option<usize>,
    /// A statement of the template's own that no group of a device may hold.
    nested: Option<&'static str>,
    /// A command that stands at the top as if it were a statement.
    command: Option<&'static str>,
}

impl Shape {
    fn read(text: &str) -> Result<Self, configuration::Fault> {
        let configuration = Configuration::parse(text)?;
        let read: BTreeSet<usize> = configuration.marks().into_iter().collect();
        let quoted = marks(text).filter(|number| text.contains(&format!("\"{}\"", mark(*number)))).collect();
        let in_comment = marks(text).find(|number| !read.contains(number));
        let (nested, command) = (configuration.nested(), configuration.command());
        Ok(Self { text: text.to_owned(), configuration, quoted, in_comment, nested, command })
    }

    /// What each mark stands for; between quotes of the template's own, words side by side are one.
    fn fillings<'f>(&self, fillings: &'f [Filling]) -> Cow<'f, [Filling]> {
        let mut fillings = Cow::Borrowed(fillings);
        for number in &self.quoted {
            if fillings.get(*number).is_some_and(Filling::has_several)
                && let Some(Filling::Words(words)) = fillings.to_mut().get_mut(*number)
            {
                *words = vec![words.join(" ")];
            }
        }
        fillings
    }
}

impl Templates {
    /// Reads the templates among the files of a service: those called `*.j2`.
    ///
    /// # Errors
    ///
    /// All that is wrong with them, by file and place, as far as it shows before they run.
    pub fn load(files: &BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let files: Files =
            files.iter().filter(|(file, _)| file.ends_with(".j2")).map(|(f, t)| (f.clone(), t.clone())).collect();
        let mut faults = sizes(&files);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut environment = environment();
        let mut findings = BTreeMap::new();
        let of_engine = |error, file: &str| Fault::of_engine(&error, file, |file| files.get(file).map(String::as_str));
        for (file, source) in &files {
            match parse(source, file, environment.syntax().clone()) {
                Ok(tree) => {
                    let mut found = inspect(file, &files, &tree);
                    faults.append(&mut found.faults);
                    findings.insert(file.clone(), found);
                }
                Err(error) => {
                    faults.push(of_engine(error, file));
                    continue;
                }
            }
            if let Err(error) = environment.add_template_owned(file.clone(), source.clone()) {
                faults.push(of_engine(error, file));
            }
        }
        if faults.is_empty() {
            let compared = Compared::read(&files, &findings);
            Ok(Self { environment, files, findings, compared, shapes: Mutex::default(), signed: OnceLock::new() })
        } else {
            Err(faults)
        }
    }

    /// The names that templates read and that are neither among `known` nor given by the templates.
    pub fn unknown_parameters(&self, known: &BTreeSet<&str>) -> Vec<Fault> {
        let named: BTreeSet<&str> =
            self.findings.values().flat_map(|findings| findings.named.iter().map(String::as_str)).collect();
        let mut faults = Vec::new();
        for (file, findings) in &self.findings {
            let Ok(template) = self.environment.get_template(file) else { continue };
            let undeclared: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
            let is_own = |name: &str| file.starts_with('_') && named.contains(name);
            for name in undeclared.iter().filter(|name| !known.contains(name.as_str()) && !is_own(name)) {
                let range = findings.read.get(name).cloned().unwrap_or_default();
                let help = crate::diagnostic::suggest(name, known.iter().copied());
                let message = format!("there is no parameter `{}`", crate::diagnostic::excerpt(name));
                let fault = Fault::between(file, self.source(file), range, message, Some(help));
                faults.push(fault.sort(Code::UnknownParameter));
            }
        }
        faults
    }

    /// What is certain of the templates before they run, of values of these sorts by name: filters that fail whatever
    /// they are given, branches that are never rendered; and values that may be missing where they are printed.
    pub(super) fn flow(&self, sorts: &BTreeMap<&str, Sort>) -> Flow {
        let mut flow = Flow::default();
        let named: BTreeSet<&str> =
            self.findings.values().flat_map(|findings| findings.named.iter().map(String::as_str)).collect();
        // What cannot be read was refused before.
        let trees: Vec<_> = self
            .files
            .iter()
            .filter_map(|(file, source)| {
                let tree = parse(source, file, self.environment.syntax().clone()).ok()?;
                Some((flow::Text { file, source }, tree))
            })
            .collect();
        let others = flow::Others::of(trees.iter().map(|(text, tree)| (*text, tree)));
        for (text, tree) in &trees {
            flow::follow((*text, tree, &others), sorts, &named, &mut flow);
        }
        flow
    }

    /// The names that templates read, those that they give themselves among them.
    pub(super) fn reads(&self, name: &str) -> bool {
        self.findings.values().any(|findings| findings.read.contains_key(name))
    }

    /// Files and macros that nothing renders, whatever the values are.
    pub(super) fn idle(&self) -> Vec<Fault> {
        let mut idle = Vec::new();
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> = self.rendered().map(String::as_str).collect();
        while let Some(file) = next.pop() {
            if reached.insert(file) {
                let findings = self.findings.get(file);
                next.extend(findings.iter().flat_map(|findings| &findings.included).map(String::as_str));
            }
        }
        for (file, findings) in &self.findings {
            if !reached.contains(file.as_str()) {
                let help = "include it, or leave it out";
                idle.push(Fault::of_file(file, format!("no template includes `{file}`"), help));
                continue;
            }
            for (name, range) in &findings.macros {
                let is_called =
                    self.findings.values().any(|it| it.read.contains_key(name) || it.imported.contains(name));
                if !is_called {
                    let (message, help) = (format!("nothing calls the macro `{name}`"), "call it, or leave it out");
                    idle.push(Fault::between(file, self.source(file), range.clone(), message, Some(help.to_owned())));
                }
            }
        }
        idle.into_iter().map(|fault| fault.sort(Code::Unused)).collect()
    }

    /// The files that render by themselves, in the order of their names.
    pub(super) fn rendered(&self) -> impl Iterator<Item = &String> {
        self.files.keys().filter(|file| !file.starts_with('_'))
    }

    /// Whether templates read anything that they do not name themselves.
    pub(super) fn reads_anything(&self) -> bool {
        let is_named = |name: &str| self.findings.values().any(|findings| findings.named.contains(name));
        self.findings.values().flat_map(|findings| findings.read.keys()).any(|name| !is_named(name))
    }

    /// Renders all templates with these values, in the order of their names, into one configuration.
    ///
    /// # Errors
    ///
    /// The first fault: a value that is missing or cannot stand where it is printed, a text that is no
    /// configuration, a leaf that is set twice and differently, or more work than a template may do.
    pub fn render(&self, values: impl Into<Values>, strictness: Strictness) -> Result<Configuration, Fault> {
        self.render_seen(values, strictness, |_, _| {})
    }

    /// The same, with a look at what each file rendered.
    ///
    /// # Errors
    ///
    /// As [`Templates::render`].
    pub(super) fn render_seen(
        &self,
        values: impl Into<Values>,
        strictness: Strictness,
        mut see: impl FnMut(&str, &Configuration),
    ) -> Result<Configuration, Fault> {
        let Values(values) = values.into();
        let mut rendered = Configuration::default();
        let mut size = 0;
        for file in self.rendered() {
            let (one, size_most) = self.render_one(file, &values, strictness)?;
            size += size_most;
            see(file, &one);
            let mut found = one.contradictions(strictness);
            if !rendered.is_empty() {
                found.append(&mut conflicts(&rendered, &one, strictness));
            }
            if let Some(conflict) = found.first() {
                return Err(contradiction(file, conflict));
            }
            rendered.merge(one);
        }
        if strictness >= Strictness::Utmost && size > LARGEST_TEXT && rendered.text().len() > LARGEST_TEXT {
            let file = self.rendered().next().map_or("", String::as_str);
            let message = format!("the configuration has more than {LARGEST_TEXT} bytes");
            return Err(Fault::of_file(file, message, "give shorter lists"));
        }
        Ok(rendered)
    }

    /// Which leaves are set twice and differently by the templates' own words, whatever the values are that stand in the
    /// others; with a look at each file as far as they can be read.
    pub(super) fn contradictions(&self, values: impl Into<Values>, mut see: impl FnMut(&str)) -> Vec<Fault> {
        let Values(values) = values.into();
        let (mut rendered, mut faults) = (Configuration::default(), Vec::new());
        for file in self.rendered() {
            let Ok(template) = self.environment.get_template(file) else { break };
            let Ok(captured) = template.render_captured(values.clone()) else { break };
            let Ok(shape) = self.shape(file, captured.output()) else { break };
            see(file);
            let one = shape.configuration.clone();
            let mut found = one.contradictions(Strictness::Utmost);
            found.append(&mut conflicts(&rendered, &one, Strictness::Utmost));
            // A mark stands for a value, which decides.
            let certain = found.iter().filter(|conflict| !holds_mark(&conflict.to_string()));
            faults.extend(certain.map(|conflict| contradiction(file, conflict)));
            rendered.merge(one);
        }
        faults
    }

    /// What a file renders, and how many bytes that has at the most when it is printed.
    fn render_one(&self, file: &str, values: &Value, strictness: Strictness) -> Result<(Configuration, usize), Fault> {
        let of_engine = |error| Fault::of_engine(&error, file, |file| self.files.get(file).map(String::as_str));
        let template = self.environment.get_template(file).map_err(of_engine)?;
        let compared = self.compared.as_ref().filter(|_| strictness >= Strictness::Full);
        let environment = compared.map_or(&self.environment, |compared| &compared.environment);
        let captured = environment.get_template(file).map_err(of_engine)?.render_captured(values.clone());
        let captured = captured.map_err(|error| match compared.and_then(|known| known.fault(&error, &self.files)) {
            Some(fault) => fault,
            // It stands elsewhere in the templates as they are written.
            None if compared.is_some() => of_engine(template.render_captured(values.clone()).err().unwrap_or(error)),
            None => of_engine(error),
        })?;
        let text = captured.output();
        let none = Printed::default();
        let fillings = &captured.state().get_extension::<Printed>().unwrap_or(&none).0;
        let rendering = Rendering { templates: self, template: &template, values, text, fillings };
        let shape = self.shape(file, text).map_err(|fault| rendering.no_configuration(fault))?;
        if let Some(number) = shape.in_comment {
            return Err(rendering.commented(number));
        }
        let is_strict = strictness >= Strictness::Utmost;
        if let Some(word) = shape.nested.filter(|_| is_strict) {
            return Err(rendering.nested(word).sort(Code::Rendering));
        }
        if let Some(word) = shape.command.filter(|_| is_strict) {
            return Err(rendering.command(word).sort(Code::Rendering));
        }
        let fillings = shape.fillings(fillings);
        let filled = shape.configuration.fill(&fillings, strictness);
        let filled = filled.map_err(|misplaced| rendering.misplaced(&misplaced))?;
        // A value at the top may be that word.
        match is_strict && filled.defines_groups() {
            true => Err(rendering.nested(configuration::GROUPS)),
            false => Ok((filled, printed_most(text, &fillings))),
        }
    }

    /// What a file rendered, read.
    fn shape(&self, file: &str, text: &str) -> Result<Arc<Shape>, configuration::Fault> {
        let known = self.shapes.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned();
        if let Some(shape) = known.filter(|shape| shape.text == text) {
            return Ok(shape);
        }
        let shape = Arc::new(Shape::read(text)?);
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        shapes.insert(file.to_owned(), Arc::clone(&shape));
        Ok(shape)
    }

    fn source(&self, file: &str) -> &str {
        self.files.get(file).map_or("", String::as_str)
    }
}

/// That a file sets a leaf otherwise than it, or one before it, has set it.
fn contradiction(file: &str, conflict: &Conflict) -> Fault {
    Fault::of_file(file, conflict.to_string(), "render it once, or under another name").sort(Code::Refused)
}

/// How many bytes a text has at the most once it is printed with what stands in it: each character may become two, and
/// each sign that ends a line is indented as deep as containers lie.
fn printed_most(text: &str, fillings: &[Filling]) -> usize {
    let of_values = fillings.iter().map(|filling| {
        let (Filling::Words(words) | Filling::List(words)) = filling;
        words.iter().map(|word| 2 * word.len() + 3).sum::<usize>()
    });
    let lines = text.bytes().filter(|byte| matches!(byte, b';' | b'{' | b'}')).count();
    let indented = 4 * (configuration::MOST_DEPTH + 1) + 4;
    2 * text.len() + lines * indented + of_values.sum::<usize>()
}

/// Templates that are too many or too large, or that hold what only marks are made of.
fn sizes(files: &Files) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(file) = files.keys().nth(MOST_TEMPLATES) {
        let message = format!("the service has more than {MOST_TEMPLATES} templates");
        faults.push(Fault::of_file(file, message, "write fewer, larger ones"));
    }
    for (file, text) in files {
        if text.len() > LARGEST_TEMPLATE {
            let message = format!("the template has more than {LARGEST_TEMPLATE} bytes");
            faults.push(Fault::of_file(file, message, "write several smaller ones"));
        }
        if holds_mark(text) {
            let message = "the template holds the private characters U+E000 or U+E001";
            faults.push(Fault::of_file(file, message, "remove them: no device knows them"));
        }
    }
    faults
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_debug(false);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    // Whatever is not none makes the engine tell captured text from values, which is all that is needed.
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("configuration".into()));
    environment.set_formatter(printed::print);
    filters::add(&mut environment);
    environment
}

#[cfg(test)]
mod tests;

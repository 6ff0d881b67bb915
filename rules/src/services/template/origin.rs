//! Which parameters the values come from that stand in what a template renders.
//!
//! ```text
//! *.j2 --followed--> places that print, and whose values each may print
//!  `--signed--> templates that say before each value at which place it is printed --render--> marks and their places
//! ```
//!
//! It is found out where somebody asks, and not whenever something is rendered. A value that was given another name - by a
//! loop, `set`, `with`, or a macro's arguments - is followed to where it came from. What only decides whether something is
//! rendered is not told, nor is text of the template's own. Where the signed templates render otherwise than the templates
//! themselves, nothing is told of any statement.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::ast::{CallArg, Expr, Macro, Stmt};
use minijinja::machinery::parse;
use minijinja::{Environment, Value};

use super::inspect::range;
use super::printed::Printed;
use super::value::Values;
use super::{TemplateValue, Templates, environment};
use crate::configuration::{Filling, Leaf, marks};

/// The character that the sign of a place begins with.
const BEGIN: char = '\u{E002}';
/// The character that it ends with.
const END: char = '\u{E003}';
/// How many statements and expressions are looked at in one round: files may include each other again and again.
const STEPS_MOST: usize = 100_000;
/// How many rounds there are until each macro knows what it is called with.
const ROUNDS_MOST: usize = 32;

/// Names of parameters.
type Names = BTreeSet<String>;

/// Templates that say where they print, and what each place prints.
#[derive(Debug)]
pub(super) struct Signed {
    environment: Environment<'static>,
    /// By the number of the place.
    places: Vec<Names>,
}

impl Templates {
    /// The leaves that templates render with these values, and the names of the parameters whose values stand in each: in
    /// its own words, or in those of the containers around it. Empty where they cannot be rendered.
    pub(in crate::services) fn origins(&self, values: &BTreeMap<String, TemplateValue>) -> BTreeMap<Leaf, Names> {
        let mut found: BTreeMap<Leaf, Names> = BTreeMap::new();
        let by_name = Values::from(values).0;
        for file in self.files.keys().filter(|file| !file.starts_with('_')) {
            for (leaf, mut names) in self.origins_in(file, &by_name).unwrap_or_default() {
                names.retain(|name| values.contains_key(name));
                found.entry(leaf).or_default().append(&mut names);
            }
        }
        found
    }

    fn origins_in(&self, file: &str, values: &Value) -> Option<BTreeMap<Leaf, Names>> {
        let (text, fillings) = printed(&self.environment, file, values)?;
        let shape = self.shape(file, &text).ok()?;
        let fillings = shape.fillings(&fillings);
        let standing = shape.configuration.standing(&fillings).ok()?;
        let signed = self.signed.get_or_init(|| sign(&self.files)).as_ref();
        // Of what nobody knows nothing is told, which is more than that nothing stands in it.
        let places = signed.and_then(|signed| signed.places_of_marks(file, values, &text))?;
        let names = |numbers: BTreeSet<usize>| {
            let places = numbers.iter().filter_map(|number| places.get(number));
            places.flat_map(|names| names.iter().cloned()).collect()
        };
        Some(standing.into_iter().map(|(leaf, numbers)| (leaf, names(numbers))).collect())
    }
}

/// What a file renders, and what its marks stand for.
fn printed(environment: &Environment<'_>, file: &str, values: &Value) -> Option<(String, Vec<Filling>)> {
    let captured = environment.get_template(file).ok()?.render_captured(values.clone()).ok()?;
    let fillings = captured.state().get_extension::<Printed>().map(|printed| printed.0.clone());
    Some((captured.output().to_owned(), fillings.unwrap_or_default()))
}

impl Signed {
    /// Whose values each mark may stand for, where `text` is what the templates themselves render.
    fn places_of_marks(&self, file: &str, values: &Value, text: &str) -> Option<BTreeMap<usize, &Names>> {
        let (signed, _) = printed(&self.environment, file, values)?;
        let mut pieces = signed.split(BEGIN);
        let mut plain = pieces.next().unwrap_or_default().to_owned();
        let mut found = BTreeMap::new();
        for piece in pieces {
            let (number, behind) = piece.split_once(END)?;
            let names = self.places.get(number.parse::<usize>().ok()?)?;
            // What was captured begins with text, or with a sign of its own.
            let mark = marks(behind).next().filter(|mark| behind.starts_with(&super::mark(*mark)));
            found.extend(mark.map(|mark| (mark, names)));
            plain.push_str(behind);
        }
        (plain == text).then_some(found)
    }
}

/// Signs templates; none where they are too entangled to be followed.
fn sign(files: &super::Files) -> Option<Signed> {
    let mut environment = environment();
    let trees = files.iter().map(|(file, source)| {
        let tree = parse(source, file, environment.syntax().clone()).ok()?;
        Some((file.as_str(), (source.as_str(), tree)))
    });
    let trees: BTreeMap<&str, (&str, Stmt<'_>)> = trees.collect::<Option<_>>()?;
    let mut way = Way::new(&trees);
    for _ in 0..ROUNDS_MOST {
        let known = way.given.clone();
        way.round()?;
        if way.given == known {
            let Way { places, .. } = way;
            for (file, source) in files {
                let mut source = source.clone();
                let of_file = places.iter().enumerate().filter(|(_, ((of, _), _))| *of == file);
                for (number, ((_, at), _)) in of_file.rev() {
                    source.insert_str(*at, &format!("{BEGIN}{number}{END}"));
                }
                environment.add_template_owned(file.clone(), source).ok()?;
            }
            return Some(Signed { environment, places: places.into_values().collect() });
        }
    }
    None
}

/// Follows templates to where they print.
struct Way<'a> {
    trees: &'a BTreeMap<&'a str, (&'a str, Stmt<'a>)>,
    /// By file and place, what is printed there.
    places: BTreeMap<(&'a str, usize), Names>,
    /// By macro and argument - its position or its name - what it is called with.
    given: BTreeMap<(String, String), Names>,
    /// Macros by the names that they were imported under.
    aliases: BTreeMap<String, Names>,
    /// What names stand for, the innermost last.
    scopes: Vec<BTreeMap<String, Names>>,
    /// The files that are being followed, the innermost last.
    files: Vec<&'a str>,
    steps: usize,
}

impl<'a> Way<'a> {
    fn new(trees: &'a BTreeMap<&'a str, (&'a str, Stmt<'a>)>) -> Self {
        let (places, given, aliases) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { trees, places, given, aliases, scopes: Vec::new(), files: Vec::new(), steps: 0 }
    }

    fn round(&mut self) -> Option<()> {
        self.steps = 0;
        let trees = self.trees;
        trees.keys().filter(|file| !file.starts_with('_')).try_for_each(|file| self.file(file, Vec::new()))
    }

    /// Another file, with what names stand for there.
    fn file(&mut self, file: &str, scopes: Vec<BTreeMap<String, Names>>) -> Option<()> {
        let trees = self.trees;
        let Some((file, (_, tree))) = trees.get_key_value(file) else { return Some(()) };
        // A file that includes itself renders nothing new.
        if self.files.contains(file) {
            return Some(());
        }
        let outside = std::mem::replace(&mut self.scopes, scopes);
        self.files.push(file);
        self.inside(BTreeMap::new(), std::slice::from_ref(tree))?;
        self.files.pop();
        self.scopes = outside;
        Some(())
    }

    fn step(&mut self) -> Option<()> {
        self.steps += 1;
        (self.steps <= STEPS_MOST).then_some(())
    }

    fn inside(&mut self, scope: BTreeMap<String, Names>, statements: &'a [Stmt<'a>]) -> Option<()> {
        self.scopes.push(scope);
        self.statements(statements)?;
        self.scopes.pop();
        Some(())
    }

    fn statements(&mut self, statements: &'a [Stmt<'a>]) -> Option<()> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    /// Recursion is as deep as the trees are, which the engine's parser bounds, and as files include each other.
    fn statement(&mut self, statement: &'a Stmt<'a>) -> Option<()> {
        self.step()?;
        match statement {
            Stmt::Template(template) => self.statements(&template.children)?,
            Stmt::EmitExpr(emit) => self.print(&emit.expr, range(emit.span()).start)?,
            Stmt::ForLoop(each) => {
                let names = self.read(&each.iter)?;
                self.inside(bound(&each.target, &names), &each.body)?;
                self.inside(BTreeMap::new(), &each.else_body)?;
            }
            Stmt::IfCond(condition) => {
                self.statements(&condition.true_body)?;
                self.statements(&condition.false_body)?;
            }
            Stmt::WithBlock(with) => {
                self.scopes.push(BTreeMap::new());
                for (target, value) in &with.assignments {
                    let names = self.read(value)?;
                    self.bind(target, &names);
                }
                self.statements(&with.body)?;
                self.scopes.pop();
            }
            Stmt::Set(set) => {
                let mut names = self.read(&set.expr)?;
                // What was set in another branch may stand still.
                names.extend(self.bound_here(&set.target));
                self.bind(&set.target, &names);
            }
            Stmt::SetBlock(set) => {
                // What is captured is signed inside.
                self.bind(&set.target, &Names::new());
                self.inside(BTreeMap::new(), &set.body)?;
            }
            Stmt::Include(include) => {
                if let Some(file) = constant(&include.name) {
                    self.file(file, self.scopes.clone())?;
                }
            }
            Stmt::FromImport(import) => {
                for (name, alias) in &import.names {
                    if let (Expr::Var(name), Some(Expr::Var(alias))) = (name, alias) {
                        self.aliases.entry(alias.id.to_owned()).or_default().insert(name.id.to_owned());
                    }
                }
                if let Some(file) = constant(&import.expr) {
                    self.file(file, Vec::new())?;
                }
            }
            Stmt::Macro(definition) => self.definition(definition)?,
            Stmt::CallBlock(block) => {
                self.call(&block.call.expr, &block.call.args)?;
                self.definition(&block.macro_decl)?;
            }
            Stmt::Do(call) => drop(self.call(&call.call.expr, &call.call.args)?),
            // The others are refused before, or print nothing.
            _ => {}
        }
        Some(())
    }

    /// A place that prints; `at` is where its expression stands.
    fn print(&mut self, expression: &'a Expr<'a>, at: usize) -> Option<()> {
        let names = self.read(expression)?;
        let file = *self.files.last()?;
        let (source, _) = self.trees.get(file)?;
        let is_open = source.get(at..)?.starts_with("{{");
        let open = if is_open { at } else { source.get(..at)?.rfind("{{")? };
        // What is cut away before it is cut away behind the sign.
        let is_cut = source.get(open..)?.starts_with("{{-");
        let at = if is_cut { source.get(..open)?.trim_end().len() } else { open };
        self.places.entry((file, at)).or_default().extend(names);
        Some(())
    }

    fn definition(&mut self, definition: &'a Macro<'a>) -> Option<()> {
        let mut scope = BTreeMap::new();
        let without_default = definition.args.len().saturating_sub(definition.defaults.len());
        for (position, argument) in definition.args.iter().enumerate() {
            let Expr::Var(name) = argument else { continue };
            let given = |slot: &str| self.given.get(&(definition.name.to_owned(), slot.to_owned()));
            let slots = [position.to_string(), name.id.to_owned()];
            let mut names: Names = slots.iter().filter_map(|slot| given(slot)).flatten().cloned().collect();
            let default = position.checked_sub(without_default).and_then(|default| definition.defaults.get(default));
            if let Some(default) = default {
                names.extend(self.read(default)?);
            }
            scope.insert(name.id.to_owned(), names);
        }
        self.inside(scope, &definition.body)
    }

    /// What a macro is called with goes to its arguments; what it prints is signed inside.
    fn call(&mut self, called: &'a Expr<'a>, arguments: &'a [CallArg<'a>]) -> Option<Names> {
        let mut all = Names::new();
        for (position, argument) in arguments.iter().enumerate() {
            let (slot, value) = match argument {
                CallArg::Kwarg(name, value) => ((*name).to_owned(), value),
                CallArg::Pos(value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    (position.to_string(), value)
                }
            };
            let names = self.read(value)?;
            if let Expr::Var(called) = called {
                let others = self.aliases.get(called.id).into_iter().flatten().map(String::as_str);
                for name in others.chain([called.id]) {
                    self.given.entry((name.to_owned(), slot.clone())).or_default().extend(names.iter().cloned());
                }
            }
            all.extend(names);
        }
        Some(all)
    }

    /// The parameters that the value of an expression may come from; names of others may be among them.
    fn read(&mut self, expression: &'a Expr<'a>) -> Option<Names> {
        self.step()?;
        let mut names = Names::new();
        match expression {
            Expr::Var(variable) => match self.scopes.iter().rev().find_map(|scope| scope.get(variable.id)) {
                Some(known) => names.extend(known.iter().cloned()),
                None => drop(names.insert(variable.id.to_owned())),
            },
            Expr::Slice(slice) => names.extend(self.read(&slice.expr)?),
            Expr::UnaryOp(operation) => names.extend(self.read(&operation.expr)?),
            Expr::BinOp(operation) => {
                names.extend(self.read(&operation.left)?);
                names.extend(self.read(&operation.right)?);
            }
            Expr::IfExpr(condition) => {
                names.extend(self.read(&condition.true_expr)?);
                if let Some(other) = &condition.false_expr {
                    names.extend(self.read(other)?);
                }
            }
            Expr::Filter(filter) => {
                if let Some(filtered) = &filter.expr {
                    names.extend(self.read(filtered)?);
                }
                for argument in &filter.args {
                    let (CallArg::Pos(value)
                    | CallArg::Kwarg(_, value)
                    | CallArg::PosSplat(value)
                    | CallArg::KwargSplat(value)) = argument;
                    names.extend(self.read(value)?);
                }
            }
            Expr::GetAttr(attribute) => names.extend(self.read(&attribute.expr)?),
            Expr::GetItem(item) => names.extend(self.read(&item.expr)?),
            Expr::Call(call) => names.extend(self.call(&call.expr, &call.args)?),
            // Lists and maps hold literals; of the others nothing can be printed but what they are asked.
            _ => {}
        }
        Some(names)
    }

    fn bind(&mut self, target: &Expr<'_>, names: &Names) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.extend(bound(target, names));
        }
    }

    /// What a name stands for already in the scope at hand.
    fn bound_here(&self, target: &Expr<'_>) -> Names {
        match (target, self.scopes.last()) {
            (Expr::Var(variable), Some(scope)) => scope.get(variable.id).cloned().unwrap_or_default(),
            _ => Names::new(),
        }
    }
}

/// What the names of a target stand for from here on.
fn bound(target: &Expr<'_>, names: &Names) -> BTreeMap<String, Names> {
    match target {
        Expr::Var(variable) => BTreeMap::from([(variable.id.to_owned(), names.clone())]),
        Expr::List(list) => list.items.iter().flat_map(|item| bound(item, names)).collect(),
        Expr::Tuple(tuple) => tuple.items.iter().flat_map(|item| bound(item, names)).collect(),
        _ => BTreeMap::new(),
    }
}

/// The name of a file as it stands in a template.
fn constant<'t>(name: &'t Expr<'_>) -> Option<&'t str> {
    match name {
        Expr::Const(constant) => constant.value.as_str(),
        _ => None,
    }
}

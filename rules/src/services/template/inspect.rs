//! What is said of a template before it ever runs, from its syntax tree.
//!
//! Refused here is what would only fail for some values, and what the engine's fuel does not bound: lists
//! made of variables can be nested into each other so that comparing two of them takes forever.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{BinOpKind, CallArg, CompareOpKind, Expr, Macro, Stmt};

use super::Files;
use super::compared::Comparison;
use super::fault::Fault;
use super::filters::{FILTERS, LISTS, TESTS};
use super::flow::extent;
use crate::diagnostic::{Code, excerpt, suggest};

/// What a template's syntax tree says.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) faults: Vec<Fault>,
    /// Where each variable is first read, in bytes.
    pub(super) read: BTreeMap<String, Range<usize>>,
    /// Comparisons by order.
    pub(super) compared: Vec<Comparison>,
    /// What the template itself gives names to.
    pub(super) named: BTreeSet<String>,
    /// The files that it includes or imports from.
    pub(super) included: BTreeSet<String>,
    /// The macros that it defines, and where.
    pub(super) macros: BTreeMap<String, Range<usize>>,
    /// What it imports, as it is called where it is defined.
    pub(super) imported: BTreeSet<String>,
}

/// Inspects the template of a file. Recursion is as deep as the tree, which the engine's parser bounds.
pub(super) fn inspect(file: &str, files: &Files, tree: &Stmt<'_>) -> Findings {
    let mut inspection = Inspection { file, files, findings: Findings::default() };
    inspection.statement(tree);
    inspection.findings
}

struct Inspection<'a> {
    file: &'a str,
    files: &'a Files,
    findings: Findings,
}

impl Inspection<'_> {
    fn fault(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let source = self.files.get(self.file).map_or("", String::as_str);
        let fault = Fault::between(self.file, source, range(span), message, Some(help.into()));
        self.findings.faults.push(fault);
    }

    fn statements(&mut self, statements: &[Stmt<'_>]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::EmitRaw(_) => {}
            Stmt::ForLoop(each) => {
                self.iterated(&each.iter);
                self.named(&each.target);
                each.filter_expr.iter().for_each(|filter| self.expression(filter));
                self.statements(&each.body);
                self.statements(&each.else_body);
            }
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::WithBlock(with) => {
                for (target, value) in &with.assignments {
                    self.named(target);
                    self.expression(value);
                }
                self.statements(&with.body);
            }
            Stmt::Set(set) => {
                self.named(&set.target);
                self.expression(&set.expr);
            }
            Stmt::SetBlock(set) => {
                self.named(&set.target);
                set.filter.iter().for_each(|filter| self.expression(filter));
                self.statements(&set.body);
            }
            Stmt::Include(include) => self.other(&include.name),
            Stmt::FromImport(import) => {
                self.other(&import.expr);
                import.names.iter().for_each(|(name, alias)| self.named(alias.as_ref().unwrap_or(name)));
                let names = import
                    .names
                    .iter()
                    .filter_map(|(name, _)| if let Expr::Var(name) = name { Some(name.id) } else { None });
                self.findings.imported.extend(names.map(str::to_owned));
            }
            Stmt::Macro(definition) => {
                self.findings.named.insert(definition.name.to_owned());
                self.findings.macros.insert(definition.name.to_owned(), range(definition.span()));
                self.definition(definition);
            }
            Stmt::CallBlock(block) => {
                self.expression(&block.call.expr);
                self.arguments(&block.call.args);
                self.definition(&block.macro_decl);
            }
            Stmt::Do(call) => {
                self.expression(&call.call.expr);
                self.arguments(&call.call.args);
            }
            Stmt::Import(import) => {
                let help = "write `{% from \"_file.j2\" import name %}`";
                self.fault(import.span(), "a template cannot be imported as a whole", help);
            }
            Stmt::AutoEscape(block) => self.unknown(block.span(), "autoescape"),
            Stmt::FilterBlock(block) => self.unknown(block.span(), "filter"),
            Stmt::Block(block) => self.unknown(block.span(), "block"),
            Stmt::Extends(extends) => self.unknown(extends.span(), "extends"),
        }
    }

    fn unknown(&mut self, span: Span, tag: &str) {
        let help = "known are `call`, `do`, `for`, `from`, `if`, `include`, `macro`, `set` and `with`";
        self.fault(span, format!("`{{% {tag} %}}` cannot be used"), help);
    }

    /// What a loop goes over: a list whatever the value is, because a single text would be taken apart
    /// into its characters.
    fn iterated(&mut self, iterated: &Expr<'_>) {
        self.expression(iterated);
        let is_list = match iterated {
            Expr::Filter(filter) => LISTS.contains(&filter.name),
            Expr::List(_) => true,
            _ => false,
        };
        if !is_list {
            let meant = self.meant(iterated.span());
            let help = format!("write `{meant}|list`: a parameter may have one value or a list");
            self.fault(iterated.span(), format!("`{meant}` may not be a list"), help);
        }
    }

    /// Another file of the folder, by its name as it stands.
    fn other(&mut self, name: &Expr<'_>) {
        let constant = match name {
            Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
            _ => None,
        };
        let Some(name_of) = constant else {
            self.fault(name.span(), "the name of a template must be written out", "write `\"_file.j2\"`");
            return;
        };
        self.findings.included.insert(name_of.clone());
        let known: Vec<&str> = self.files.keys().map(String::as_str).filter(|file| file.starts_with('_')).collect();
        if known.contains(&name_of.as_str()) {
            return;
        }
        let (message, help) = match self.files.contains_key(&name_of) {
            true => {
                let help = "what others include has a name that begins with `_`, and renders nothing alone";
                (format!("`{name_of}` renders by itself"), help.to_owned())
            }
            false if known.is_empty() => {
                (format!("there is no template `{}`", excerpt(&name_of)), "the folder has none to include".to_owned())
            }
            false => (format!("there is no template `{}`", excerpt(&name_of)), suggest(&name_of, known.into_iter())),
        };
        self.fault(name.span(), message, help);
    }

    fn definition(&mut self, definition: &Macro<'_>) {
        definition.args.iter().for_each(|argument| self.named(argument));
        definition.defaults.iter().for_each(|default| self.expression(default));
        self.statements(&definition.body);
    }

    /// What is given a name.
    fn named(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(variable) => {
                self.findings.named.insert(variable.id.to_owned());
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.named(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.named(item)),
            other => self.fault(other.span(), "only a name can be set", "write `{% set name = ... %}`"),
        }
    }

    fn expression(&mut self, expression: &Expr<'_>) {
        match expression {
            Expr::Var(variable) => {
                self.findings.read.entry(variable.id.to_owned()).or_insert_with(|| range(variable.span()));
            }
            Expr::Const(_) => {}
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                let ends = [&slice.start, &slice.stop, &slice.step];
                ends.into_iter().flatten().for_each(|end| self.expression(end));
            }
            Expr::UnaryOp(operation) => self.expression(&operation.expr),
            Expr::BinOp(operation) => {
                self.expression(&operation.left);
                self.expression(&operation.right);
                if matches!(operation.op, BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte) {
                    self.compared(&operation.left, &operation.right);
                }
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                let mut left = &compare.expr;
                for operation in &compare.ops {
                    use CompareOpKind::{Gt, Gte, Lt, Lte};
                    self.expression(&operation.expr);
                    if matches!(operation.op, Lt | Lte | Gt | Gte) {
                        self.compared(left, &operation.expr);
                    }
                    left = &operation.expr;
                }
            }
            Expr::IfExpr(condition) => {
                self.expression(&condition.test_expr);
                self.expression(&condition.true_expr);
                condition.false_expr.iter().for_each(|other| self.expression(other));
            }
            Expr::Filter(filter) => {
                filter.expr.iter().for_each(|filtered| self.expression(filtered));
                self.arguments(&filter.args);
                self.known(filter.span(), "filter", filter.name, &FILTERS);
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
                self.known(test.span(), "test", test.name, &TESTS);
            }
            Expr::GetAttr(attribute) => self.expression(&attribute.expr),
            Expr::GetItem(item) => {
                self.expression(&item.expr);
                self.expression(&item.subscript_expr);
            }
            Expr::Call(call) => {
                self.expression(&call.expr);
                self.arguments(&call.args);
            }
            Expr::List(list) => self.constant(expression.span(), &list.items),
            Expr::Tuple(tuple) => self.constant(expression.span(), &tuple.items),
            Expr::Map(map) => {
                self.constant(expression.span(), &map.keys);
                self.constant(expression.span(), &map.values);
            }
        }
    }

    /// Remembers a comparison by order, but of what are numbers for certain.
    fn compared(&mut self, left: &Expr<'_>, right: &Expr<'_>) {
        let is_number = |operand: &Expr<'_>| match operand {
            Expr::Const(constant) => constant.value.is_number(),
            Expr::Filter(filter) => matches!(filter.name, "length" | "prefix_length" | "unit"),
            _ => false,
        };
        if !is_number(left) || !is_number(right) {
            let (left, right) = (extent(left), extent(right));
            let comparison = Comparison { range: left.start..right.end, ends: [left.end, right.end] };
            self.findings.compared.push(comparison);
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    self.fault(value.span(), "arguments cannot be spread", "write each of them");
                }
            }
        }
    }

    fn constant(&mut self, span: Span, items: &[Expr<'_>]) {
        if !items.iter().all(|item| matches!(item, Expr::Const(_))) {
            let help = "make it a parameter of the service, or write what it holds side by side";
            self.fault(span, "a list or a map in a template holds literals only", help);
        }
    }

    fn known(&mut self, span: Span, what: &str, name: &str, known: &[&'static str]) {
        if !known.contains(&name) {
            let help = suggest(name, known.iter().copied());
            self.fault(span, format!("there is no {what} `{}`", excerpt(name)), help);
            if let Some(fault) = self.findings.faults.last_mut() {
                fault.code = Code::UnknownFilter;
            }
        }
    }

    /// What stands at a place of the template.
    fn meant(&self, span: Span) -> String {
        let source = self.files.get(self.file).map_or("", String::as_str);
        excerpt(source.get(range(span)).unwrap_or_default())
    }
}

pub(super) fn range(span: Span) -> Range<usize> {
    let offset = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    offset(span.start_offset)..offset(span.end_offset)
}

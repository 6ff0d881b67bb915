//! Parsed expressions.

use std::fmt;
use std::sync::Arc;

use super::cursor::Cursor;
use super::functions::Function;
use super::mistake::{Mistake, Span};
use super::name::Name;
use super::operators::Operator;
use super::parser;
use super::value::Value;

/// An expression. It is cheap to clone, and prints its own text.
#[derive(Debug, Clone)]
pub struct Expression(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    text: Box<str>,
    root: Node,
    references: Box<[Reference]>,
    handed_on: Box<[Reference]>,
    is_branched: bool,
}

/// A parameter that an expression names, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The parameter.
    pub name: Name,
    /// Where it stands first.
    pub span: Span,
}

/// A part of an expression and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What a part is. INVARIANT (bounded depth): nodes lie at most a constant number of levels within each
/// other for each of the [`parser::MOST_DEPTH`], since operators of one level are one node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Literal(Value),
    Reference(Name),
    List(Vec<Node>),
    Map(Vec<(Arc<str>, Node)>),
    Call(Function, Vec<Node>),
    Negative(Box<Node>),
    Opposite(Box<Node>),
    Not(Box<Node>),
    Range(Box<Node>, Box<Node>),
    /// Operands joined from left to right by operators of one level.
    Chain(Box<Node>, Vec<(Operator, Node)>),
    /// Conditions with what each gives, and what else is given.
    Conditional(Vec<(Node, Node)>, Box<Node>),
}

impl Expression {
    /// The most bytes of an expression's text, and of a substitution's.
    pub const MOST_BYTES: usize = 4_096;

    /// Reads an expression.
    ///
    /// # Errors
    /// The first mistake of its text, with columns from its beginning.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        check_length(text)?;
        Self::read(Cursor::new(text))
    }

    /// Reads what is left of a text, with columns of the whole.
    pub(crate) fn read(mut text: Cursor<'_>) -> Result<Self, Mistake> {
        text.skip_space();
        let own: Box<str> = text.rest.trim_end_matches([' ', '\t', '\n', '\r']).into();
        let root = parser::parse(text)?;
        let (mut references, mut handed_on) = (Vec::new(), Vec::new());
        collect(&root, true, &mut references, &mut handed_on);
        let (references, handed_on, is_branched) = (references.into(), handed_on.into(), is_branched(&root));
        Ok(Self(Arc::new(Parsed { text: own, root, references, handed_on, is_branched })))
    }

    /// The parameters it names, each once, in the order of their first places.
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// The parameters whose values it hands on as they are: itself, a branch, or an element of a list.
    /// Their types must fit that of the parameter that is substituted.
    pub fn handed_on(&self) -> &[Reference] {
        &self.0.handed_on
    }

    /// The parameter that it is, if it is nothing but a name.
    pub fn as_name(&self) -> Option<&Name> {
        match &self.0.root.kind {
            Kind::Reference(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it names no parameter, so that its value depends on nothing.
    pub fn is_closed(&self) -> bool {
        self.0.references.is_empty()
    }

    /// Whether parts of it may not be looked at when it is evaluated: those of `? :`, `||` and `&&`.
    pub(super) fn is_branched(&self) -> bool {
        self.0.is_branched
    }

    /// Where it stands in the text it was read from.
    pub fn span(&self) -> Span {
        self.root().span
    }

    /// Its text without blanks around it.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    pub(crate) fn root(&self) -> &Node {
        &self.0.root
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

/// What is written alike is the same.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Expression {}

/// Refuses a text that is too long.
pub(crate) fn check_length(text: &str) -> Result<(), Mistake> {
    if text.len() > Expression::MOST_BYTES {
        let message = format!("the text has {} bytes, more than {}", text.len(), Expression::MOST_BYTES);
        return Err(Mistake::new(message).with_help("split it over several parameters"));
    }
    Ok(())
}

/// Whether a node, or one within it, looks at parts of it alone.
fn is_branched(node: &Node) -> bool {
    match &node.kind {
        Kind::Literal(_) | Kind::Reference(_) => false,
        Kind::Conditional(..) => true,
        Kind::List(nodes) | Kind::Call(_, nodes) => nodes.iter().any(is_branched),
        Kind::Map(entries) => entries.iter().any(|(_, value)| is_branched(value)),
        Kind::Negative(operand) | Kind::Opposite(operand) | Kind::Not(operand) => is_branched(operand),
        Kind::Range(first, last) => is_branched(first) || is_branched(last),
        Kind::Chain(first, rest) => {
            let is_one = |(operator, operand): &(Operator, Node)| {
                matches!(operator, Operator::Or | Operator::And) || is_branched(operand)
            };
            is_branched(first) || rest.iter().any(is_one)
        }
    }
}

/// Collects the names within a node, and among them those whose values the node hands on.
fn collect(node: &Node, is_handed_on: bool, references: &mut Vec<Reference>, handed_on: &mut Vec<Reference>) {
    let mut inner = |node: &Node, is_handed_on: bool| collect(node, is_handed_on, references, handed_on);
    match &node.kind {
        Kind::Literal(_) => {}
        Kind::Reference(name) => {
            let reference = Reference { name: name.clone(), span: node.span };
            if is_handed_on {
                add(handed_on, reference.clone());
            }
            add(references, reference);
        }
        Kind::List(elements) => elements.iter().for_each(|element| inner(element, is_handed_on)),
        Kind::Map(entries) => entries.iter().for_each(|(_, value)| inner(value, false)),
        Kind::Call(_, arguments) => arguments.iter().for_each(|argument| inner(argument, false)),
        Kind::Negative(operand) | Kind::Opposite(operand) => inner(operand, false),
        Kind::Not(operand) => inner(operand, is_handed_on),
        Kind::Range(first, last) => [first, last].into_iter().for_each(|end| inner(end, is_handed_on)),
        Kind::Chain(first, rest) => {
            inner(first, false);
            rest.iter().for_each(|(_, operand)| inner(operand, false));
        }
        Kind::Conditional(arms, otherwise) => {
            for (condition, then) in arms {
                inner(condition, false);
                inner(then, is_handed_on);
            }
            inner(otherwise, is_handed_on);
        }
    }
}

fn add(references: &mut Vec<Reference>, reference: Reference) {
    // A text of 4 KiB names few enough that going through them is cheap.
    if !references.iter().any(|known| known.name == reference.name) {
        references.push(reference);
    }
}

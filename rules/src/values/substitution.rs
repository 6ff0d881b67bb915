//! Substitutions: `[!]name[:type]*[=expression]`, and `[!]name in expression`, which narrows.

use std::fmt;

use super::cursor::Cursor;
use super::expression::{Expression, check_length};
use super::kind::Type;
use super::lexer::legible;
use super::mistake::Mistake;
use super::name::{Name, is_word_part};
use super::types::Types;

/// What somebody says of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// The parameter.
    pub name: Name,
    /// Whether nobody more specific may say otherwise.
    pub is_fixed: bool,
    /// The types that are said with it.
    pub types: Types,
    /// What is said.
    pub clause: Clause,
}

/// What a substitution says of its parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// That there is such a parameter.
    Declare,
    /// Its value.
    Value(Expression),
    /// What its value must lie within.
    Within(Expression),
}

impl Substitution {
    /// The expression of its value or its constraint.
    pub fn expression(&self) -> Option<&Expression> {
        match &self.clause {
            Clause::Declare => None,
            Clause::Value(expression) | Clause::Within(expression) => Some(expression),
        }
    }
}

impl fmt::Display for Substitution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_fixed { "!" } else { "" }, self.name)?;
        for kind in self.types.iter() {
            write!(f, ":{kind}")?;
        }
        match &self.clause {
            Clause::Declare => f.write_str("="),
            Clause::Value(expression) => write!(f, "={expression}"),
            Clause::Within(expression) => write!(f, " in {expression}"),
        }
    }
}

/// Reads a substitution. Blanks may stand around its parts.
///
/// # Errors
/// The first mistake, with columns of the text.
pub fn parse_substitution(text: &str) -> Result<Substitution, Mistake> {
    check_length(text)?;
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    let is_fixed = cursor.eat("!");
    cursor.skip_space();
    let name = name(&mut cursor)?;
    let types = types(&mut cursor)?;
    let clause = clause(&mut cursor, &name, &types)?;
    Ok(Substitution { name, is_fixed, types, clause })
}

fn name(text: &mut Cursor<'_>) -> Result<Name, Mistake> {
    let start = text.column;
    let word = text.take_while(|c| is_word_part(c) || c.is_alphanumeric());
    if word.is_empty() {
        let mistake = Mistake::new("a substitution begins with the name of a parameter").at(text.here());
        return Err(mistake.with_help("write for example `rate=10m`, `!rate=10m` or `rate in 1..1g`"));
    }
    Name::new(word).map_err(|mistake| mistake.at(text.since(start)))
}

fn types(text: &mut Cursor<'_>) -> Result<Types, Mistake> {
    let mut types: Vec<Type> = Vec::new();
    loop {
        text.skip_space();
        if !text.eat(":") {
            return Ok(Types::new(types));
        }
        text.skip_space();
        let start = text.column;
        let word = text.take_while(is_word_part);
        if word.is_empty() {
            return Err(Mistake::new("a type is missing behind `:`").at(text.here()));
        }
        let kind = Type::named(word).map_err(|mistake| mistake.at(text.since(start)))?;
        if types.contains(&kind) {
            return Err(Mistake::new(format!("the type `{kind}` stands twice")).at(text.since(start)));
        }
        types.push(kind);
    }
}

/// What stands behind name and types, blanks skipped.
fn clause(text: &mut Cursor<'_>, name: &Name, types: &Types) -> Result<Clause, Mistake> {
    let start = text.column;
    if text.eat("=") {
        text.skip_space();
        return if text.rest.is_empty() {
            Ok(Clause::Declare)
        } else {
            Expression::read(text.clone()).map(Clause::Value)
        };
    }
    if text.rest.is_empty() {
        return Ok(Clause::Declare);
    }
    let word = text.clone().take_while(|c| is_word_part(c) || c.is_alphanumeric());
    if word != "in" {
        let found = text.peek().map(legible).unwrap_or_default();
        let mistake = Mistake::new(format!("`{found}` stands where `:`, `=` or `in` is expected")).at(text.here());
        return Err(mistake.with_help(format!("write for example `{name}=10`")));
    }
    text.take(word.len());
    if !types.is_empty() {
        let mistake = Mistake::new("a constraint says no type").at(text.since(start));
        return Err(mistake.with_help(format!("write `{name} in ...`")));
    }
    text.skip_space();
    if text.rest.is_empty() {
        let mistake = Mistake::new(format!("`{name} in` does not say what")).at(text.since(start));
        return Err(mistake.with_help(format!("write for example `{name} in 1..10`")));
    }
    Expression::read(text.clone()).map(Clause::Within)
}

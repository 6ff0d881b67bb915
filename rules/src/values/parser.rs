//! From tokens to an expression. The grammar stands in `docs/values.md`.

use std::sync::Arc;

use super::cursor::Cursor;
use super::expression::{Kind, Node};
use super::functions::Function;
use super::lexer::{Lexeme, Token, tokens};
use super::mistake::{Mistake, Span};
use super::name::Name;
use super::operators::{self, Operator};
use super::value::Value;
use crate::diagnostic::excerpt;

/// How deep parentheses, lists, maps, calls, branches and signs before an operand may lie in each other.
pub(crate) const MOST_DEPTH: usize = 64;

/// Reads all that is left of a text as one expression.
pub(crate) fn parse(text: Cursor<'_>) -> Result<Node, Mistake> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), last: Span::new(1, 1), depth: 0 };
    let root = parser.conditional()?;
    match parser.peek() {
        Token::End => Ok(root),
        _ => Err(parser.expected("an operator or the end")),
    }
}

/// What a sign before an operand makes of it.
type Sign = fn(Box<Node>) -> Kind;

struct Parser<'t> {
    /// INVARIANT (an end): the last one is [`Token::End`] and is never taken.
    tokens: std::iter::Peekable<std::vec::IntoIter<Lexeme<'t>>>,
    /// Where the token stands that was taken last.
    last: Span,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&mut self) -> &Token<'t> {
        self.tokens.peek().map_or(&Token::End, |lexeme| &lexeme.token)
    }

    fn here(&mut self) -> Span {
        self.tokens.peek().map_or(self.last, |lexeme| lexeme.span)
    }

    fn advance(&mut self) -> Token<'t> {
        match self.tokens.next_if(|lexeme| lexeme.token != Token::End) {
            Some(lexeme) => {
                self.last = lexeme.span;
                lexeme.token
            }
            None => Token::End,
        }
    }

    fn eat(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if is_next {
            self.advance();
        }
        is_next
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Mistake> {
        if self.eat(sign) { Ok(()) } else { Err(self.expected(&format!("`{sign}`"))) }
    }

    /// What was expected where something else stands.
    fn expected(&mut self, what: &str) -> Mistake {
        let found = match self.peek() {
            Token::End => return Mistake::new(format!("the text ends where {what} is expected")).at(self.here()),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::Word(word) => (*word).to_owned(),
            Token::Integer(number) => number.to_string(),
            Token::Float(number) => Value::Float(*number).to_string(),
            Token::Text(text) => Value::text(text).shown(),
            Token::Address(address) => address.to_string(),
            Token::Network(network) => network.to_string(),
        };
        Mistake::new(format!("`{}` stands where {what} is expected", excerpt(&found))).at(self.here())
    }

    /// Goes one level deeper.
    fn enter(&mut self) -> Result<(), Mistake> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            let mistake = Mistake::new(format!("the expression is nested deeper than {MOST_DEPTH} levels"));
            return Err(mistake.with_help("split it over several parameters").at(self.last));
        }
        Ok(())
    }

    fn conditional(&mut self) -> Result<Node, Mistake> {
        let mut next = self.chain(operators::LOOSEST)?;
        let start = next.span;
        let mut arms = Vec::new();
        while self.eat("?") {
            self.enter()?;
            let then = self.conditional()?;
            self.depth -= 1;
            self.expect(":")?;
            let otherwise = self.chain(operators::LOOSEST)?;
            arms.push((std::mem::replace(&mut next, otherwise), then));
        }
        if arms.is_empty() {
            return Ok(next);
        }
        let span = start.to(next.span);
        Ok(Node { kind: Kind::Conditional(arms, Box::new(next)), span })
    }

    /// The operator that stands next, if it binds at least so tightly.
    fn operator(&mut self, loosest: u8) -> Option<Operator> {
        let operator = match self.peek() {
            Token::Sign(sign) => Operator::of(sign),
            Token::Word(word) => Operator::of(word),
            _ => None,
        };
        operator.filter(|operator| operator.level() >= loosest)
    }

    /// Operands joined by operators that bind at least as tightly as a level.
    fn chain(&mut self, loosest: u8) -> Result<Node, Mistake> {
        let is_negated = matches!(self.peek(), Token::Word("not"));
        let mut left = self.unary()?;
        let mut is_alone = true;
        while let Some(operator) = self.operator(loosest) {
            let level = operator.level();
            let start = left.span;
            if operator == Operator::To {
                self.advance();
                let last = self.chain(level + 1)?;
                left = if is_negated && is_alone { negated_range(left, last) } else { range(left, last) };
                if self.operator(level) == Some(Operator::To) {
                    let mistake = Mistake::new("`..` stands twice").at(self.here());
                    return Err(mistake.with_help("a range has two ends, as in `80..443`"));
                }
            } else {
                let mut rest = Vec::new();
                while let Some(operator) = self.operator(loosest).filter(|operator| operator.level() == level) {
                    self.advance();
                    rest.push((operator, self.chain(level + 1)?));
                }
                let span = start.to(self.last);
                left = Node { kind: Kind::Chain(Box::new(left), rest), span };
            }
            is_alone = false;
        }
        Ok(left)
    }

    /// An operand with the signs before it.
    fn unary(&mut self) -> Result<Node, Mistake> {
        let mut signs: Vec<(Sign, Span)> = Vec::new();
        loop {
            let kind: Sign = match self.peek() {
                Token::Sign("-") => Kind::Negative,
                Token::Sign("!") => Kind::Opposite,
                Token::Word("not") => Kind::Not,
                _ => break,
            };
            let is_minus = matches!(self.advance(), Token::Sign("-"));
            if is_minus && let Some(literal) = self.negative_literal()? {
                return Ok(self.signed(signs, literal));
            }
            signs.push((kind, self.last));
            self.enter()?;
        }
        let operand = self.operand()?;
        Ok(self.signed(signs, operand))
    }

    fn signed(&mut self, signs: Vec<(Sign, Span)>, operand: Node) -> Node {
        self.depth -= signs.len();
        signs.into_iter().rev().fold(operand, |operand, (kind, at)| {
            let span = at.to(operand.span);
            Node { kind: kind(Box::new(operand)), span }
        })
    }

    /// The number behind a minus as one literal, so that the lowest integer can be written.
    fn negative_literal(&mut self) -> Result<Option<Node>, Mistake> {
        let value = match self.peek() {
            Token::Integer(number) => Value::Integer(-*number),
            Token::Float(number) => Value::Float(-*number),
            _ => return Ok(None),
        };
        let minus = self.last;
        self.advance();
        let span = minus.to(self.last);
        if matches!(value, Value::Integer(number) if number < i128::from(i64::MIN)) {
            let mistake = Mistake::new(format!("`{value}` is too small an integer"));
            return Err(mistake.with_help(format!("the smallest is {}", i64::MIN)).at(span));
        }
        Ok(Some(Node { kind: Kind::Literal(value), span }))
    }

    fn operand(&mut self) -> Result<Node, Mistake> {
        let value = match self.peek() {
            Token::Integer(number) => Value::Integer(*number),
            Token::Float(number) => Value::Float(*number),
            Token::Text(text) => Value::text(text),
            Token::Address(address) => Value::Address(*address),
            Token::Network(network) => Value::Network(*network),
            Token::Word("true") => Value::Boolean(true),
            Token::Word("false") => Value::Boolean(false),
            Token::Word(word) if *word != "in" => {
                let word = *word;
                return self.name_or_call(word);
            }
            Token::Sign("(") => return self.parenthesized(),
            Token::Sign("[") => return self.list(),
            Token::Sign("{") => return self.map(),
            _ => return Err(self.expected("a value")),
        };
        self.advance();
        Ok(Node { kind: Kind::Literal(value), span: self.last })
    }

    fn name_or_call(&mut self, word: &str) -> Result<Node, Mistake> {
        self.advance();
        let start = self.last;
        if !self.eat("(") {
            let name = Name::new(word).map_err(|mistake| mistake.at(start))?;
            return Ok(Node { kind: Kind::Reference(name), span: start });
        }
        let function = Function::named(word).map_err(|mistake| mistake.at(start))?;
        let arguments = self.elements(")")?;
        let span = start.to(self.last);
        function.check_count(arguments.len()).map_err(|mistake| mistake.at(span))?;
        Ok(Node { kind: Kind::Call(function, arguments), span })
    }

    fn parenthesized(&mut self) -> Result<Node, Mistake> {
        self.advance();
        let start = self.last;
        self.enter()?;
        let mut inner = self.conditional()?;
        self.depth -= 1;
        self.expect(")")?;
        // A name is told where it stands itself.
        if !matches!(inner.kind, Kind::Reference(_)) {
            inner.span = start.to(self.last);
        }
        Ok(inner)
    }

    fn list(&mut self) -> Result<Node, Mistake> {
        self.advance();
        let start = self.last;
        let elements = self.elements("]")?;
        Ok(Node { kind: Kind::List(elements), span: start.to(self.last) })
    }

    /// What stands between commas up to a closing sign.
    fn elements(&mut self, closing: &'static str) -> Result<Vec<Node>, Mistake> {
        self.enter()?;
        let mut elements = Vec::new();
        let mut is_open = !self.eat(closing);
        while is_open {
            if elements.len() == Value::MOST_ELEMENTS {
                return Err(too_many_elements().at(self.here()));
            }
            elements.push(self.conditional()?);
            is_open = self.goes_on(closing)?;
        }
        self.depth -= 1;
        Ok(elements)
    }

    /// Takes the comma before another element, or the closing sign.
    fn goes_on(&mut self, closing: &'static str) -> Result<bool, Mistake> {
        if self.eat(",") {
            return Ok(true);
        }
        if self.eat(closing) { Ok(false) } else { Err(self.expected(&format!("`,` or `{closing}`"))) }
    }

    fn map(&mut self) -> Result<Node, Mistake> {
        self.advance();
        let start = self.last;
        self.enter()?;
        let mut entries: Vec<(Arc<str>, Node)> = Vec::new();
        let mut is_open = !self.eat("}");
        while is_open {
            if entries.len() == Value::MOST_ELEMENTS {
                return Err(too_many_elements().at(self.here()));
            }
            let key: Arc<str> = match self.peek() {
                Token::Word(word) => Arc::from(*word),
                Token::Text(text) => Arc::from(text.as_str()),
                _ => return Err(self.expected("a key")),
            };
            self.advance();
            if entries.iter().any(|(known, _)| *known == key) {
                let message = format!("the key `{}` stands twice", excerpt(&key.escape_debug().to_string()));
                return Err(Mistake::new(message).at(self.last));
            }
            self.expect(":")?;
            entries.push((key, self.conditional()?));
            is_open = self.goes_on("}")?;
        }
        self.depth -= 1;
        Ok(Node { kind: Kind::Map(entries), span: start.to(self.last) })
    }
}

/// A list or a map with more elements than are allowed.
pub(crate) fn too_many_elements() -> Mistake {
    let message = format!("a list has at most {} elements", Value::MOST_ELEMENTS);
    Mistake::new(message).with_help("ranges and networks hold many in one element")
}

fn range(first: Node, last: Node) -> Node {
    let span = first.span.to(last.span);
    Node { kind: Kind::Range(Box::new(first), Box::new(last)), span }
}

/// `not 80..443` negates the range: what is negated becomes its first end.
fn negated_range(first: Node, last: Node) -> Node {
    let span = first.span.to(last.span);
    match first.kind {
        // As deep as signs may stand, which is bounded.
        Kind::Not(inner) => Node { kind: Kind::Not(Box::new(negated_range(*inner, last))), span },
        kind => range(Node { kind, span: first.span }, last),
    }
}

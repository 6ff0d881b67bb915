//! The words, signs and literals of an expression.

use std::net::IpAddr;

use super::cursor::Cursor;
use super::mistake::{Mistake, Span};
use super::name::is_word_part;
use super::network::Network;
use super::value::Value;
use crate::diagnostic::excerpt;

/// One word, sign or literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'t> {
    /// At most `u64::MAX`.
    Integer(i128),
    Float(f64),
    Text(String),
    Address(IpAddr),
    Network(Network),
    /// A name, a function, or `true`, `false`, `in`, `not`.
    Word(&'t str),
    Sign(&'static str),
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lexeme<'t> {
    pub(crate) token: Token<'t>,
    pub(crate) span: Span,
}

/// All signs. IMPORTANT: the longer ones first.
const SIGNS: [&str; 24] = [
    "||", "&&", "==", "!=", "<=", ">=", "..", "?", ":", "<", ">", "+", "-", "*", "/", "%", "!", "(", ")", "[", "]",
    "{", "}", ",",
];

/// The longest text of an address: IPv6 with an IPv4 address at its end.
const LONGEST_ADDRESS: usize = 45;

/// All tokens of what is left of a text; the last one is [`Token::End`].
///
/// # Errors
/// The first that cannot be read.
pub(crate) fn tokens<'t>(mut text: Cursor<'t>) -> Result<Vec<Lexeme<'t>>, Mistake> {
    let mut found = Vec::new();
    loop {
        text.skip_space();
        let start = text.column;
        let token = next(&mut text)?;
        let is_last = token == Token::End;
        let span = if is_last { text.here() } else { text.since(start) };
        found.push(Lexeme { token, span });
        if is_last {
            return Ok(found);
        }
    }
}

/// The address or network that a text is from its beginning to its end; none if it is anything else.
pub(crate) fn address_alone(text: &str) -> Option<Value> {
    let mut rest = Cursor::new(text);
    let token = next(&mut rest).ok().filter(|_| rest.rest.is_empty())?;
    match token {
        Token::Address(address) => Some(Value::Address(address)),
        Token::Network(network) => Some(Value::Network(network)),
        _ => None,
    }
}

fn next<'t>(text: &mut Cursor<'t>) -> Result<Token<'t>, Mistake> {
    let Some(first) = text.peek() else { return Ok(Token::End) };
    if let Some((address, length)) = longest_address(text.rest) {
        return address_or_network(text, address, length);
    }
    if first.is_ascii_digit() {
        return number(text);
    }
    if first == '"' {
        return quoted(text).map(Token::Text);
    }
    if first.is_ascii_alphabetic() {
        return Ok(Token::Word(text.take_while(is_word_part)));
    }
    for sign in SIGNS {
        if text.eat(sign) {
            return Ok(Token::Sign(sign));
        }
    }
    let mistake = Mistake::new(format!("`{}` means nothing here", legible(first))).at(text.here());
    Err(match first {
        '&' => mistake.with_help("`&&` joins two conditions"),
        '|' => mistake.with_help("`||` joins two conditions"),
        '=' => mistake.with_help("`==` compares"),
        '\'' => mistake.with_help("a text stands in double quotes"),
        '.' => mistake.with_help("a range is written `80..443`, a number `0.5`"),
        _ => mistake,
    })
}

/// A character from outside for a message.
pub(crate) fn legible(c: char) -> String {
    if matches!(c, '\'' | '"' | '\\') { c.to_string() } else { c.escape_debug().to_string() }
}

/// The address with which a text begins, and its length in bytes: the longest that reads as one.
fn longest_address(text: &str) -> Option<(IpAddr, usize)> {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let run = text.as_bytes().iter().take(LONGEST_ADDRESS).take_while(|byte| is_part(byte));
    let (mut length, mut colons, mut dots) = (0, 0, 0);
    for byte in run {
        length += 1;
        colons += usize::from(*byte == b':');
        dots += usize::from(*byte == b'.');
    }
    if colons < 2 && dots < 3 {
        return None;
    }
    let read = |length: usize| text.get(..length)?.parse().ok().map(|address| (address, length));
    (2..=length).rev().find_map(read)
}

fn address_or_network<'t>(text: &mut Cursor<'t>, address: IpAddr, length: usize) -> Result<Token<'t>, Mistake> {
    let (start, whole) = (text.column, text.rest);
    text.take(length);
    let digits = text.rest.strip_prefix('/').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let Some(digits) = digits else {
        end_of_literal(text, start, whole)?;
        return Ok(Token::Address(address));
    };
    let digits = digits.len() - digits.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    text.take(1);
    let bits = text.take(digits);
    let span = text.since(start);
    if bits.len() > 1 && bits.starts_with('0') {
        let message = format!("the prefix length `{}` begins with a zero", excerpt(bits));
        return Err(Mistake::new(message).with_help("write it without").at(span));
    }
    let network = Network::new(address, bits.parse().unwrap_or(u32::MAX)).map_err(|mistake| mistake.at(span))?;
    end_of_literal(text, start, whole)?;
    Ok(Token::Network(network))
}

/// Refuses a literal that goes on with a letter, a digit, or a point and a digit.
fn end_of_literal(text: &Cursor<'_>, start: usize, whole: &str) -> Result<(), Mistake> {
    let mut behind = text.rest.chars();
    let goes_on = match behind.next() {
        Some('.') => behind.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_alphanumeric() || c == '_',
        None => false,
    };
    if !goes_on {
        return Ok(());
    }
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    let mut cursor = text.clone();
    cursor.take_while(is_part);
    let word = whole.get(..whole.len() - cursor.rest.len()).unwrap_or_default();
    let message = format!("`{}` is no number, address or network", excerpt(word));
    Err(Mistake::new(message).at(cursor.since(start)))
}

fn number<'t>(text: &mut Cursor<'t>) -> Result<Token<'t>, Mistake> {
    let (start, whole) = (text.column, text.rest);
    let token = if text.eat("0x") { hexadecimal(text) } else { decimal(text) };
    end_of_literal(text, start, whole)?;
    let read = whole.len() - text.rest.len();
    token.ok_or_else(|| no_number(whole.get(..read).unwrap_or_default()).at(text.since(start)))
}

/// Why a literal that looks like a number is none.
fn no_number(literal: &str) -> Mistake {
    let shown = excerpt(literal);
    match literal.strip_prefix("0x") {
        Some(digits) if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) => {
            Mistake::new(format!("`{shown}` has no digits")).with_help("write for example `0x1f`")
        }
        None if literal.contains(['.', 'e', 'E']) => {
            let mistake = Mistake::new(format!("`{shown}` is too large a float"));
            mistake.with_help(format!("the largest is {:e}", f64::MAX))
        }
        _ => {
            let mistake = Mistake::new(format!("`{shown}` is too large an integer"));
            mistake.with_help(format!("the largest is {}", u64::MAX))
        }
    }
}

/// A number behind `0x`; none if it has no digits or is too large.
fn hexadecimal<'t>(text: &mut Cursor<'t>) -> Option<Token<'t>> {
    let digits = text.take_while(|c| c.is_ascii_hexdigit());
    let suffix = suffix(text);
    integer(i128::from_str_radix(digits, 16).ok()?, suffix)
}

/// A decimal number; none if it is too large.
fn decimal<'t>(text: &mut Cursor<'t>) -> Option<Token<'t>> {
    let whole = text.rest;
    let is_digit = |c: char| c.is_ascii_digit();
    let begins_with_digit = |rest: Option<&str>| rest.is_some_and(|rest| rest.starts_with(is_digit));
    text.take_while(is_digit);
    let mut is_float = false;
    if begins_with_digit(text.rest.strip_prefix('.')) {
        is_float = true;
        text.take(1);
        text.take_while(is_digit);
    }
    let mantissa = whole.get(..whole.len() - text.rest.len())?;
    let mut exponent = 0i64;
    if let Some(behind) = text.rest.strip_prefix(['e', 'E']) {
        let sign = usize::from(behind.starts_with(['+', '-']));
        if begins_with_digit(behind.get(sign..)) {
            is_float = true;
            text.take(1);
            let is_negative = text.take(sign) == "-";
            // What is beyond any float stays so with a bounded exponent.
            let digits = text.take_while(is_digit).parse::<i64>().unwrap_or(i64::MAX).min(100_000);
            exponent = if is_negative { -digits } else { digits };
        }
    }
    let suffix = suffix(text);
    if !is_float {
        return integer(mantissa.parse().ok()?, suffix);
    }
    // Read as one decimal number, so that `1.001k` is 1001 and not a hair's breadth away from it.
    let float: f64 = format!("{mantissa}e{}", exponent + i64::from(suffix)).parse().ok()?;
    float.is_finite().then_some(Token::Float(float))
}

fn integer<'t>(digits: i128, suffix: u32) -> Option<Token<'t>> {
    let number = digits.checked_mul(10i128.pow(suffix))?;
    (number <= i128::from(u64::MAX)).then_some(Token::Integer(number))
}

/// The power of ten of a suffix.
fn suffix(text: &mut Cursor<'_>) -> u32 {
    let suffixes = [("k", 3), ("m", 6), ("g", 9)];
    suffixes.into_iter().find(|(suffix, _)| text.eat(suffix)).map_or(0, |(_, power)| power)
}

fn quoted(text: &mut Cursor<'_>) -> Result<String, Mistake> {
    let start = text.column;
    text.take(1);
    let mut content = String::new();
    loop {
        content.push_str(text.take_while(|c| !matches!(c, '"' | '\\') && !c.is_control()));
        let at = text.column;
        match text.peek() {
            Some('"') => {
                text.take(1);
                return Ok(content);
            }
            Some('\\') => {
                text.take(1);
                let escaped = text.peek();
                text.take(escaped.map_or(0, char::len_utf8));
                content.push(match escaped {
                    Some(c @ ('"' | '\\')) => c,
                    Some('n') => '\n',
                    Some('t') => '\t',
                    _ => return Err(unknown_escape(escaped).at(text.since(at))),
                });
            }
            Some(control) => {
                let message = format!("the text holds the control character `{}`", control.escape_debug());
                return Err(Mistake::new(message).with_help("write `\\n` or `\\t`, or leave it out").at(text.here()));
            }
            None => {
                let mistake = Mistake::new("the text is not closed").with_help("close it with `\"`");
                return Err(mistake.at(text.since(start)));
            }
        }
    }
}

fn unknown_escape(escaped: Option<char>) -> Mistake {
    let escaped = escaped.map(|c| c.escape_debug().to_string()).unwrap_or_default();
    Mistake::new(format!("`\\{escaped}` is no escape")).with_help("known are `\\\"`, `\\\\`, `\\n`, `\\t`")
}

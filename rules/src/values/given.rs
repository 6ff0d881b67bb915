//! Values that come from programs instead of texts, and the substitutions that give them.

use super::lexer::address_alone;
use super::mistake::Mistake;
use super::name::Name;
use super::substitution::parse_substitution;
use super::value::Value;

impl Value {
    /// What a text of a program is: one that is an address or a network from its beginning to its end is that,
    /// any other a text.
    pub fn given(text: &str) -> Self {
        address_alone(text).unwrap_or_else(|| Self::text(text))
    }
}

/// The substitution that gives a parameter exactly this value, and nothing else to any other.
///
/// # Errors
/// The name is none of a parameter, or the value cannot be written: a text in it has a control character
/// other than a line break and a tab, or the substitution would be too long.
pub fn substitution_text(name: &str, value: &Value) -> Result<String, Mistake> {
    let text = format!("{}={}", Name::new(name)?, value.written());
    // INVARIANT (read back): what is handed on can be read by whoever takes it.
    parse_substitution(&text)?;
    Ok(text)
}

//! Words: runs of letters, digits and `_`, compared without regard to case.

use crate::subject::{Field, Shape, Subject, Value};

/// Longer words cannot be asked for (a filter's text has at most 256 characters, and folding makes
/// at most three of one), so they are passed over.
const LONGEST_WORD_BYTES: usize = 256 * 4 * 3;

/// The words that occur in a subject, as far as anyone asks.
pub(crate) trait WordSet {
    /// Whether `word`, folded, occurs.
    fn has(&self, word: &str) -> bool;
}

/// Calls `found` with each word of `text`, folded to lower case in `buffer`.
pub(crate) fn for_each_word(text: &str, buffer: &mut String, mut found: impl FnMut(&str)) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    for word in text.split(|c| !is_part(c)) {
        if word.is_empty() || word.len() > LONGEST_WORD_BYTES {
            continue;
        }
        buffer.clear();
        if word.is_ascii() {
            buffer.push_str(word);
            buffer.make_ascii_lowercase();
        } else {
            buffer.extend(word.chars().flat_map(char::to_lowercase));
        }
        found(buffer);
    }
}

/// Calls `found` with each text in which words are looked for.
pub(crate) fn for_each_text(subject: &dyn Subject, mut found: impl FnMut(&str)) {
    for (_, field) in Field::of(subject.kind()) {
        if !matches!(field.shape(), Shape::Text | Shape::Texts | Shape::Map) {
            continue;
        }
        match subject.value(*field) {
            Value::Text(text) => found(text),
            Value::Texts(texts) => texts.iter().for_each(|text| found(text)),
            Value::Map(map) => map.values().for_each(|value| for_each_text_within(value, &mut found)),
            Value::Absent | Value::Number(_) | Value::Flag(_) => {}
        }
    }
}

/// Calls `found` with each text in a value; the names in maps are none.
fn for_each_text_within(value: &serde_json::Value, found: &mut dyn FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => found(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| for_each_text_within(item, found)),
        serde_json::Value::Object(map) => map.values().for_each(|value| for_each_text_within(value, found)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// The words of a subject, looked for anew at each question: for a single policy.
pub(crate) struct Scan<'a>(pub(crate) &'a dyn Subject);

impl WordSet for Scan<'_> {
    fn has(&self, word: &str) -> bool {
        let mut buffer = String::new();
        let mut is_found = false;
        for_each_text(self.0, |text| for_each_word(text, &mut buffer, |occurring| is_found |= occurring == word));
        is_found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_digits_and_underscores_in_lower_case() {
        let mut words = Vec::new();
        let text = "FRU_2 offline: Größe-MX240,(ÄÖ) ... x";
        for_each_word(text, &mut String::new(), |word| words.push(word.to_owned()));
        assert_eq!(words, ["fru_2", "offline", "größe", "mx240", "äö", "x"]);
    }
}

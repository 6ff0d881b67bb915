//! What is said of a rendering that is no configuration, or in which a value cannot stand where it is printed: the place in
//! the template that rendered it.

use std::ops::Range;

use minijinja::{OutputSpanKind, Template, Value};

use super::fault::Fault;
use super::{Templates, configuration};
use crate::configuration::{Filling, LARGEST_TEXT, Misplaced, holds_mark, mark, marks};
use crate::diagnostic::Code;

/// One rendering of one template, to say what is wrong with it and where.
pub(super) struct Rendering<'a> {
    pub(super) templates: &'a Templates,
    pub(super) template: &'a Template<'a, 'a>,
    pub(super) values: &'a Value,
    pub(super) text: &'a str,
    pub(super) fillings: &'a [Filling],
}

impl Rendering<'_> {
    /// Refuses a value that was printed into a comment.
    pub(super) fn commented(&self, number: usize) -> Fault {
        let help = "write the comment as one of the template, `{# ... #}`";
        self.fault_of(number, "a value cannot stand in a comment".to_owned(), help).sort(Code::Rendering)
    }

    /// Refuses a statement that no group of a device may hold.
    pub(super) fn nested(&self, word: &'static str) -> Fault {
        let offset = self.text.find(word).unwrap_or_default();
        let message = format!("`{word}` cannot stand in a configuration group");
        let help = "write the statements themselves: what a service renders is a group already";
        self.fault_at(offset, message, Some(help.to_owned()))
    }

    /// Refuses a command that ends like a statement.
    pub(super) fn command(&self, word: &'static str) -> Fault {
        let offset = self.text.find(word).unwrap_or_default();
        let (message, help) = configuration::command_told(word);
        self.fault_at(offset, message, Some(help.to_owned()))
    }

    pub(super) fn no_configuration(&self, fault: configuration::Fault) -> Fault {
        let line = usize::try_from(fault.line).unwrap_or(usize::MAX);
        let before: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let in_line = self.text.get(before..).unwrap_or_default();
        let column = usize::try_from(fault.column).unwrap_or(usize::MAX).saturating_sub(1);
        let offset = before + in_line.chars().take(column).map(char::len_utf8).sum::<usize>();
        let help = fault.help.map(|help| self.revealed(&help));
        self.fault_at(offset, self.revealed(&fault.message), help).sort(Code::Rendering)
    }

    pub(super) fn misplaced(&self, misplaced: &Misplaced) -> Fault {
        match misplaced {
            Misplaced::Several(number) => self.fault_of(
                *number,
                "several words stand where there is one".to_owned(),
                "print `|bare`, or put a space around it",
            ),
            Misplaced::List(number) => self.fault_of(
                *number,
                "a list stands where one word does".to_owned(),
                "write `[ {{ ... }} ]`, or print one element after the other with `{% for %}`",
            ),
            Misplaced::Value(number, error) => self.fault_of(*number, error.to_string(), "give another value"),
            Misplaced::Word(error) => Fault::of_file(self.template.name(), error.to_string(), "give shorter values"),
            Misplaced::Large => Fault::of_file(
                self.template.name(),
                format!("the configuration has more than {} bytes", LARGEST_TEXT),
                "give shorter lists",
            ),
        }
    }

    fn fault_of(&self, number: usize, message: String, help: &str) -> Fault {
        let offset = self.text.find(&mark(number)).unwrap_or_default();
        self.fault_at(offset, message, Some(help.to_owned()))
    }

    /// A fault of what stands at an offset of the rendered text, told as the place in the template that
    /// rendered it.
    fn fault_at(&self, offset: usize, message: String, help: Option<String>) -> Fault {
        let (file, range) = self.place(offset).unwrap_or_else(|| (self.template.name().to_owned(), 0..0));
        Fault::between(&file, self.templates.source(&file), range, message, help)
    }

    /// Renders again to see which part of which template rendered what stands at an offset.
    fn place(&self, offset: usize) -> Option<(String, Range<usize>)> {
        let (_, spans) = self.template.render_with_spans(self.values.clone()).ok()?;
        let span = spans.iter().rfind(|span| span.output_range().start <= offset)?;
        let source = span.source_range();
        let range = match span.kind() {
            // The template's own text stands in the output as it is.
            OutputSpanKind::Raw => {
                let start = (source.start + offset - span.output_range().start).min(source.end);
                start..start
            }
            _ => source,
        };
        Some((span.name().to_owned(), range))
    }

    /// A message with the values in place of their marks.
    fn revealed(&self, message: &str) -> String {
        let mut revealed = message.to_owned();
        for number in marks(message) {
            if let Some(Filling::Words(words) | Filling::List(words)) = self.fillings.get(number) {
                revealed = revealed.replace(&mark(number), &crate::diagnostic::excerpt(&words.join(" ")));
            }
        }
        // Of a message that was cut, half a mark may be left.
        revealed.retain(|c| !holds_mark(c.encode_utf8(&mut [0; 4])));
        revealed
    }
}

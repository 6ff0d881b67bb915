//! What ends configuration before its last brace does: a prompt, the heading of another command, lines of a log.
//!
//! A line of a log may stand within configuration, as a terminal shows both: what goes on behind it is withheld again.

use super::super::lines::{heading_marks, is_of_braces, is_operational, is_stamped, prompt};
use super::super::shape::Shape;
use super::{Cut, State};
use crate::bytes::{at, from, is_blank, part};

/// After how many lines of something else nothing goes on that was interrupted.
const SUSPENDED_MOST: usize = 64;

impl Cut {
    /// Whether a line is a prompt that ends what is withheld: within braces one that was seen before or that has a
    /// command behind it, within quotation marks and comments only the former.
    pub(super) fn is_prompt(&self, line: &[u8], is_within: bool, is_text: bool) -> bool {
        let Some(prompt) = prompt(line) else { return false };
        let is_known = part(line, 0, prompt.end).trim_ascii_start() == self.prompt.as_slice();
        !is_within || is_known || (!is_text && is_operational(from(line, prompt.command).trim_ascii_end()))
    }

    /// Whether a line is the heading of another command, with the marks of the last that was one.
    pub(super) fn is_same_heading(&self, line: &[u8]) -> bool {
        !self.heading.is_empty() && heading_marks(line).is_some_and(|marks| marks == self.heading)
    }

    /// Whether a line of a log stands within braces: not in what is quoted or a comment, which may tell of anything.
    pub(super) fn is_interrupted(&self, line: &[u8], shape: &Shape) -> bool {
        !self.is_xml && !shape.is_json && !shape.is_text() && is_stamped(line)
    }

    /// Lets something else leave until what was withheld goes on, if it does.
    pub(super) fn suspend(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Open);
        self.suspended = Some((state, SUSPENDED_MOST));
        self.begin(State::Open);
    }

    /// Whether a line goes on with what was suspended. After many that do not nothing does.
    pub(super) fn goes_on(&mut self, line: &[u8]) -> bool {
        let Some((state, left)) = self.suspended.take() else { return false };
        let is_loose = matches!(state, State::Block { is_loose: true, .. });
        let is_over = prompt(line).is_some() || heading_marks(line).is_some() || left == 0;
        let is_blank_line = line.trim_ascii().is_empty();
        if !is_over
            && !is_blank_line
            && !is_stamped(line)
            && (is_of_braces(line) || (!is_loose && is_blank(at(line, 0))))
        {
            self.begin(state);
            return true;
        }
        if !is_over {
            self.suspended = Some((state, left - usize::from(!is_blank_line)));
        }
        false
    }
}

//! Whether a thread's lanes have had anything of others lately: work in slices goes on in larger ones while nobody waits
//! for it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use linesman_domain::input::{Content, Input};

/// How long nothing has come before nobody is there.
const LATELY: Duration = Duration::from_secs(1);

/// When others last sent something to the lanes of a thread. Clones are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Quiet(Rc<Cell<Option<Instant>>>);

impl Quiet {
    /// Notes what has come.
    pub(super) fn note(&self, inputs: &[Input<'_>]) {
        if inputs.iter().any(is_of_others) {
            self.0.set(Some(Instant::now()));
        }
    }

    /// Whether nobody has sent anything lately.
    pub(super) fn is_so(&self) -> bool {
        self.0.get().is_none_or(|last| last.elapsed() > LATELY)
    }
}

/// What lanes and connectors send of themselves comes of the work itself.
const fn is_of_others(input: &Input<'_>) -> bool {
    match input.content {
        Content::Bundle(_)
        | Content::ByLevel(_)
        | Content::Intelligence(_)
        | Content::Command(_)
        | Content::Broken
        | Content::Unread
        | Content::Undecodable { .. } => true,
        Content::Report(_)
        | Content::Attempt(_)
        | Content::RuleBook(_)
        | Content::Level(_)
        | Content::Continue { .. }
        | Content::Cursor(_)
        | Content::Provided(_)
        | Content::Absent(_)
        | Content::Expiry(_)
        | Content::Clock(_)
        | Content::Tick => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn input(content: Content<'static>) -> Input<'static> {
        Input { sequence: 1, time: Timestamp::UNIX_EPOCH, sha256: [0; 32], org: "", kind: "", bytes: b"", content }
    }

    #[test]
    fn what_work_sends_itself_is_no_company_and_a_bundle_is_to_all_lanes_of_the_thread() {
        let (quiet, of_another_lane) = (Quiet::default(), Quiet::default());
        let beside = quiet.clone();
        quiet.note(&[input(Content::Continue { is_alone: true }), input(Content::Tick)]);
        assert!(quiet.is_so() && beside.is_so());
        quiet.note(&[input(Content::Tick), input(Content::decode("jmb", b""))]);
        assert!(!quiet.is_so() && !beside.is_so());
        assert!(of_another_lane.is_so());
    }
}

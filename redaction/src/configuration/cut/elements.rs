//! Elements of configuration: where one begins, and what of a text lies in it.

use memchr::{memchr, memchr2, memmem};

use super::super::tags::{TAG_MOST, is_name, is_named_so, is_of_a_model, local, tag_end};
use super::{Cut, State};
use crate::bytes::{at, from, part};

impl Cut {
    /// Goes on in an element; how much of it was withheld.
    pub(super) fn element(&mut self, text: &[u8]) -> usize {
        // What began in a CDATA section ends with it; one that begins in the element is passed over.
        let end = if self.is_in_cdata { self.within(text) } else { text.len() };
        let (text, is_cut) = (part(text, 0, end), end < text.len());
        let State::Element { name, depth, is_in_cdata } = &mut self.state else { return 0 };
        let mut place = 0;
        let mut is_over = is_cut;
        while place < text.len() {
            if *is_in_cdata {
                let Some(end) = memmem::find(from(text, place), b"]]>") else {
                    place = text.len();
                    break;
                };
                place += end + 3;
                *is_in_cdata = false;
                continue;
            }
            let Some(tag) = memchr(b'<', from(text, place)) else {
                place = text.len();
                break;
            };
            place += tag;
            let rest = from(text, place);
            if rest.starts_with(b"<![CDATA[") {
                *is_in_cdata = true;
                place += 9;
            } else if local(from(rest, 2)) == name.as_slice() && at(rest, 1) == b'/' {
                *depth = depth.saturating_sub(1);
                if *depth == 0 {
                    is_over = true;
                    break;
                }
                place += 1;
            } else {
                let is_nested = local(from(rest, 1)) == name.as_slice();
                let closes = || {
                    let end = memchr2(b'<', b'>', from(rest, 1));
                    end.is_some_and(|end| at(rest, end + 1) == b'>' && at(rest, end) == b'/')
                };
                *depth += usize::from(is_nested && !closes());
                place += 1;
            }
        }
        let place = place.min(text.len());
        self.withhold(part(text, 0, place));
        if is_over {
            self.begin(State::Open);
        }
        place
    }

    /// The element of configuration that a text begins with: its name and the length of its tag.
    pub(super) fn opening(&self, text: &[u8]) -> Option<(Vec<u8>, usize)> {
        let name = local(from(text, 1));
        if name.is_empty() {
            return None;
        }
        let is_file = self.is_xml && !self.is_in_cdata && matches!(name, b"attachment" | b"log" | b"file");
        let is_named = name.starts_with(b"configuration") || name == b"config";
        if !is_file && !is_named && !is_of_a_model(text) {
            return None;
        }
        let Some(end) = tag_end(text) else {
            // Its attributes go on behind this piece: they are withheld with it.
            let length = part(text, 1, text.len()).iter().position(|byte| !is_name(*byte) && *byte != b':');
            // Where another begins before it ends, no further than that.
            let tag = part(text, 0, TAG_MOST);
            let next = memmem::find(from(tag, 1), &[b"<", name].concat()).map_or(tag.len(), |next| next + 1);
            let is_one = !is_file || is_named_so(part(tag, 0, next));
            return is_one.then(|| (name.to_vec(), length.map_or(text.len(), |length| length + 1)));
        };
        if at(text, end - 1) == b'/' || (is_file && !is_named_so(part(text, 0, end))) {
            return None;
        }
        Some((name.to_vec(), end + 1))
    }
}

//! Intelligence messages, as the stand-in was told them.

use serde_json::Value;

/// Where a page ends whatever its size, in bytes: the answer is to be read whole.
const PAGE_BYTES: usize = 512 * 1024;

/// The messages, in the order of their last change.
#[derive(Debug, Default)]
pub(super) struct Messages {
    messages: Vec<(usize, Value)>,
    changes: usize,
}

/// Some of them.
pub(super) struct Page {
    pub(super) messages: Vec<Value>,
    /// The change behind which the next page begins.
    pub(super) cursor: usize,
    pub(super) more: bool,
}

impl Messages {
    /// Takes in a message, in place of one of the same id.
    pub(super) fn tell(&mut self, message: &Value) {
        self.changes += 1;
        if let Some(id) = message.get("id") {
            self.messages.retain(|(_, known)| known.get("id") != Some(id));
        }
        self.messages.push((self.changes, message.clone()));
    }

    /// Those that changed behind `cursor`.
    pub(super) fn changed(&self, cursor: usize, size: usize) -> Page {
        let mut page = Page { messages: Vec::new(), cursor, more: false };
        let mut bytes = 0;
        for (change, message) in self.messages.iter().filter(|(change, _)| *change > cursor) {
            bytes += message.to_string().len();
            if page.messages.len() >= size || (bytes > PAGE_BYTES && !page.messages.is_empty()) {
                page.more = true;
                break;
            }
            page.messages.push(message.clone());
            page.cursor = *change;
        }
        page
    }
}

//! The parts of a device, as its chassis inventory names them (`show chassis hardware | display xml`).
//!
//! Read with tolerance: the same in any namespace and within any reply, and of what cannot be read nothing.

use super::decode::checked;
use super::tokens::{Token, Tokens};

/// How many parts of a device are read.
pub const PARTS_MOST: usize = 512;
/// The longest word of one, in bytes; a longer one counts as none.
const WORD_MOST: usize = 128;
/// What stands for a serial number where a part has none of its own.
const BUILT_IN: &str = "BUILTIN";

/// A part with a serial number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InventoryPart {
    /// What it is called there, such as `FPC 0`; may be empty.
    pub name: String,
    /// Its part number; may be empty.
    pub part_number: String,
    /// Its serial number.
    pub serial_number: String,
}

/// The parts that the chassis inventory in a document has, in its order, at most [`PARTS_MOST`]; none where it has no such
/// inventory, or is no XML.
pub fn inventory(document: &str) -> Option<Vec<InventoryPart>> {
    let document = document.trim_start();
    checked(document.as_bytes()).ok()?;
    let mut tokens = Tokens::new(document);
    let mut reading = Reading::default();
    loop {
        match tokens.next().ok()? {
            Token::Open { name, .. } => reading.open(name),
            Token::Close { .. } => reading.close(),
            Token::Text(piece) | Token::Cdata(piece) => reading.text(piece),
            Token::Char(char) => reading.text(char.encode_utf8(&mut [0; 4])),
            Token::Forbidden { .. } => return None,
            Token::End => return reading.is_there.then_some(reading.parts),
        }
    }
}

/// Where the reading is.
#[derive(Default)]
struct Reading {
    is_there: bool,
    open: Vec<Node>,
    /// The parts that are open, the innermost last, by their places.
    around: Vec<usize>,
    word: String,
    parts: Vec<InventoryPart>,
}

/// An open element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Part,
    Name,
    PartNumber,
    SerialNumber,
    Other,
}

impl Reading {
    fn open(&mut self, name: &str) {
        let is_in_part = self.open.last() == Some(&Node::Part);
        let node = match name {
            "chassis-inventory" => {
                self.is_there = true;
                Node::Other
            }
            _ if !self.is_there => Node::Other,
            "name" if is_in_part => Node::Name,
            "part-number" if is_in_part => Node::PartNumber,
            "serial-number" if is_in_part => Node::SerialNumber,
            name if name == "chassis" || name.ends_with("-module") => {
                self.around.push(self.parts.len());
                self.parts.push(InventoryPart::default());
                Node::Part
            }
            _ => Node::Other,
        };
        self.word.clear();
        self.open.push(node);
    }

    fn text(&mut self, piece: &str) {
        if matches!(self.open.last(), Some(Node::Name | Node::PartNumber | Node::SerialNumber)) {
            // One byte beyond is enough to know that it is too long.
            let room = (WORD_MOST + 1).saturating_sub(self.word.len());
            self.word.extend(piece.chars().take(room));
        }
    }

    fn close(&mut self) {
        let node = self.open.pop().unwrap_or(Node::Other);
        if node == Node::Part {
            return self.end_part();
        }
        let word = self.word.trim();
        let word = if word.len() > WORD_MOST { String::new() } else { word.to_owned() };
        let Some(part) = self.around.last().and_then(|at| self.parts.get_mut(*at)) else { return };
        match node {
            Node::Name => part.name = word,
            Node::PartNumber => part.part_number = word,
            Node::SerialNumber => part.serial_number = word,
            Node::Part | Node::Other => {}
        }
    }

    /// A part without a serial number is none that anybody could name. INVARIANT (in their order): those within it came behind it.
    fn end_part(&mut self) {
        let Some(at) = self.around.pop() else { return };
        let is_named = |part: &InventoryPart| !part.serial_number.is_empty() && part.serial_number != BUILT_IN;
        if !self.parts.get(at).is_some_and(is_named) {
            self.parts.remove(at);
        }
        if self.around.is_empty() {
            self.parts.truncate(PARTS_MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(document: &str) -> Vec<String> {
        let parts = inventory(document).unwrap();
        parts.iter().map(|part| format!("{} {} {}", part.serial_number, part.part_number, part.name)).collect()
    }

    #[test]
    fn parts_are_found_at_every_depth_and_those_without_a_number_of_their_own_are_none() {
        let document = r#"<?xml version="1.0"?>
            <rpc-reply xmlns:j="u"><j:chassis-inventory xmlns="v"><chassis j:style="inventory">
              <name>Chassis</name><serial-number>JN1</serial-number>
              <chassis-module><name>FPC 0</name><part-number>750-1</part-number><serial-number> CA1 </serial-number>
                <chassis-sub-module><name>MIC 0</name><part-number>BUILTIN</part-number><serial-number>BUILTIN</serial-number>
                  <chassis-sub-sub-module><name>Xcvr &amp; 0</name><serial-number>X<![CDATA[1]]></serial-number>
                    <other><serial-number>NO</serial-number></other></chassis-sub-sub-module>
                </chassis-sub-module></chassis-module>
              <chassis-module><name>Fan</name></chassis-module>
              <chassis-re-disk-module><name>disk</name><serial-number>D1</serial-number></chassis-re-disk-module>
            </chassis></j:chassis-inventory></rpc-reply>"#;
        assert_eq!(told(document), ["JN1  Chassis", "CA1 750-1 FPC 0", "X1  Xcvr & 0", "D1  disk"]);
    }

    #[test]
    fn what_is_no_inventory_tells_of_none() {
        for document in ["", "text", "<a/>", "<chassis-inventory>", "<chassis-inventory><chassis></chassis-inventory>"]
        {
            assert_eq!(inventory(document), None, "{document}");
        }
        assert_eq!(inventory("<chassis-inventory/>"), Some(Vec::new()));
        let module = "<chassis-module><serial-number>A</serial-number></chassis-module>";
        assert_eq!(inventory(module), None);
    }

    #[test]
    fn parts_and_their_words_are_bounded() {
        let module =
            |number: usize| format!("<chassis-module><serial-number>S{number}</serial-number></chassis-module>");
        let many: String = (0..PARTS_MOST + 9).map(module).collect();
        let found = told(&format!("<chassis-inventory><chassis>{many}</chassis></chassis-inventory>"));
        assert_eq!((found.len(), found[0].as_str()), (PARTS_MOST, "S0  "));
        let long = format!(
            "<chassis-inventory><chassis><name>{}</name><serial-number>{}</serial-number></chassis></chassis-inventory>",
            "n".repeat(WORD_MOST),
            "s".repeat(WORD_MOST + 1),
        );
        assert_eq!(told(&long), Vec::<String>::new());
    }
}

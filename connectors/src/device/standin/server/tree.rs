//! A message as a tree, once it came to its end.

use crate::device::netconf::scan::{ScanError, Scanner, Token, attribute, local};

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name, without prefix.
    pub(super) name: String,
    tag: Vec<u8>,
    pub(super) children: Vec<Element>,
    /// All text right in it, without the white space around.
    pub(super) text: String,
}

impl Element {
    /// The outermost element of a document.
    pub(super) fn parse(document: &[u8]) -> Result<Self, String> {
        let mut scanner = Scanner::default();
        let mut open = vec![Vec::new()];
        let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
        let mut tags: Vec<Vec<u8>> = Vec::new();
        scanner
            .read(document, &mut |_: &Scanner, token| -> Result<(), ScanError> {
                match token {
                    Token::Open(tag) => {
                        tags.push(tag.to_vec());
                        open.push(Vec::new());
                        texts.push(Vec::new());
                    }
                    Token::Text(text) => {
                        texts.iter_mut().last().map(|texts| texts.extend_from_slice(text)).unwrap_or(())
                    }
                    Token::Close => {
                        let (tag, children) = (tags.pop().unwrap_or_default(), open.pop().unwrap_or_default());
                        let text = String::from_utf8_lossy(&texts.pop().unwrap_or_default()).trim().to_owned();
                        let name = String::from_utf8_lossy(local(&tag)).into_owned();
                        if let Some(above) = open.last_mut() {
                            above.push(Self { name, tag, children, text });
                        }
                    }
                }
                Ok(())
            })
            .map_err(|error| error.to_string())?;
        match (scanner.is_at_rest(), open.pop().and_then(|mut roots| roots.pop())) {
            (true, Some(root)) => Ok(root),
            _ => Err("the document is not whole".to_owned()),
        }
    }

    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        attribute(&self.tag, name)
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.child(name).is_some()
    }
}

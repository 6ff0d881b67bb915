//! Checkpoints: how far a log has grown, in the text of C2SP's tlog-checkpoint, and signed as its signed-note has it.
//!
//! ```text
//! linesman/<log id>/acme
//! 42
//! <base64 of the root>
//! bodies-from 7
//!
//! — linesman/<log id>/acme <base64 of the key's hash and the signature>
//! ```
//!
//! The fourth line is an extension, as the specification allows: the records before that one have their hash alone, for
//! their time is over. Notes of before it have none, and stay what they were.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use linesman_domain::audit::Hash;

use super::key::{Signer, VerifierKey};

/// What a signature's line begins with.
const SIGNATURE: &str = "\u{2014} ";
/// What the line begins with that says from which record on bodies are there.
const BODIES: &str = "bodies-from ";

/// How far a log has grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many records it has.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// The first record that had its body when this was signed; the size where none had. None: it does not say.
    pub bodies: Option<u64>,
}

/// Why a text is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no checkpoint.
    #[error("it is no checkpoint: three lines or more, a blank one, and its signature")]
    Malformed,
    /// Nobody has signed it with the key.
    #[error("it is not signed with the key")]
    Unsigned,
    /// Somebody else has, or it was changed.
    #[error("its signature is not one of its text")]
    Forged,
}

/// The name of a log among those of all engines: `id` is that of the stream IN, `owner` whose log it is.
pub fn origin(id: &str, owner: &str) -> String {
    // A name has no blanks and no `+`, which the time of a stream's making could have.
    let id = id.replace(|letter: char| letter.is_whitespace() || letter == '+', "_");
    format!("linesman/{id}/{owner}")
}

impl Checkpoint {
    /// The text that is signed.
    fn text(&self) -> String {
        let bodies = self.bodies.map(|first| format!("{BODIES}{first}\n")).unwrap_or_default();
        format!("{}\n{}\n{}\n{bodies}", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Whether both are of the same log, as it was when it had so many records.
    pub(super) fn is_same_tree(&self, other: &Self) -> bool {
        (&self.origin, self.size, self.root) == (&other.origin, other.size, other.root)
    }

    /// The signed note.
    pub fn sign(&self, signer: &Signer) -> String {
        signed(&self.text(), &self.origin, signer)
    }

    /// Reads a signed note; its signatures only where there is a `key`.
    ///
    /// # Errors
    /// It is none, or not signed with the key under the name of its log.
    pub fn read(note: &str, key: Option<&VerifierKey>) -> Result<Self, CheckpointError> {
        let end = note.rfind("\n\n").ok_or(CheckpointError::Malformed)?;
        let (text, signatures) = note.split_at_checked(end + 1).ok_or(CheckpointError::Malformed)?;
        let read = Self::read_text(text).ok_or(CheckpointError::Malformed)?;
        let signatures = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        let mut is_signed = key.is_none();
        for line in signatures.ok_or(CheckpointError::Malformed)?.split('\n') {
            let (name, bytes) = read_signature(line).ok_or(CheckpointError::Malformed)?;
            let Some(key) = key.filter(|_| name == read.origin) else { continue };
            // Others may have signed too, under names and keys of their own.
            let Some(signature) = bytes.strip_prefix(&key.id(name)) else { continue };
            if !key.has_signed(text, signature) {
                return Err(CheckpointError::Forged);
            }
            is_signed = true;
        }
        if is_signed { Ok(read) } else { Err(CheckpointError::Unsigned) }
    }

    /// Reads the text; lines behind the three that are none of ours are for others.
    fn read_text(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let (size, root) = (number(size)?, Hash(STANDARD.decode(root).ok()?.try_into().ok()?));
        let mut bodies = None;
        for line in lines {
            match line.strip_prefix(BODIES) {
                Some(first) if bodies.is_none() => bodies = Some(number(first).filter(|first| *first <= size)?),
                // It says two things, or nothing.
                Some(_) => return None,
                None if line.is_empty() => return None,
                None => {}
            }
        }
        (!origin.is_empty()).then(|| Self { origin: origin.to_owned(), size, root, bodies })
    }
}

/// A number, which has one spelling.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// The notes of a text that has several, one behind the other, with blank lines between or without. What is none is left as
/// it is.
pub fn notes(text: &str) -> Vec<String> {
    let (mut notes, mut is_over) = (Vec::<String>::new(), true);
    for line in text.lines() {
        let is_signature = line.starts_with(SIGNATURE);
        match notes.last_mut().filter(|_| !is_over || is_signature) {
            Some(note) => {
                // Its text has no blank line, and its signatures stand behind the one there is.
                is_over = is_signature && note.contains("\n\n");
                note.push_str(line);
                note.push('\n');
            }
            None if line.is_empty() => {}
            None => {
                is_over = false;
                notes.push(format!("{line}\n"));
            }
        }
    }
    notes
}

/// A text that ends with its line, as a note signed under a name.
pub(crate) fn signed(text: &str, name: &str, signer: &Signer) -> String {
    let mut signature = signer.public(name).id(name).to_vec();
    signature.extend_from_slice(&signer.sign(text));
    format!("{text}\n{SIGNATURE}{name} {}\n", STANDARD.encode(signature))
}

/// Under which name a line of a note signs, and what stands behind it: the key's hash of 4 bytes, and the signature.
pub(crate) fn read_signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    (!name.is_empty() && bytes.len() > 4).then_some((name, bytes))
}

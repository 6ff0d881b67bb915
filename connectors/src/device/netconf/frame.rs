//! Framing of NETCONF over SSH (RFC 6242): where a message ends, without a copy of what is in it.

use memchr::memmem;

/// What ends a message of base 1.0, and the greetings of both (RFC 6242 section 4.3).
pub(in crate::device) const END: &[u8; 6] = b"]]>]]>";
/// What ends a message of base 1.1 (RFC 6242 section 4.2).
pub(in crate::device) const END_OF_CHUNKS: &[u8; 4] = b"\n##\n";

/// How much of so many bytes of [`END`] is its beginning all the same, once they turn out not to be the end.
const BORDERS: [usize; 6] = [0, 0, 1, 0, 1, 2];

/// How messages are delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By what follows each: base 1.0.
    Delimited,
    /// In chunks that say how long they are: base 1.1.
    Chunked,
}

/// What a decoder found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// More of the message.
    Data(&'a [u8]),
    /// The message is over.
    End,
}

/// What came is not framed as was agreed upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the framing is broken: {0}")]
pub struct FrameError(&'static str);

/// Finds messages in what comes, however it is split.
#[derive(Debug, Clone)]
pub struct Decoder {
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// So many bytes of [`END`] came last, and are held back.
    Delimited {
        held: usize,
    },
    /// A chunk, or the end, begins: `\n`, then `#`; whether there was a chunk before.
    Newline {
        has_chunks: bool,
    },
    Hash {
        has_chunks: bool,
    },
    /// The first character behind `#`.
    First {
        has_chunks: bool,
    },
    /// The size as far as it came.
    Size(u64),
    /// So many bytes of the chunk are to come.
    Chunk(u64),
    /// Behind `##`.
    LastNewline,
}

impl Decoder {
    /// A decoder at the beginning of a message.
    pub const fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Delimited => State::Delimited { held: 0 },
            Framing::Chunked => State::Newline { has_chunks: false },
        };
        Self { state }
    }

    /// Takes what it can off `input`: the next piece, none when all is taken.
    ///
    /// # Errors
    /// The input is not framed so; the decoder is of no use any more.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        match self.state {
            State::Delimited { held } => Ok(self.delimited(held, input)),
            _ => self.chunked(input),
        }
    }

    fn chunked<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        loop {
            if let State::Chunk(left) = self.state {
                let len = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                let (data, rest) = input.split_at(len);
                *input = rest;
                let left = left - len as u64;
                self.state = if left == 0 { State::Newline { has_chunks: true } } else { State::Chunk(left) };
                return Ok((len > 0).then_some(Piece::Data(data)));
            }
            let Some((byte, rest)) = input.split_first() else { return Ok(None) };
            *input = rest;
            self.state = match (self.state, byte) {
                (State::Newline { has_chunks }, b'\n') => State::Hash { has_chunks },
                (State::Hash { has_chunks }, b'#') => State::First { has_chunks },
                (State::First { .. }, digit @ b'1'..=b'9') => State::Size(u64::from(digit - b'0')),
                (State::First { has_chunks: true }, b'#') => State::LastNewline,
                (State::First { has_chunks: false }, b'#') => return Err(FrameError("a message without a chunk")),
                (State::First { .. }, _) => return Err(FrameError("a chunk without its size")),
                (State::Size(size), digit @ b'0'..=b'9') => {
                    let size = size * 10 + u64::from(digit - b'0');
                    if size > u64::from(u32::MAX) {
                        return Err(FrameError("a chunk longer than 4294967295 bytes"));
                    }
                    State::Size(size)
                }
                (State::Size(size), b'\n') => State::Chunk(size),
                (State::Size(_), _) => return Err(FrameError("the size of a chunk is no number")),
                (State::LastNewline, b'\n') => {
                    self.state = State::Newline { has_chunks: false };
                    return Ok(Some(Piece::End));
                }
                _ => return Err(FrameError("a chunk does not begin where it should")),
            };
        }
    }

    fn delimited<'a>(&mut self, mut held: usize, input: &mut &'a [u8]) -> Option<Piece<'a>> {
        // What the last input ended with: it is the end, or its beginning, or was not.
        while held > 0 {
            let (byte, rest) = input.split_first()?;
            if END.get(held) == Some(byte) {
                *input = rest;
                held = (held + 1) % END.len();
                self.state = State::Delimited { held };
                if held == 0 {
                    return Some(Piece::End);
                }
                continue;
            }
            let left = BORDERS.get(held).copied().unwrap_or(0);
            self.state = State::Delimited { held: left };
            return Some(Piece::Data(END.get(..held - left)?));
        }
        if let Some(rest) = input.strip_prefix(END) {
            *input = rest;
            return Some(Piece::End);
        }
        let found = memmem::find(input, END);
        let held = match found {
            Some(_) => 0,
            None => (1..END.len())
                .rev()
                .find(|held| END.get(..*held).is_some_and(|head| input.ends_with(head)))
                .unwrap_or(0),
        };
        let (data, rest) = input.split_at(found.unwrap_or(input.len() - held));
        *input = if found.is_some() { rest } else { &[] };
        self.state = State::Delimited { held };
        (!data.is_empty()).then_some(Piece::Data(data))
    }
}

/// Ends what is sent: what stands before and behind a piece of a message.
#[derive(Debug, Clone, Copy)]
pub(in crate::device) struct Encoder(pub(in crate::device) Framing);

impl Encoder {
    /// A piece as it travels; nothing of none.
    pub(in crate::device) fn piece(self, bytes: &[u8], out: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if self.0 == Framing::Chunked {
            out.extend_from_slice(format!("\n#{}\n", bytes.len()).as_bytes());
        }
        out.extend_from_slice(bytes);
    }

    pub(in crate::device) const fn end(self) -> &'static [u8] {
        match self.0 {
            Framing::Delimited => END,
            Framing::Chunked => END_OF_CHUNKS,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(framing: Framing, messages: &[Vec<u8>], chunk: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            for piece in message.chunks(chunk) {
                Encoder(framing).piece(piece, &mut bytes);
            }
            bytes.extend_from_slice(Encoder(framing).end());
        }
        bytes
    }

    /// What a decoder finds in inputs, and what it says at last.
    fn found(framing: Framing, inputs: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>, Result<(), FrameError>) {
        let mut decoder = Decoder::new(framing);
        let (mut messages, mut message) = (Vec::new(), Vec::new());
        for input in inputs {
            let mut left = *input;
            loop {
                match decoder.next(&mut left) {
                    Ok(Some(Piece::Data(data))) => {
                        assert!(!data.is_empty());
                        message.extend_from_slice(data);
                    }
                    Ok(Some(Piece::End)) => messages.push(std::mem::take(&mut message)),
                    Ok(None) => break assert!(left.is_empty()),
                    Err(error) => return (messages, message, Err(error)),
                }
            }
        }
        (messages, message, Ok(()))
    }

    /// Splits at places that may repeat and lie beyond the end.
    fn split<'a>(bytes: &'a [u8], at: &[usize]) -> Vec<&'a [u8]> {
        let mut at: Vec<usize> = at.iter().map(|at| at % (bytes.len() + 1)).chain([0, bytes.len()]).collect();
        at.sort_unstable();
        at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
    }

    /// Bytes that are mostly of what delimits.
    fn tricky() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(b']'), Just(b'>'), Just(b'#'), Just(b'\n'), any::<u8>()], 1..200)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn chunks_are_found_however_they_are_cut_and_split(
            messages in proptest::collection::vec(tricky(), 0..4), chunk in 1..64_usize,
            at in proptest::collection::vec(any::<usize>(), 0..40),
        ) {
            let bytes = framed(Framing::Chunked, &messages, chunk);
            prop_assert_eq!(found(Framing::Chunked, &split(&bytes, &at)), (messages, vec![], Ok(())));
        }

        #[test]
        fn delimited_messages_are_found_however_they_are_split(
            messages in proptest::collection::vec(tricky(), 0..4), at in proptest::collection::vec(any::<usize>(), 0..40),
        ) {
            // What has the end in it, or runs into it, is another message: that is what base 1.0 suffers from.
            prop_assume!(messages.iter().all(|message| memmem::find(&[message, &END[..5]].concat(), END).is_none()));
            let bytes = framed(Framing::Delimited, &messages, usize::MAX);
            prop_assert_eq!(found(Framing::Delimited, &split(&bytes, &at)), (messages, vec![], Ok(())));
        }

        #[test]
        fn whatever_comes_a_split_changes_nothing(
            bytes in tricky(), at in proptest::collection::vec(any::<usize>(), 0..40), is_chunked in any::<bool>(),
        ) {
            let framing = if is_chunked { Framing::Chunked } else { Framing::Delimited };
            let whole = found(framing, &[&bytes]);
            let parts = found(framing, &split(&bytes, &at));
            prop_assert_eq!(whole, parts);
        }
    }

    #[test]
    fn broken_chunks_are_refused_with_what_is_wrong() {
        for (bytes, expected) in [
            ("x", "a chunk does not begin where it should"),
            ("\nx", "a chunk does not begin where it should"),
            ("\n##\n", "a message without a chunk"),
            ("\n#0\n", "a chunk without its size"),
            ("\n#01\n", "a chunk without its size"),
            ("\n#-1\n", "a chunk without its size"),
            ("\n#1x\n", "the size of a chunk is no number"),
            ("\n#4294967296\n", "a chunk longer than 4294967295 bytes"),
            ("\n#1\nab", "a chunk does not begin where it should"),
            ("\n#1\na\n##x", "a chunk does not begin where it should"),
        ] {
            let (messages, _, fault) = found(Framing::Chunked, &[bytes.as_bytes()]);
            assert_eq!(fault, Err(FrameError(expected)), "{bytes:?}");
            assert!(messages.is_empty());
        }
    }
}

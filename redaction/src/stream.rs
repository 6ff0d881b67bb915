//! Text of any length through a window of fixed size, secrets and addresses taken out.
//!
//! The window is filled before it is looked at, and cut where no address and no word can go on: what comes out does
//! not depend on the pieces that the text comes in.

use std::io::{self, Read, Write};

use memchr::memrchr;

use crate::bytes::{at, before, part};
use crate::overwrite::Overwriter;
use crate::report::Report;
use crate::secrets::{self, Kind};

/// How many bytes are looked at together, besides those behind them that secrets reach to.
const WINDOW: usize = 256 * 1024;
/// How far back a cut is looked for where there is no line end and no blank.
const CUT_BACK: usize = 1024;

/// How many bytes of a document say what it is.
const HEAD: usize = 4096;

/// What is done to the text of a document that leaves.
pub(crate) struct Filter {
    /// None where addresses may leave.
    pub(crate) overwriter: Option<Overwriter>,
    /// Whether secrets are looked for: not where pseudonyms are undone.
    pub(crate) has_secrets: bool,
}

impl Filter {
    /// Writes the text from `start` to `end`, or to the end of a secret that begins before `end`; up to where.
    fn write(
        &mut self,
        kind: Kind,
        text: &[u8],
        (start, end): (usize, usize),
        out: &mut Vec<u8>,
        report: &mut Report,
    ) -> usize {
        let mut written = start;
        if self.has_secrets {
            for secret in secrets::find(kind, text, start, end) {
                self.gap(part(text, written, secret.range.start), out, report);
                let mark: &[u8] = if secret.is_bare { b"\"" } else { b"" };
                out.extend([mark, secrets::WITHHELD.as_bytes(), mark].concat());
                report.secrets += 1;
                written = secret.range.end;
            }
        }
        self.gap(part(text, written, end), out, report);
        written.max(end)
    }

    fn gap(&mut self, text: &[u8], out: &mut Vec<u8>, report: &mut Report) {
        match &mut self.overwriter {
            Some(overwriter) => overwriter.write(text, out, report),
            None => out.extend_from_slice(text),
        }
    }

    /// A text that is in memory.
    pub(crate) fn whole(&mut self, text: &[u8], report: &mut Report) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        self.write(Kind::of(text), text, (0, text.len()), &mut out, report);
        out
    }

    /// A text from a stream to another.
    pub(crate) fn stream(
        &mut self,
        input: &mut dyn Read,
        output: &mut dyn Write,
        report: &mut Report,
    ) -> io::Result<()> {
        self.windows(input, output, report, WINDOW)
    }

    fn windows(
        &mut self,
        input: &mut dyn Read,
        output: &mut dyn Write,
        report: &mut Report,
        window: usize,
    ) -> io::Result<()> {
        let whole = secrets::BACK + window + secrets::REACH;
        let mut buffer = Vec::new();
        let mut out = Vec::new();
        let (mut start, mut kind) = (0, None);
        loop {
            let room = whole.saturating_sub(buffer.len()) as u64;
            let read = Read::take(&mut *input, room).read_to_end(&mut buffer)?;
            let is_last = (read as u64) < room;
            let end = if is_last { buffer.len() } else { cut(&buffer, start, buffer.len() - secrets::REACH) };
            out.clear();
            let kind = *kind.get_or_insert_with(|| Kind::of(part(&buffer, 0, HEAD)));
            start = self.write(kind, &buffer, (start, end), &mut out, report);
            output.write_all(&out)?;
            if is_last {
                return Ok(());
            }
            let passed = start.saturating_sub(secrets::BACK);
            buffer.drain(..passed);
            start -= passed;
        }
    }
}

/// Where the text from `start` to `most` may be cut: behind its last line end, else its last blank, else where no
/// number, name or address goes on. It always goes on by something.
fn cut(text: &[u8], start: usize, most: usize) -> usize {
    let looked_at = part(text, start, most);
    // Behind such a separator an address may go on with the next line.
    let is_wrapped = |place: usize| {
        let line = part(looked_at, 0, place);
        matches!(before(looked_at, place), b'.' | b':') || line.ends_with(b".\r") || line.ends_with(b":\r")
    };
    let line = memchr::memrchr_iter(b'\n', looked_at).find(|&place| !is_wrapped(place));
    if let Some(place) = line.or_else(|| memrchr(b' ', looked_at)) {
        return start + place + 1;
    }
    let separates = |byte: u8| !byte.is_ascii_alphanumeric() && !b".:-_%$/+=&;#\\".contains(&byte);
    let lowest = most.saturating_sub(CUT_BACK).max(start + 1);
    (lowest..=most).rev().find(|&place| separates(before(text, place)) || separates(at(text, place))).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overwrite::Overwriting;

    /// A reader that hands over a few bytes at a time.
    struct Few<'a>(&'a [u8], usize);

    impl Read for Few<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(room.len());
            room[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn filter() -> Filter {
        Filter { overwriter: Some(Overwriter::new(&Overwriting::Fixed, true)), has_secrets: true }
    }

    fn sample() -> Vec<u8> {
        let mut text = Vec::new();
        for line in 0..4000_u32 {
            let spelled = format!(
                "line {line} 10.{}.{}.7 [2001:db8::{line:x}]:443 secret \"s3cr3t{line}\";\n<secret>\nabc{line}\n</secret>\n",
                line % 256,
                line / 256,
            );
            text.extend_from_slice(spelled.as_bytes());
        }
        text
    }

    #[test]
    fn pieces_and_windows_make_no_difference() {
        let text = sample();
        let expected = filter().whole(&text, &mut Report::default());
        for (window, piece) in [(64, 1000), (997, 13), (4096, 4096), (WINDOW, 1), (WINDOW, 65_537)] {
            let mut out = Vec::new();
            let mut report = Report::default();
            filter().windows(&mut Few(&text, piece), &mut out, &mut report, window).unwrap();
            assert!(out == expected, "window {window}, pieces of {piece}");
            assert_eq!((report.addresses, report.secrets), (8000, 8000));
        }
        assert!(!String::from_utf8(expected).unwrap().contains("s3cr3t"));
    }

    #[test]
    fn text_without_lines_and_blanks_is_cut_between_addresses() {
        let text = "10.1.2.3,2001:db8::5,\"secret\":\"hidden\",".repeat(3000);
        let expected = filter().whole(text.as_bytes(), &mut Report::default());
        let mut out = Vec::new();
        filter().windows(&mut text.as_bytes(), &mut out, &mut Report::default(), 500).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), String::from_utf8(expected).unwrap());
    }
}

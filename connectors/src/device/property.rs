//! What holds of any bytes that a device sends: of a great many damaged messages and packets here, and of whatever coverage
//! leads to in `connectors/fuzz`.

pub use super::files::property::packets;
pub use super::netconf::property::{framing, reply};

/// Pieces of `bytes`, cut as `how` says: each byte by itself, or now here and now there.
pub(in crate::device) fn split(mut bytes: &[u8], how: u8) -> impl Iterator<Item = &[u8]> {
    let mut numbers = Numbers(how.into());
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let length = if how == 0 { 1 } else { 1 + numbers.below(usize::from(how)) };
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        bytes = rest;
        Some(piece)
    })
}

/// A small generator of numbers that are good enough for damage (splitmix64).
struct Numbers(u64);

impl Numbers {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or_default() % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 20_261_127;
    /// Of each kind; `LINESMAN_RUNS` another number, `LINESMAN_SEED` others.
    const RUNS: u64 = 30_000;

    /// What framing, XML and SFTP stumble over.
    const PIECES: [&[u8]; 38] = [
        b"\n#",
        b"\n#1\n",
        b"\n#0\n",
        b"\n#4294967295\n",
        b"\n##\n",
        b"##",
        b"]]>]]>",
        b"]]>",
        b"]]",
        b"<",
        b">",
        b"</",
        b"/>",
        b"<!--",
        b"-->",
        b"--",
        b"<![CDATA[",
        b"<!D",
        b"<?",
        b"?>",
        b"&",
        b"&lt;",
        b"&#38;",
        b"&#x0;",
        b"&#xD800;",
        b"\"",
        b"'",
        b" message-id='1'",
        b"<rpc-error>",
        b"</rpc-error>",
        b"<output>",
        b"<ok/>",
        b"\xFF",
        b"\xE2\x80\xAE",
        b"\0\0\0\x05",
        b"\0\0\0\0",
        b"\xFF\xFF\xFF\xFF",
        b"../",
    ];

    fn setting(name: &str, default: u64) -> u64 {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    }

    /// One that is cut, doubled, or has something else in it, at up to six places.
    fn damaged(specimens: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
        let mut bytes = specimens[numbers.below(specimens.len())].clone();
        let other = &specimens[numbers.below(specimens.len())];
        for _ in 0..numbers.below(7) {
            let (at, to) = (numbers.below(bytes.len() + 1), numbers.below(bytes.len() + 1));
            let (at, to) = (at.min(to), at.max(to));
            match numbers.below(8) {
                0 => bytes.truncate(to),
                1 => drop(bytes.drain(at..to)),
                2 => bytes.extend_from_within(at..to),
                3 => {
                    let from = numbers.below(other.len() + 1);
                    bytes.truncate(to);
                    bytes.extend_from_slice(&other[from..]);
                }
                4 if at < bytes.len() => bytes[at] = numbers.next().to_le_bytes()[7],
                _ => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
            }
        }
        bytes
    }

    /// Tells what a failing run was.
    struct Witness<'a>(u64, u64, &'a [u8]);

    impl Drop for Witness<'_> {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("seed {}, run {}: {}", self.0, self.1, self.2.escape_ascii());
            }
        }
    }

    fn holds(specimens: &[Vec<u8>], is_of_use: impl Fn(&[u8]) -> bool, hold: fn(&[u8])) {
        let (seed, runs) = (setting("LINESMAN_SEED", SEED), setting("LINESMAN_RUNS", RUNS));
        println!("LINESMAN_SEED={seed} LINESMAN_RUNS={runs}");
        let mut of_use = 0;
        for run in 0..runs {
            let mut numbers = Numbers(seed.wrapping_mul(0x1_0000_0001) ^ run.rotate_left(32));
            let bytes = damaged(specimens, &mut numbers);
            let _witness = Witness(seed, run, &bytes);
            of_use += u64::from(is_of_use(&bytes));
            hold(&bytes);
        }
        // Damage has to leave some of them readable, or only the way to the first fault would be tried.
        assert!(of_use * 20 > runs && of_use * 20 < runs * 19, "{of_use} of {runs} can be read");
    }

    #[test]
    fn what_holds_of_framed_messages_holds_of_damaged_ones() {
        let texts = ["\n#3\nabc\n#1\nd\n##\n", "\n#5\n]]>]]\n#1\n>\n##\n\n#1\nx\n##\n", "a]]>]]b]]>]]>]]]>]]>c]]>]]>"];
        let kinds = |text: &str| [[&[0, 3], text.as_bytes()].concat(), [&[1, 0], text.as_bytes()].concat()];
        let specimens: Vec<_> = texts.into_iter().flat_map(kinds).collect();
        holds(&specimens, |bytes| bytes.ends_with(b"##\n"), framing);
    }

    #[test]
    fn what_holds_of_replies_holds_of_damaged_ones() {
        let head = "<nc:rpc-reply xmlns:nc=\"urn:ietf:params:xml:ns:netconf:base:1.0\" message-id='1'>";
        let error = "<rpc-error><error-type>application</error-type><error-tag>invalid-value</error-tag>\
                     <error-severity>warning</error-severity><error-path>/a</error-path><error-message>no &lt;b&gt; \u{fc}\
                     </error-message><error-info><bad x='1'>mtu &amp; co</bad><e/></error-info></rpc-error>";
        let texts = [
            format!("{head}<ok/></nc:rpc-reply>"),
            format!(
                "<?xml version='1.0'?><!-- a --> {head}<x>{error}<ok/></x><output>a &#252; <![CDATA[b ]] c]]]></output></nc:rpc-reply>"
            ),
            format!("{head}<commit-results>{error}{error}</commit-results></nc:rpc-reply>"),
            "<hello><capabilities><capability>urn:a</capability><capability> b&amp; </capability></capabilities>\
             <session-id>4</session-id></hello>"
                .to_owned(),
        ];
        let specimens: Vec<_> =
            texts.iter().flat_map(|text| [0, 1, 9, 200].map(|how| [&[how], text.as_bytes()].concat())).collect();
        holds(&specimens, |bytes| bytes.ends_with(b"</nc:rpc-reply>"), reply);
    }

    #[test]
    fn what_holds_of_packets_holds_of_damaged_ones() {
        use crate::device::files::packet::{Attributes, Writing, kind};
        let regular =
            Attributes { size: Some(7), permissions: Some(0o100_644), modified_s: Some(9), ..Attributes::default() };
        let names: [&[u8]; 6] = [b"a.xml", b"..", b"a/b", b"\xFF\x1b[2J", "\u{202e}b.xml".as_bytes(), b""];
        let mut list = Writing::new(kind::NAME, 3).number(6);
        for name in names {
            list = list.bytes(name).bytes(b"-rw-r--r-- 1 a").attributes(&regular);
        }
        let status = Writing::new(kind::STATUS, 4).number(3).bytes(b"no \x1b[31m").bytes(b"en");
        let data = Writing::new(kind::DATA, 5).bytes(b"<jmb/>");
        let attributes = Writing::new(kind::ATTRS, 6).attributes(&regular);
        let packets: Vec<_> = [list, status, data, attributes].into_iter().map(Writing::done).collect();
        let mut specimens: Vec<_> = packets.iter().map(|packet| [&[0][..], packet].concat()).collect();
        specimens.push([&[5][..], &packets.concat()].concat());
        let is_whole = |bytes: &[u8]| {
            let length = bytes.get(1..5).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
            length.is_some_and(|length| length > 0 && length as usize + 5 <= bytes.len())
        };
        holds(&specimens, is_whole, super::packets);
    }
}

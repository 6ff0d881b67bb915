//! Bytes from outside never cause a panic, and a part of a bundle is never taken for the whole.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failing helper is a failing test")]

use std::time::{Duration, Instant};

use linesman_schemas::bundle::{corpus, decode};

/// A small generator of numbers that are good enough for damage (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap_or_default() % bound
    }
}

/// Decodes, and reads the parts of what was decoded.
fn exercise(bytes: &[u8]) {
    if let Ok(bundle) = decode(bytes) {
        bundle.with_contents(bytes).unwrap();
    }
}

#[test]
fn a_bundle_cut_anywhere_is_refused() {
    for specimen in corpus::specimens().iter().filter(|specimen| specimen.fault.is_none()).step_by(5) {
        let whole = specimen.bytes.trim_ascii_end();
        for length in 0..whole.len() {
            let error = decode(&whole[..length]).map(|_| ()).unwrap_err();
            let expected: &[&str] = if length == 0 { &["empty"] } else { &["truncated"] };
            assert!(expected.contains(&error.fault.name()), "{} cut at {length}: {error}", specimen.name);
        }
        decode(whole).unwrap();
    }
}

#[test]
fn damaged_bundles_never_panic() {
    let specimens = corpus::specimens();
    std::thread::scope(|scope| {
        for seed in 1..=4 {
            let copies = specimens.iter().map(|specimen| specimen.bytes.clone()).collect();
            scope.spawn(move || damage(copies, 50_000, &mut Numbers(seed)));
        }
    });
}

/// Decodes each of the bundles in turn with one byte changed.
fn damage(mut bundles: Vec<Vec<u8>>, runs: usize, numbers: &mut Numbers) {
    const MARKS: &[u8] = b"<>&\"'/!?[]-=;# \0\xFF";
    let count = bundles.len();
    for run in 0..runs {
        let bytes = &mut bundles[run % count];
        let place = numbers.below(bytes.len());
        let byte = if run % 2 == 0 { MARKS[numbers.below(MARKS.len())] } else { numbers.next().to_le_bytes()[7] };
        let kept = std::mem::replace(&mut bytes[place], byte);
        // Reading the parts of all of them would double the time.
        if run % 8 == 0 {
            exercise(bytes);
        } else {
            let _ = decode(bytes);
        }
        bytes[place] = kept;
    }
}

#[test]
fn spliced_bundles_never_panic() {
    let specimens = corpus::specimens();
    let mut numbers = Numbers(0xC0FFEE);
    for _ in 0..20_000 {
        let [head, tail] = [0; 2].map(|_| &specimens[numbers.below(specimens.len())].bytes);
        let (end, start) = (numbers.below(head.len()), numbers.below(tail.len()));
        exercise(&[&head[..end], &tail[start..]].concat());
    }
}

#[test]
fn markup_soup_never_panics() {
    const PIECES: [&str; 30] = [
        "<",
        ">",
        "/",
        "</",
        "/>",
        "<!",
        "<!--",
        "-->",
        "--",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "<?xml",
        "&",
        ";",
        "&#",
        "&#x",
        "amp;",
        "\"",
        "'",
        "=",
        " a='1'",
        "<jmb version='1.0' type='event'>",
        "</jmb>",
        "<manifest>",
        "x",
        "\r\n",
        "<!DOCTYPE",
        "\u{feff}",
    ];
    let mut numbers = Numbers(7);
    for _ in 0..100_000 {
        let count = 1 + numbers.below(12);
        let soup: String = (0..count).map(|_| PIECES[numbers.below(PIECES.len())]).collect();
        exercise(soup.as_bytes());
    }
}

#[test]
fn work_grows_with_the_bytes_only() {
    let repeat = |piece: &str| {
        let body = piece.repeat(2 * 1024 * 1024 / piece.len());
        format!("<jmb version='1.0' type='event'><manifest></manifest>{body}</jmb>")
            .replace("<manifest></manifest>", "<attachments><attachment name='a'>x</attachment></attachments>")
    };
    let attributes: String = (0..64).map(|n| format!(" a{n:02}=''")).collect();
    for piece in [
        "]]&gt;",
        "<a></a>",
        "<a/>",
        "&amp;",
        "<!---->",
        "]",
        ">",
        "<![CDATA[>]]>",
        "<?a >?>",
        "\r",
        "- -",
        &format!("<a{attributes}/>"),
        "<a b='&amp;&amp;&amp;'/>",
    ] {
        let text = repeat(piece);
        let start = Instant::now();
        exercise(text.as_bytes());
        // A second is a hundred times what it takes; quadratic work would take an hour.
        assert!(start.elapsed() < Duration::from_secs(5), "{piece}: {:?}", start.elapsed());
    }
}

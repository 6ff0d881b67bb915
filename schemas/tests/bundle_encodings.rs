//! Bundles as old devices and Junos itself write them: what their labels promise is read, and what is damaged is marked.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

use std::borrow::Cow;

use linesman_schemas::bundle::{Content, Edition, Encoding, bounds, decode, decode_in, encode, outline, readable};

/// A bundle with a label; `name`, `attached` and `logged` stand in it as bytes.
fn bundle(label: &str, name: &[u8], attached: &[u8], logged: &[u8]) -> Vec<u8> {
    let declaration = match label {
        "" => String::new(),
        label => format!("<?xml version=\"1.0\" encoding=\"{label}\"?>\n"),
    };
    let before = "<jmb version=\"1.0\" type=\"event\"><manifest><host-event-ID>r1-JN1-20261121-101502-1</host-event-ID>\
                  <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>X</event-type><problem-synopsis>";
    let device = "</problem-synopsis><priority>1 - Critical</priority><device><host-name>r1</host-name>\
                  <serial-number>JN1</serial-number><product>MX240</product><os-version>21.4R3</os-version></device>\
                  </manifest><attachments><attachment name=\"first\">";
    [
        declaration.as_bytes(),
        before.as_bytes(),
        name,
        device.as_bytes(),
        attached,
        b"</attachment><attachment name=\"second\" status=\"ok\"><a b=\"c\">whole</a></attachment></attachments><logs>",
        b"<log name=\"messages\">",
        logged,
        b"</log><log name=\"dcd\"/></logs><other>kept</other></jmb>\n",
    ]
    .concat()
}

/// What is said on the whole: the synopsis, what the parts hold, which of them are damaged.
fn read(bytes: &[u8]) -> Result<(String, Vec<String>, Vec<String>), String> {
    let bundle = decode(bytes).map_err(|error| error.to_string())?;
    let bundle = bundle.with_contents(bytes).unwrap();
    let parts = || bundle.attachments.iter().chain(&bundle.logs);
    let held = parts().map(|part| match &part.content {
        Content::None => String::new(),
        Content::Text(text) => text.to_string(),
        Content::Element(element) => element.to_string(),
    });
    let damaged = parts().filter(|part| part.is_damaged()).map(|part| part.name.to_string());
    Ok((bundle.manifest.problem.unwrap().synopsis.into_owned(), held.collect(), damaged.collect()))
}

#[test]
fn plain_text_is_read_whatever_its_label_of_the_family_is() {
    for label in
        ["", "UTF-8", "utf8", "us-ascii", "ASCII", "iso-8859-1", "Latin1", "ISO_8859-1:1987", "cp1252", "WINDOWS-1252"]
    {
        let bytes = bundle(label, b"link down", b"text", b"lines");
        let (synopsis, held, damaged) = read(&bytes).unwrap();
        assert_eq!(
            (synopsis.as_str(), held),
            ("link down", vec!["text", "<a b=\"c\">whole</a>", "lines", ""].into_iter().map(str::to_owned).collect()),
            "{label}"
        );
        assert!(damaged.is_empty(), "{label}");
        let strict = decode_in(Edition::First, &bytes);
        assert_eq!(strict.is_ok(), label.is_empty() || label == "UTF-8", "{label}");
    }
}

#[test]
fn what_a_label_promises_is_decoded_and_every_part_is_found_where_it_stands() {
    let bytes = bundle("iso-8859-1", b"gr\xF6\xDFer", b"\xE9t\xE9 <![CDATA[\xFF]]>", b"\x85 \xB5");
    let (synopsis, held, damaged) = read(&bytes).unwrap();
    assert_eq!((synopsis.as_str(), held[0].as_str(), held[2].as_str()), ("größer", "été ÿ", "\u{85} µ"));
    assert!(damaged.is_empty());
    let bytes = bundle("Windows-1252", b"\x80 5 \x96 \x93no\x94", b"\xE9t\xE9", b"");
    let (synopsis, held, damaged) = read(&bytes).unwrap();
    assert_eq!((synopsis.as_str(), held[0].as_str()), ("€ 5 – “no”", "été"));
    assert!(damaged.is_empty());
    let bundle = decode(&bytes).unwrap();
    assert_eq!(bundle.source.encoding, Encoding::Windows1252);
    assert_eq!(bytes.get(bundle.attachments[0].content.clone()), Some(&b"\xE9t\xE9"[..]));
    assert_eq!(bytes.get(bundle.attachments[1].content.clone()), Some(&b"<a b=\"c\">whole</a>"[..]));
}

#[test]
fn bytes_that_the_label_does_not_allow_are_a_fault_where_the_manifest_is() {
    for (label, byte, said) in [
        ("us-ascii", b"\xE9", "the byte E9 is no character of US-ASCII"),
        ("cp1252", b"\x81", "the byte 81 is no character of Windows-1252"),
        ("cp1252", b"\x9D", "the byte 9D is no character of Windows-1252"),
        ("", b"\xE9", "these bytes are not UTF-8"),
        ("utf-8", b"\xE9", "these bytes are not UTF-8"),
        ("latin1", b"\x1B", "the character U+001B is not allowed in XML"),
    ] {
        let error = read(&bundle(label, byte, b"", b"")).unwrap_err();
        assert!(error.starts_with(said), "{label}: {error}");
    }
}

#[test]
fn what_is_no_character_in_a_part_damages_that_part_and_nothing_else() {
    for (label, bad, expected) in [
        ("", &b"\xFFa\x07b\xE2\x82c"[..], "\u{fffd}a\u{fffd}b\u{fffd}c"),
        ("us-ascii", b"\xC3\xA9", "\u{fffd}\u{fffd}"),
        ("cp1252", b"\x80\x81", "€\u{fffd}"),
        ("iso-8859-1", b"\xE9\x00", "é\u{fffd}"),
        ("utf-8", b"a&#7;&#xD800;<![CDATA[\xFF&#7;]]>", "a\u{fffd}\u{fffd}\u{fffd}&#7;"),
    ] {
        for is_log in [false, true] {
            let (attached, logged) = if is_log { (&b"fine"[..], bad) } else { (bad, &b"fine"[..]) };
            let bytes = bundle(label, b"down", attached, logged);
            let (synopsis, held, damaged) = read(&bytes).unwrap();
            let (at, name) = if is_log { (2, "messages") } else { (0, "first") };
            assert_eq!(
                (synopsis.as_str(), held[at].as_str(), held[1].as_str()),
                ("down", expected, "<a b=\"c\">whole</a>"),
                "{label}"
            );
            assert_eq!(damaged, [name], "{label}");
            assert!(decode_in(Edition::First, &bytes).is_err());
        }
    }
    // Within an element of a part.
    let (_, held, damaged) = read(&bundle("", b"x", b"<a n=\"\xFF\">1&#7;2<b/>&#8;\xFF</a>", b"")).unwrap();
    assert_eq!(held[0], "<a n=\"\u{fffd}\">1\u{fffd}2<b/>\u{fffd}\u{fffd}</a>");
    assert_eq!(damaged, ["first"]);
}

#[test]
fn a_part_that_is_cut_off_is_waited_for_though_it_is_damaged() {
    let whole = bundle("", b"down", b"\xFF damaged", b"\xFF again");
    let end = whole.windows(2).rposition(|pair| pair == b"</").unwrap();
    let first = whole.iter().position(|byte| *byte == 0xFF).unwrap();
    for length in first..end {
        let error = decode(&whole[..length]).unwrap_err();
        assert_eq!(error.fault.name(), "truncated", "cut at {length}: {error}");
    }
}

#[test]
fn what_leaves_is_read_by_everybody_and_tells_of_the_damage() {
    let plain = bundle("us-ascii", b"down", b"text", b"");
    assert!(matches!(readable(&plain).unwrap(), Cow::Borrowed(bytes) if bytes == plain));
    for bytes in [
        bundle("latin1", b"gr\xF6\xDFer", b"\xE9", b""),
        bundle("", b"gr\xC3\xB6\xC3\x9Fer", b"\xFF", b"&#7;"),
        bundle("utf8", "größer".as_bytes(), b"", b""),
    ] {
        let leaves = readable(&bytes).unwrap();
        let strict = decode_in(Edition::First, &leaves).unwrap();
        assert_eq!(strict.manifest.problem.unwrap().synopsis, "größer");
        let text = std::str::from_utf8(&leaves).unwrap();
        let is_damaged = read(&bytes).unwrap().2.contains(&"first".to_owned());
        let marked = "name=\"first\" status=\"damaged\" error=\"some of its bytes are no characters\"";
        assert_eq!(text.contains(marked), is_damaged, "{text}");
    }
    let early = String::from_utf8(plain).unwrap().replace("2026-11-21T", "1601-01-01T");
    assert_eq!(readable(early.as_bytes()).unwrap(), early.as_bytes());
}

#[test]
fn an_outline_is_of_the_text_and_its_ranges_of_the_bytes() {
    let bytes = bundle("latin1", b"gr\xF6\xDFer", b"\xE9\xE9\x00", b"lines");
    let outline = outline(&bytes, 1 << 20).unwrap();
    assert!(
        outline.text.contains("<problem-synopsis>größer<") && outline.text.contains("éé\u{fffd}"),
        "{}",
        outline.text
    );
    assert!(outline.text.contains("status=\"damaged\""));
    assert_eq!(bytes.get(outline.parts[0].clone()), Some(&b"\xE9\xE9\x00"[..]));
    assert_eq!(bytes.get(outline.parts[2].clone()), Some(&b"lines"[..]));
}

#[test]
fn a_mark_of_utf_8_and_another_label_contradict_each_other() {
    let marked = |label: &str| [b"\xEF\xBB\xBF", &bundle(label, b"down", b"text", b"\xFF")[..]].concat();
    for label in ["", "UTF-8", "utf8"] {
        let bytes = marked(label);
        let (_, held, damaged) = read(&bytes).unwrap();
        assert_eq!((held[0].as_str(), damaged), ("text", vec!["messages".to_owned()]), "{label}");
        assert_eq!(bytes.get(decode(&bytes).unwrap().attachments[0].content.clone()), Some(&b"text"[..]));
    }
    for label in ["us-ascii", "iso-8859-1", "cp1252"] {
        let error = read(&marked(label)).unwrap_err();
        assert_eq!(
            error,
            format!("the encoding `{label}` stands behind a byte order mark of UTF-8 at line 1, column 1")
        );
    }
}

#[test]
fn labels_are_bounded_and_others_are_named() {
    for label in ["utf-16", "UTF-32", "ebcdic-cp-us", "iso-8859-15", "shift_jis"] {
        let error = read(&bundle(label, b"down", b"", b"")).unwrap_err();
        assert!(error.starts_with(&format!("the encoding `{label}` is not read, expected UTF-8, ")), "{error}");
    }
    for length in [65, bounds::ATTRIBUTE] {
        let error = read(&bundle(&"x".repeat(length), b"down", b"", b"")).unwrap_err();
        assert!(error.starts_with(&format!("the encoding `{}…` is not read", "x".repeat(64))), "{error}");
    }
    let error = read(&bundle(&"x".repeat(bounds::ATTRIBUTE + 1), b"down", b"", b"")).unwrap_err();
    assert!(error.contains("is longer than 8192 bytes"), "{error}");
    // Both bytes of each character.
    let wide: Vec<u8> = bundle("utf-16", b"down", b"", b"").iter().flat_map(|byte| [*byte, 0]).collect();
    assert!(read(&wide).unwrap_err().starts_with("the encoding `UTF-16` is not read"));
}

#[test]
fn a_bundle_is_as_long_as_its_text() {
    let room = bounds::BUNDLE - bundle("cp1252", b"x", b"", b"").len();
    let fits = bundle("cp1252", b"x", b"", &b"\x80".repeat(room / 3));
    assert_eq!(read(&fits).unwrap().1[2].len(), room / 3 * 3);
    let text = encode(&decode(&fits).unwrap().with_contents(&fits).unwrap(), &[]);
    assert_eq!(text.unwrap_err().fault.name(), "bound-exceeded");
    let beyond = bundle("cp1252", b"x", b"", &b"\x80".repeat(room / 3 + 1));
    assert_eq!(decode(&beyond).unwrap_err().fault.name(), "bound-exceeded");
    let damaged = bundle("", b"x", b"", &b"\xFF".repeat(4 << 20));
    assert_eq!(read(&damaged).unwrap().2, ["messages"]);
}

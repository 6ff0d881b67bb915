//! What leaves of a bundle has no prefix that nothing declares, and is XML 1.0; what its parts end in is no fault.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing helper is a failing test")]

use std::borrow::Cow;

use linesman_schemas::bundle::{Content, Edition, decode, decode_in, encode, outline, readable};
use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

/// A bundle; what stands before the root, within its tag, and in a log.
fn bundle(before: &str, root: &str, log: &str) -> String {
    format!(
        "{before}<jmb version=\"1.0\" type=\"event\"{root}><manifest><host-event-ID>r1-JN1-20261121-101502-1</host-event-ID>\
         <time-occurred>2026-11-21T10:15:02Z</time-occurred><event-type>X</event-type><problem-synopsis>s\
         </problem-synopsis><priority>1 - Critical</priority><device><host-name>r1</host-name>\
         <serial-number>JN1</serial-number><product>MX240</product><os-version>21.4R3</os-version></device></manifest>\
         <logs><log name=\"messages\">{log}</log></logs></jmb>"
    )
}

/// The names in a document, with their namespaces, as another reader finds them; how it fails otherwise.
fn names(document: &str) -> Result<Vec<String>, String> {
    let mut reader = NsReader::from_str(document);
    let mut names = Vec::new();
    loop {
        let (of, event) = reader.read_resolved_event().map_err(|error| error.to_string())?;
        let (Event::Start(tag) | Event::Empty(tag)) = &event else {
            match event {
                Event::Eof => return Ok(names),
                _ => continue,
            }
        };
        let name = |of: ResolveResult<'_>, local: &str| match of {
            ResolveResult::Bound(namespace) => Ok(format!("{{{}}}{local}", namespace.0)),
            ResolveResult::Unbound => Ok(local.to_owned()),
            ResolveResult::Unknown(prefix) => Err(format!("unknown {}", prefix)),
        };
        names.push(name(of, tag.local_name().into_inner())?);
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let (of, local) = reader.resolver().resolve_attribute(attribute.key);
            name(of, local.into_inner())?;
        }
    }
}

/// What leaves of a bundle, and what its log holds then.
fn leaves(text: &str) -> (Cow<'_, str>, String) {
    let leaves = match readable(text.as_bytes()).unwrap() {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).unwrap()),
    };
    let read = decode(leaves.as_bytes()).unwrap();
    let log = match read.logs[0].read(leaves.as_bytes(), read.source.encoding).unwrap() {
        Content::Element(element) => element.to_string(),
        Content::Text(text) => format!("text {text}"),
        Content::None => String::new(),
    };
    (leaves, log)
}

#[test]
fn what_everybody_reads_leaves_as_it_came() {
    for (before, root, log) in [
        ("", "", "<a/>"),
        (
            "<?xml version='1.0'?>",
            " xmlns='urn:x' xmlns:j='urn:j' j:k='1'",
            "<j:a j:b='1' b='2'><c xmlns='' xml:lang='en'/></j:a>",
        ),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?><?p q?>", "", "<j:a xmlns:j='u'><j:b xmlns:j='v'/><j:c/></j:a>"),
    ] {
        let text = bundle(before, root, log);
        assert!(names(&text).is_ok());
        assert!(matches!(leaves(&text).0, Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn a_prefix_that_nothing_declares_is_declared_once_it_leaves() {
    for (root, log, expected) in [
        ("", "<j:a j:b='1'/>", "<j:a xmlns:j=\"urn:linesman:undeclared:j\" xmlns=\"\" j:b='1'/>"),
        (
            "",
            "<a><j:b xmlns:j='u'/><j:c/></a>",
            "<a xmlns:j=\"urn:linesman:undeclared:j\" xmlns=\"\"><j:b xmlns:j='u'/><j:c/></a>",
        ),
        // What is declared around it goes along, were it something else elsewhere.
        (
            " xmlns:k='k&quot;k' xmlns='urn:d' x:y='1'",
            "<k:a><b/></k:a>",
            "<k:a xmlns:k=\"k&#34;k\" xmlns=\"urn:d\"><b/></k:a>",
        ),
        (" xmlns='urn:linesman:jmb:1.0' x:y='1'", "<a b='c'/>", "<a b='c'/>"),
        // No declaration mends these.
        ("", "<a:b:c/>", "text <a:b:c/>"),
        ("", "<:a/>", "text <:a/>"),
        ("", "<a xmlns:j='u' xmlns:k='u' j:b='1' k:b='2'/>", "text <a xmlns:j='u' xmlns:k='u' j:b='1' k:b='2'/>"),
        (" xmlns:j='u' xmlns:k='u'", "<a j:b='1' k:b='2'/>", "text <a j:b='1' k:b='2'/>"),
        ("", "<xmlns:a/>", "text <xmlns:a/>"),
        ("", "<a xmlns:j=''/>", "text <a xmlns:j=''/>"),
        ("", "<a xmlns:xml='u'/>", "text <a xmlns:xml='u'/>"),
        ("", "<a><?b:c?></a>", "text <a><?b:c?></a>"),
    ] {
        let text = bundle("", root, log);
        let (left, log) = leaves(&text);
        assert!(matches!(left, Cow::Owned(_)), "{text}");
        let expected = if log.starts_with("<j:a ") { expected.replace(" xmlns=\"\"", "") } else { expected.to_owned() };
        assert_eq!(log, expected, "{text}");
        assert!(names(&left).is_ok(), "{left}");
        // It is written so once, whoever sends it on.
        assert!(matches!(leaves(&left).0, Cow::Borrowed(_)));
    }
}

#[test]
fn an_element_keeps_its_name_when_it_is_taken_out_of_its_surroundings() {
    for root in ["", " xmlns='urn:d'", " xmlns='urn:linesman:jmb:1.0'"] {
        let text =
            bundle("", &format!("{root} xmlns:j='urn:j'"), "<reply j:style='brief'><j:x/><y xmlns='z'/></reply>");
        let found = |text: &str| names(text).unwrap().split_off(14);
        let read = decode(text.as_bytes()).unwrap().with_contents_alone(text.as_bytes()).unwrap();
        let written = encode(&read, &[]).unwrap();
        assert_eq!(found(&written), found(&text), "{written}");
        assert!(found(&text)[1..] == ["{urn:j}x", "{z}y"] && found(&text)[0].ends_with("reply"));
        let outline = outline(text.as_bytes(), 1 << 20).unwrap();
        assert_eq!(outline.text, written);
    }
}

#[test]
fn what_is_declared_is_bounded() {
    let long = "x".repeat(8_000);
    let root: String = (0..60).map(|at| format!(" xmlns:p{at}='{long}'")).collect();
    let used: String = (0..60).map(|at| format!("<p{at}:a/>")).collect();
    let log = format!("</log>{}<log name='last'>", format!("<log name='more'><b>{used}</b></log>").repeat(1_000));
    let text = bundle("<?xml version='1.1'?>", &root, &log);
    let (left, _) = leaves(&text);
    assert!(left.contains("<![CDATA[<b><p0:a/>"), "what has no room is text");
    assert!(left.len() <= 64 << 20);
}

#[test]
fn another_version_of_xml_is_read_and_leaves_as_1_0() {
    for version in ["1.1", "1.9", "1.00"] {
        let text = bundle(&format!("<?xml version=\"{version}\" encoding=\"UTF-8\"?>"), "", "said\u{85}");
        assert!(decode_in(Edition::First, text.as_bytes()).is_ok());
        let (left, log) = leaves(&text);
        assert!(left.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), "{left}");
        assert_eq!(log, "text said\u{85}");
    }
}

#[test]
fn a_part_may_end_in_what_says_nothing() {
    for (log, expected) in [
        ("<a/><!-- end -->", "<a/>"),
        ("<a><b/></a> <?p q?> ", "<a><b/></a>"),
        ("said<!-- end -->", "text said"),
        ("<!-- end -->", ""),
        ("<?p?><!-- end -->", ""),
        ("<!-- begin --><a/>", "<a/>"),
    ] {
        let text = bundle("", "", log);
        let read = decode(text.as_bytes()).unwrap();
        let part = &read.logs[0];
        let said = |content: Content<'_>| match content {
            Content::Element(element) => element.to_string(),
            Content::Text(text) => format!("text {text}"),
            Content::None => String::new(),
        };
        let held = |edition| part.read_in(edition, text.as_bytes(), read.source.encoding).map(said);
        assert_eq!(held(Edition::Third), Ok(expected.to_owned()), "{log}");
        assert_eq!(part.read(text.as_bytes(), read.source.encoding).map(said), Ok(expected.to_owned()), "{log}");
        for edition in [Edition::First, Edition::Second] {
            let is_last = log.trim_end().ends_with("-->") || log.ends_with("?>");
            match held(edition) {
                Err(error) if is_last => assert_eq!(error.fault.name(), "truncated", "{log}"),
                found => assert_eq!(found, Ok(expected.to_owned()), "{log}"),
            }
        }
        let read = read.with_contents(text.as_bytes()).unwrap();
        assert!(encode(&read, &[]).is_ok(), "{log}");
        assert!(outline(text.as_bytes(), 1 << 20).is_ok(), "{log}");
    }
    // What is open within it is cut off still.
    let text = bundle("", "", "<a><!-- --></a>");
    let read = decode(text.as_bytes()).unwrap();
    let cut = text.replace("</a>", "    ");
    assert_eq!(read.logs[0].read(cut.as_bytes(), read.source.encoding).unwrap_err().fault.name(), "truncated");
}

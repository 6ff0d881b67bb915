//! Each fault with its name, its words and its place.

mod meaning;
mod xml;

use linesman_schemas::bundle::{Edition, decode, decode_in};

/// A good bundle, one element per line.
const GOOD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<jmb version=\"1.0\" type=\"event\">
  <manifest>
    <host-event-ID>edge-01-JN11-20261121-101502-17</host-event-ID>
    <time-occurred>2026-11-21T10:15:02Z</time-occurred>
    <event-type>X</event-type>
    <problem-synopsis>gr\u{f6}\u{df}e</problem-synopsis>
    <priority>2 - High</priority>
    <severity>3</severity>
    <device>
      <host-name>edge-01</host-name>
      <serial-number>JN11</serial-number>
      <product>MX240</product>
      <os-version>21.4R3</os-version>
      <routing-engine><model>m</model></routing-engine>
    </device>
  </manifest>
  <attachments>
    <attachment name=\"a\" size=\"1\">text</attachment>
  </attachments>
</jmb>
";

/// `what` in the good bundle becomes `by`; the fault's name; its words and its place.
struct Case(&'static str, &'static str, &'static str, &'static str);

fn changed(what: &str, by: &str) -> String {
    let text = GOOD.replace(what, by);
    assert_ne!(text, GOOD, "`{what}` is not in the good bundle");
    text
}

#[test]
fn the_good_bundle_is_good() {
    decode(GOOD.as_bytes()).unwrap();
}

#[test]
fn faults_have_names_words_and_places() {
    let both = || xml::CASES.iter().chain(meaning::CASES);
    let first = both().chain(xml::FIRST).chain(meaning::FIRST);
    let second = both().chain(xml::SECOND).chain(meaning::SECOND);
    let first = first.map(|case| (Edition::First, case));
    let mut wrong = String::new();
    for (edition, Case(what, by, name, expected)) in first.chain(second.map(|case| (Edition::Second, case))) {
        let bundle = changed(what, by);
        let said = match decode_in(edition, bundle.as_bytes()) {
            Ok(_) => ("", "nothing".to_owned()),
            Err(error) => (error.fault.name(), error.to_string()),
        };
        if (said.0, &*said.1) != (*name, *expected) {
            wrong += &format!("{edition:?}: {what:?} -> {by:?}\n  {}: {}\n", said.0, said.1);
        }
    }
    assert!(wrong.is_empty(), "these faults are other than expected:\n{wrong}");
}

#[test]
fn bytes_that_are_no_text_are_faults_of_their_own() {
    const NO_END: &str = "the bundle ends before its root element is complete at line";
    const WIDE: &str = "the encoding `UTF-16` is not read, expected UTF-8, US-ASCII, ISO-8859-1 or Windows-1252";
    let (empty, bad) = ("the bundle is empty at line 1, column 1", "these bytes are not UTF-8 at line");
    let cases: [(&[u8], &str, &str); 8] = [
        (b"", empty, empty),
        (b"\xEF\xBB\xBF", empty, empty),
        (b" \r\n\t ", empty, empty),
        (
            b"<jmb>\n\xC3\xBC\xFF</jmb>",
            &format!("{bad} 2, column 2"),
            "`jmb` has no attribute `version` at line 1, column 1",
        ),
        (b"\xFF\xFE<\x00j\x00", &format!("{bad} 1, column 1"), &format!("{WIDE} at line 1, column 1")),
        (
            b"<x>\xC0\x80</x>",
            &format!("{bad} 1, column 4"),
            "the root element is `x`, expected `jmb` at line 1, column 1",
        ),
        (b" \n\xC3", &format!("{NO_END} 2, column 1"), empty),
        (b"<!-- -->", &format!("{NO_END} 1, column 9"), &format!("{NO_END} 1, column 9")),
    ];
    for (bytes, first, second) in cases {
        assert_eq!(decode_in(Edition::First, bytes).unwrap_err().to_string(), first, "{bytes:?}");
        assert_eq!(decode_in(Edition::Second, bytes).unwrap_err().to_string(), second, "{bytes:?}");
    }
}

#[test]
fn a_byte_order_mark_is_no_column() {
    let error = decode("\u{feff}<bundle/>".as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the root element is `bundle`, expected `jmb` at line 1, column 1");
}

#[test]
fn words_of_the_bundle_are_clipped() {
    let error = decode(changed("MX240", &format!("&{};", "x".repeat(60))).as_bytes()).unwrap_err();
    assert!(error.to_string().contains(&"x".repeat(60)), "{error}");
    let error = decode(changed("2 - High", &"\u{f6}".repeat(100)).as_bytes()).unwrap_err();
    assert!(error.to_string().contains(&format!("`{}\u{2026}`", "\u{f6}".repeat(64))), "{error}");
}

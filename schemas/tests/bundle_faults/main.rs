//! Each fault with its name, its words and its place.

mod meaning;
mod xml;

use linesman_schemas::bundle::decode;

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
    let mut wrong = String::new();
    for Case(what, by, name, expected) in xml::CASES.iter().chain(meaning::CASES) {
        let error = decode(changed(what, by).as_bytes()).map(|_| ()).unwrap_err();
        if (error.fault.name(), &*error.to_string()) != (*name, *expected) {
            wrong += &format!("{what:?} -> {by:?}\n  {}: {error}\n", error.fault.name());
        }
    }
    assert!(wrong.is_empty(), "these faults are other than expected:\n{wrong}");
}

#[test]
fn bytes_that_are_no_text_are_faults_of_their_own() {
    let cases: [(&[u8], &str, &str); 8] = [
        (b"", "empty", "the bundle is empty at line 1, column 1"),
        (b"\xEF\xBB\xBF", "empty", "the bundle is empty at line 1, column 1"),
        (b" \r\n\t ", "empty", "the bundle is empty at line 1, column 1"),
        (b"<jmb>\n\xC3\xBC\xFF</jmb>", "bad-utf8", "these bytes are not UTF-8 at line 2, column 2"),
        (b"\xFF\xFE<\x00j\x00", "bad-utf8", "these bytes are not UTF-8 at line 1, column 1"),
        (b"<jmb>\xC0\x80</jmb>", "bad-utf8", "these bytes are not UTF-8 at line 1, column 6"),
        (b"<jmb>\n\xC3", "truncated", "the bundle ends before its root element is complete at line 2, column 1"),
        (b"<!-- -->", "truncated", "the bundle ends before its root element is complete at line 1, column 9"),
    ];
    for (bytes, name, expected) in cases {
        let error = decode(bytes).unwrap_err();
        assert_eq!((error.fault.name(), &*error.to_string()), (name, expected), "{bytes:?}");
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

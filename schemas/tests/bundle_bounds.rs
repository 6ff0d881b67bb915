//! Every bound holds what it may, and not one more.

use linesman_schemas::bundle::{bounds, decode};

/// A good bundle with something in its manifest, its device and beside the manifest.
fn bundle(manifest: &str, device: &str, beside: &str) -> String {
    format!(
        "<jmb version='1.0' type='event'><manifest>\
         <host-event-ID>r-S-20261121-101502-17</host-event-ID><time-occurred>2026-11-21T10:15:02Z</time-occurred>\
         <event-type>X</event-type><problem-synopsis>s</problem-synopsis><priority>High</priority>{manifest}\
         <device><host-name>r</host-name><serial-number>S</serial-number><product>MX240</product>\
         <os-version>21.4R3</os-version>{device}</device></manifest>{beside}</jmb>"
    )
}

fn fault(text: &str) -> Option<String> {
    decode(text.as_bytes()).err().map(|error| {
        assert_eq!(error.fault.name(), "bound-exceeded", "{error}");
        error.fault.to_string()
    })
}

/// `make(most)` is read, `make(most + 1)` is refused in these words.
fn check(most: usize, words: &str, make: impl Fn(usize) -> String) {
    assert_eq!(fault(&make(most)), None, "{words}");
    assert_eq!(fault(&make(most + 1)).as_deref(), Some(words));
}

#[test]
fn depth() {
    let nested = |inner: usize| format!("{}{}", "<x>".repeat(inner), "</x>".repeat(inner));
    // The root is the first level.
    check(bounds::DEPTH - 1, "elements are nested deeper than 64", |levels| bundle("", "", &nested(levels)));
    let empty = |levels: usize| format!("{}<y a='1'/>{}", "<x>".repeat(levels - 1), "</x>".repeat(levels - 1));
    check(bounds::DEPTH - 1, "elements are nested deeper than 64", |levels| bundle("", "", &empty(levels)));
    // Recursion would end here.
    assert!(fault(&"<x>".repeat(1_000_000).replacen("<x>", "<jmb version='1.0' type='event'>", 1)).is_some());
}

#[test]
fn manifest() {
    let rest =
        bundle("", "", "").split_once("<manifest>").map_or(0, |(_, tail)| tail.len()) - "</manifest></jmb>".len();
    check(bounds::MANIFEST, "the manifest is longer than 262144 bytes", |length| {
        bundle(&format!("<x>{}</x>", "x".repeat(length - rest - "<x></x>".len())), "", "")
    });
}

#[test]
fn field() {
    let words = "`manifest/problem-description` is longer than 65536 bytes";
    let field = |text: String| bundle(&format!("<problem-description>{text}</problem-description>"), "", "");
    check(bounds::FIELD, words, |length| field("x".repeat(length)));
    check(bounds::FIELD, words, |length| field(format!("<![CDATA[{}]]>", "x".repeat(length))));
    check(bounds::FIELD, words, |length| field(format!("{}&amp;", "x".repeat(length - 1))));
    check(bounds::FIELD, words, |length| {
        field(format!("x<!-- -->{}", "\u{fc}x".repeat((length - 1) / 3) + &"x".repeat((length - 1) % 3)))
    });
}

#[test]
fn attributes() {
    check(bounds::ATTRIBUTE, "the attribute `a` is longer than 8192 bytes", |length| {
        bundle("", "", &format!("<x a='{}'/>", "x".repeat(length)))
    });
    let list = |count: usize| (0..count).map(|n| format!(" a{n}='1'")).collect::<String>();
    check(bounds::ATTRIBUTES, "`x` has more than 64 attributes", |count| {
        bundle("", "", &format!("<x{}/>", list(count)))
    });
}

#[test]
fn whole() {
    let rest = bundle("", "", "<!---->").len();
    check(bounds::BUNDLE, "the bundle is longer than 67108864 bytes", |length| {
        bundle("", "", &format!("<!--{}-->", "x".repeat(length - rest)))
    });
}

#[test]
fn counts() {
    let samples = |count: usize| {
        let list = format!("<trend-data>{}</trend-data>", "<sample name='n'>1</sample>".repeat(count));
        bundle("", "", &list).replace("type='event'", "type='information'")
    };
    check(bounds::SAMPLES, "more than 16384 elements `trend-data/sample`", samples);
    check(bounds::PARTS, "more than 1024 elements `attachments/attachment`", |count| {
        bundle("", "", &format!("<attachments>{}</attachments>", "<attachment name='n'/>".repeat(count)))
    });
    check(bounds::PARTS, "more than 1024 elements `logs/log`", |count| {
        bundle("", "", &format!("<logs>{}</logs>", "<log name='n'/>".repeat(count)))
    });
    check(bounds::ROUTING_ENGINES, "more than 16 elements `manifest/device/routing-engine`", |count| {
        bundle("", &"<routing-engine/>".repeat(count), "")
    });
    check(bounds::PART_NUMBERS, "more than 1024 elements `manifest/device/part-number`", |count| {
        bundle("", &"<part-number>1</part-number>".repeat(count), "")
    });
    check(bounds::CORE_FILES, "more than 256 elements `manifest/core-file`", |count| {
        bundle(&"<core-file path='p'/>".repeat(count), "", "")
    });
    check(bounds::SCRIPT_PARAMETERS, "more than 256 elements `manifest/script-parameter`", |count| {
        bundle(&"<script-parameter name='n'/>".repeat(count), "", "")
    });
}

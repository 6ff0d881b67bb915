//! What is written is read as it was.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

use std::borrow::Cow;

use jiff::Timestamp;
use linesman_schemas::Priority;
use linesman_schemas::bundle::{
    Bundle, Cdata, Content, CoreFile, Device, Element, Kind, Manifest, Part, Problem, Rma, RoutingEngine, Sample,
    Source, Variant, around, decode, encode,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

type Text = Cow<'static, str>;

/// Any text that XML has a place for, with what is hard to write more often than chance would.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[ -~]{0,8}",
        1 => prop::sample::select(vec!["]]>", "&amp;", "&#38;", "<![CDATA[", "<!--", "\r\n", "\r", "\n", "\t", "]]", ">", "\u{85}", "\u{fffd}", "\u{10ffff}", "\u{7f}"])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_filter("is no character of XML", |c| !matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
            .prop_map(String::from),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A field: not empty, without white space around it.
fn field() -> impl Strategy<Value = Text> {
    any_text().prop_map(|text| {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.is_empty() { Cow::Borrowed("-") } else { Cow::Owned(text.to_owned()) }
    })
}

fn value() -> impl Strategy<Value = Text> {
    prop_oneof![field(), Just(Cow::Borrowed(""))]
}

fn attribute() -> impl Strategy<Value = Text> {
    any_text().prop_map(Cow::Owned)
}

fn name() -> impl Strategy<Value = Text> {
    any_text().prop_map(|text| if text.is_empty() { "-".into() } else { text.into() })
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0_i64..253_000_000_000, 0_i32..1_000_000_000).prop_map(|(s, n)| Timestamp::new(s, n).unwrap())
}

fn host_event_id() -> impl Strategy<Value = Text> {
    "[a-z]{1,5}(-[a-z0-9&<\u{fc}]{1,5}){0,3}-[A-Z0-9]{1,12}-20[0-9]{2}1[0-2][0-2][1-9]-[01][0-9][0-5][0-9][0-5][0-9]-[0-9]{1,20}"
        .prop_map(Cow::Owned)
}

/// One element with others in it, up to the depth that a part has room for.
fn element() -> impl Strategy<Value = Element<'static>> {
    let leaf = any_text().prop_map(|text| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;");
        format!("<a b='{}' c=\"1\">{text}</a>", text.replace('\'', "&apos;"))
    });
    (leaf, 0_usize..60, any::<bool>()).prop_map(|(leaf, depth, has_noise)| {
        let noise = if has_noise { "<!-- c --><e/><![CDATA[<]]><?p i?>\n" } else { "" };
        let nested = format!("{}{noise}{leaf}{}", "<x:d>".repeat(depth), "</x:d>".repeat(depth));
        Element::parse(if depth == 0 { leaf } else { nested }).unwrap()
    })
}

fn content() -> impl Strategy<Value = Content<'static>> {
    prop_oneof![
        Just(Content::None),
        any_text().prop_map(|text| Content::Text(text.into())),
        element().prop_map(Content::Element)
    ]
}

fn part() -> impl Strategy<Value = Part<'static, Content<'static>>> {
    let attributes = [(); 4].map(|()| option::of(attribute()));
    (name(), attributes, option::of(any::<u64>()), content()).prop_map(
        |(name, [media_type, status, error, path], size, content)| Part {
            name,
            media_type,
            status,
            error,
            path,
            size,
            content,
        },
    )
}

fn sample() -> impl Strategy<Value = Sample<'static>> {
    (name(), option::of(attribute()), option::of(time()), value()).prop_map(|(name, unit, time, value)| Sample {
        name,
        unit,
        time,
        value,
    })
}

fn device() -> impl Strategy<Value = Device<'static>> {
    let engine = (option::of(attribute()), option::of(attribute()), option::of(field()), option::of(field()))
        .prop_map(|(slot, mastership, model, serial_number)| RoutingEngine { slot, mastership, model, serial_number });
    let required = [(); 4].map(|()| field());
    (required, option::of(field()), option::of(field()), vec(field(), 0..3), vec(engine, 0..3)).prop_map(
        |(
            [host_name, serial_number, product, os_version],
            management_address,
            platform,
            part_numbers,
            routing_engines,
        )| {
            Device {
                host_name,
                management_address,
                serial_number,
                product,
                platform,
                os_version,
                part_numbers,
                routing_engines,
            }
        },
    )
}

fn problem() -> impl Strategy<Value = Problem<'static>> {
    (field(), field(), option::of(field()), prop::sample::select(&Priority::ALL[..])).prop_map(
        |(event_type, synopsis, description, priority)| Problem { event_type, synopsis, description, priority },
    )
}

fn manifest() -> impl Strategy<Value = Manifest<'static>> {
    let core_file = (name(), option::of(any::<u64>())).prop_map(|(path, size)| CoreFile { path, size });
    let rma = (option::of(field()), option::of(field()), option::of(field()))
        .prop_map(|(part_number, serial_number, slot)| Rma { part_number, serial_number, slot });
    let optional = [(); 4].map(|()| option::of(field()));
    let lists = (vec((name(), value()), 0..3), vec(core_file, 0..3), option::of(rma));
    (host_event_id(), time(), optional, problem(), option::of(0_u8..8), device(), lists).prop_map(
        |(host_event_id, time_occurred, optional, problem, severity, device, (script_parameters, core_files, rma))| {
            let [problem_class, service_type, event_type_group, script_version] = optional;
            Manifest {
                host_event_id,
                problem_class,
                service_type,
                time_occurred,
                event_type_group,
                problem: Some(problem),
                severity,
                device,
                script_version,
                script_parameters,
                core_files,
                rma,
            }
        },
    )
}

fn bundle() -> impl Strategy<Value = Bundle<'static, Content<'static>>> {
    let pairs: Vec<_> =
        Kind::ALL.into_iter().flat_map(|kind| kind.variants().iter().map(move |variant| (kind, *variant))).collect();
    let parts = (vec(sample(), 0..3), vec(part(), 0..4), vec(part(), 0..4));
    (prop::sample::select(pairs), any::<bool>(), "1(\\.[0-9]{1,3})?", manifest(), parts).prop_map(
        |((kind, variant), is_off_box, version, manifest, (trend, attachments, logs))| {
            let version = version.into();
            let source = Source::default();
            let mut bundle = Bundle { source, kind, variant, is_off_box, version, manifest, trend, attachments, logs };
            if !bundle.is_problem() {
                bundle.manifest.problem = None;
            }
            match (kind, variant) {
                (Kind::Information, _) | (_, Variant::Rma | Variant::Information) => bundle.logs.clear(),
                _ => bundle.trend.clear(),
            }
            bundle
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_what_was_encoded_gives_the_same(bundle in bundle(), extension in vec(element(), 0..2)) {
        let text = encode(&bundle, &extension).unwrap();
        let read = decode(text.as_bytes()).unwrap().with_contents(text.as_bytes()).unwrap();
        prop_assert_eq!(read, bundle);
    }

    #[test]
    fn what_is_written_piece_by_piece_is_what_is_written_at_once(texts in vec(vec(any_text(), 0..4), 1..4)) {
        let mut bundle = small();
        let part = bundle.attachments[0].clone();
        let whole = |text: &Vec<String>| Part { content: Content::Text(text.concat().into()), ..part.clone() };
        bundle.attachments = texts.iter().map(whole).collect();
        let mut written = String::new();
        let mut texts = texts.iter();
        for piece in around(&bundle, &[]).unwrap() {
            written.push_str(&piece);
            let mut cdata = Cdata::default();
            texts.next().into_iter().flatten().for_each(|text| cdata.push(text, &mut written));
        }
        prop_assert_eq!(written, encode(&bundle, &[]).unwrap());
    }
}

/// A small bundle as the encoder takes it.
fn small() -> Bundle<'static, Content<'static>> {
    let text = "<jmb version='1.0' type='information'><manifest>\
        <host-event-ID>r-S-20261121-101502-17</host-event-ID><time-occurred>2026-11-21T10:15:02Z</time-occurred>\
        <device><host-name>r</host-name><serial-number>S</serial-number><product>MX240</product>\
        <os-version>21.4R3</os-version></device></manifest><attachments><attachment name='a'/></attachments></jmb>";
    decode(text.as_bytes()).unwrap().with_contents(text.as_bytes()).unwrap()
}

#[test]
fn what_xml_has_no_place_for_is_replaced() {
    let mut bundle = small();
    bundle.manifest.device.product = " MX\u{7}240\n".into();
    bundle.attachments[0].content = Content::Text("a\u{1b}[0m\r\n]]>".into());
    let text = encode(&bundle, &[]).unwrap();
    let read = decode(text.as_bytes()).unwrap().with_contents(text.as_bytes()).unwrap();
    assert_eq!(read.manifest.device.product, "MX\u{fffd}240");
    assert_eq!(read.attachments[0].content, Content::Text("a\u{fffd}[0m\r\n]]>".into()));
}

#[test]
fn the_encoder_refuses_what_the_decoder_would() {
    let refusal = |change: fn(&mut Bundle<'static, Content<'static>>)| {
        let mut bundle = small();
        change(&mut bundle);
        encode(&bundle, &[]).unwrap_err().fault.to_string()
    };
    assert_eq!(refusal(|b| b.manifest.device.product = " ".into()), "`manifest/device/product` is empty");
    assert_eq!(refusal(|b| b.logs.append(&mut b.attachments)), "bundles of type `information` have no section `logs`");
    assert_eq!(refusal(|b| b.kind = Kind::Event), "`manifest/event-type` is missing");
    assert_eq!(refusal(|b| b.version = "2.0".into()), "version `2.0` is not known, expected `1.0`");
}

#[test]
fn an_element_is_one_element() {
    for good in ["<a/>", "<a b='1'>x<c/></a>", "<a><![CDATA[</a>]]></a>", "<x:a xmlns:x='u'><!-- > --></x:a>"] {
        assert_eq!(Element::parse(good).unwrap().as_str(), good);
    }
    for (bad, fault) in [
        ("", "empty"),
        ("x", "malformed-part"),
        ("<a/><b/>", "malformed-part"),
        ("<a/> ", "malformed-part"),
        ("<!-- --><a/>", "malformed-part"),
        ("<a>", "truncated"),
        ("<a></b>", "not-well-formed"),
        ("</a>", "not-well-formed"),
        ("<a/></attachment><attachment>", "not-well-formed"),
        ("<!DOCTYPE a><a/>", "dtd"),
        ("<a>&#0;</a>", "control-character"),
    ] {
        assert_eq!(Element::parse(bad).unwrap_err().fault.name(), fault, "{bad}");
    }
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(Element::parse(nested(61)).is_ok());
    assert_eq!(Element::parse(nested(62)).unwrap_err().fault.name(), "bound-exceeded");
}

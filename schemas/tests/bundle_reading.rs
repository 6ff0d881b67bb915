//! What a good bundle says, whatever its spelling.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a failing helper is a failing test")]

use std::collections::HashMap;

use linesman_schemas::Priority;
use linesman_schemas::bundle::{Content, HostEventId, Kind, Variant, corpus, decode};

/// A bundle of the given head; `body` stands beside the manifest.
fn bundle(head: &str, body: &str) -> String {
    format!(
        "<jmb version='1.0' {head}><manifest>\
         <host-event-ID>r-1-S1-20261121-101502-17</host-event-ID><time-occurred>2026-11-21T10:15:02Z</time-occurred>\
         <event-type>X</event-type><problem-synopsis>s</problem-synopsis><priority>High</priority>\
         <device><host-name>r-1</host-name><serial-number>S1</serial-number><product>MX240</product>\
         <os-version>21.4R3</os-version></device></manifest>{body}</jmb>"
    )
}

#[test]
fn types_and_variants_give_incidents() {
    const TREND: &str = "<trend-data/><attachments/>";
    const LOGS: &str = "<attachments/><logs/>";
    for (head, body, kind, variant, incident) in [
        ("type='event'", LOGS, Kind::Event, Variant::None, Some("event")),
        ("type='event' variant='rma'", TREND, Kind::Event, Variant::Rma, Some("event-rma")),
        ("type='event' variant='health-check'", LOGS, Kind::Event, Variant::HealthCheck, Some("health-check")),
        ("type='information'", TREND, Kind::Information, Variant::None, None),
        ("type='on-demand' variant='event'", LOGS, Kind::OnDemand, Variant::Event, Some("on-demand")),
        ("type='on-demand' variant='information'", TREND, Kind::OnDemand, Variant::Information, None),
        ("type='on-demand' variant='rma'", TREND, Kind::OnDemand, Variant::Rma, Some("on-demand-rma")),
    ] {
        let text = bundle(head, body);
        let read = decode(text.as_bytes()).unwrap();
        assert_eq!((read.kind, read.variant, read.is_off_box), (kind, variant, false), "{head}");
        assert_eq!(read.incident_kind(), incident, "{head}");
        assert_eq!(read.is_problem(), incident.is_some(), "{head}");
        assert_eq!(read.manifest.problem.is_some(), incident.is_some(), "{head}");
        let off_box = bundle(&format!("{head} origin='off-box'"), body);
        assert!(decode(off_box.as_bytes()).unwrap().is_off_box, "{head}");
    }
}

#[test]
fn every_field_is_found_by_its_path() {
    let text = "\u{feff}<?xml version='1.0' encoding='utf-8' standalone='yes'?><!-- c --><?p i?>\
        <x:jmb xmlns:x='urn:any' version='1.7' type='event'>
        <x:logs><log name='messages' path='/var/log/messages' size='12'>a &lt; b<![CDATA[ ]]&gt;&]]></log></x:logs>
        <attachments note='1'><unknown><attachment name='no'/></unknown>
          <attachment name='a&amp;b' media-type='text/xml' status='ok' error='none'> <y:e xmlns:y='u'>1</y:e> </attachment>
        </attachments>
        <x:manifest>
          <time-occurred> 2026-11-21T10:15:02.5+05:30 </time-occurred>
          <host-event-ID>r-1-S1-20261121-101502-17</host-event-ID>
          <problem-class>Support</problem-class><service-type>reactive</service-type>
          <event-type-group>G</event-type-group><event-type>MAC error</event-type>
          <problem-synopsis>1 &lt; 2 &#x41;<!-- c --><![CDATA[<&]]></problem-synopsis>
          <problem-description>two\r\nlines</problem-description><priority>1 - Critical</priority><severity>0</severity>
          <inventory><serial-number>no</serial-number><device><product>no</product></device></inventory>
          <device>
            <host-name>r-1</host-name><management-address>192.0.2.1</management-address>
            <routing-engine slot='0' mastership='master'><serial-number>E0</serial-number><model>M</model></routing-engine>
            <serial-number>S1</serial-number><product>MX240</product><platform>junos</platform>
            <routing-engine slot='1'/><os-version>21.4R3</os-version><part-number>P1</part-number><part-number>P2</part-number>
          </device>
          <script-version>7.0R1</script-version><script-parameter name='p'>v</script-parameter><script-parameter name='q'/>
          <core-file path='/var/crash/c' size='7'/><core-file path='/d'>ignored</core-file>
          <rma><slot>PSM 1</slot><serial-number>PS</serial-number><part-number>740</part-number></rma>
        </x:manifest></x:jmb>\n<!-- end -->";
    let read = decode(text.as_bytes()).unwrap();
    assert_every_field(&read);
    let contents = read.with_contents(text.as_bytes()).unwrap();
    assert_eq!(contents.logs[0].content, Content::Text("a < b ]]&gt;&".into()));
    let Content::Element(element) = &contents.attachments[0].content else { panic!("no element") };
    assert_eq!(element.as_str(), "<y:e xmlns:y='u'>1</y:e>");
}

fn assert_every_field(read: &linesman_schemas::bundle::Bundle<'_>) {
    assert_eq!(read.version, "1.7");
    let manifest = &read.manifest;
    assert_eq!(manifest.host_event_id, "r-1-S1-20261121-101502-17");
    assert_eq!(manifest.time_occurred.to_string(), "2026-11-21T04:45:02.5Z");
    assert_eq!(manifest.problem_class.as_deref(), Some("Support"));
    assert_eq!(manifest.service_type.as_deref(), Some("reactive"));
    assert_eq!(manifest.event_type_group.as_deref(), Some("G"));
    assert_eq!(manifest.severity, Some(0));
    let problem = manifest.problem.as_ref().unwrap();
    assert_eq!((&*problem.event_type, &*problem.synopsis), ("MAC error", "1 < 2 A<&"));
    assert_eq!((problem.description.as_deref(), problem.priority), (Some("two\nlines"), Priority::Critical));
    let device = &manifest.device;
    assert_eq!((&*device.host_name, &*device.serial_number, &*device.product), ("r-1", "S1", "MX240"));
    assert_eq!(device.management_address.as_deref(), Some("192.0.2.1"));
    assert_eq!((device.platform.as_deref(), &*device.os_version), (Some("junos"), "21.4R3"));
    assert_eq!(device.part_numbers, ["P1", "P2"]);
    let engines: Vec<_> = device
        .routing_engines
        .iter()
        .map(|e| [&e.slot, &e.mastership, &e.model, &e.serial_number].map(|field| field.as_deref()))
        .collect();
    assert_eq!(engines, [[Some("0"), Some("master"), Some("M"), Some("E0")], [Some("1"), None, None, None]]);
    assert_eq!(manifest.script_version.as_deref(), Some("7.0R1"));
    assert_eq!(manifest.script_parameters, [("p".into(), "v".into()), ("q".into(), "".into())]);
    let files: Vec<_> = manifest.core_files.iter().map(|file| (&*file.path, file.size)).collect();
    assert_eq!(files, [("/var/crash/c", Some(7)), ("/d", None)]);
    let rma = manifest.rma.as_ref().unwrap();
    assert_eq!(
        [&rma.part_number, &rma.serial_number, &rma.slot].map(|f| f.as_deref()),
        [Some("740"), Some("PS"), Some("PSM 1")]
    );
    let attachment = &read.attachments[0];
    assert_eq!((&*attachment.name, attachment.media_type.as_deref()), ("a&b", Some("text/xml")));
    assert_eq!((attachment.status.as_deref(), attachment.error.as_deref()), (Some("ok"), Some("none")));
    assert_eq!((read.logs[0].path.as_deref(), read.logs[0].size), (Some("/var/log/messages"), Some(12)));
}

#[test]
fn samples_are_read_in_order() {
    let text = bundle(
        "type='information'",
        "<trend-data><sample name='cpu' unit='percent' time='2026-11-20T01:55:00Z'> 81 </sample><sample name='fan'/></trend-data>",
    );
    let read = decode(text.as_bytes()).unwrap();
    let samples: Vec<_> =
        read.trend.iter().map(|s| (&*s.name, s.unit.as_deref(), s.time.map(|t| t.to_string()), &*s.value)).collect();
    assert_eq!(
        samples,
        [("cpu", Some("percent"), Some("2026-11-20T01:55:00Z".to_owned()), "81"), ("fan", None, None, "")]
    );
}

#[test]
fn ranges_are_what_stands_between_the_tags() {
    for mark in ["", "\u{feff}"] {
        let text = format!(
            "{mark}{}",
            bundle("type='event'", "<logs><log name='a'>x&amp;</log><log name='b'/><log name='c'></log></logs>")
        );
        let read = decode(text.as_bytes()).unwrap();
        let inside: Vec<_> = read.logs.iter().map(|log| &text[log.content.clone()]).collect();
        assert_eq!(inside, ["x&amp;", "", ""]);
    }
}

#[test]
fn the_corpus_says_what_it_promises() {
    let specimens = corpus::specimens();
    assert!(specimens.len() >= 44, "{}", specimens.len());
    assert_eq!(specimens, corpus::specimens());
    let mut names = HashMap::new();
    let mut ids = HashMap::<String, usize>::new();
    for specimen in &specimens {
        assert_eq!(names.insert(&specimen.name, ()), None, "{}", specimen.name);
        let found = decode(&specimen.bytes);
        assert_eq!(found.as_ref().err().map(|e| e.fault.name()), specimen.fault, "{}: {found:?}", specimen.name);
        if let Ok(bundle) = found {
            let id = HostEventId::parse(&bundle.manifest.host_event_id).unwrap();
            assert_eq!(
                (id.router, id.serial),
                (&*bundle.manifest.device.host_name, &*bundle.manifest.device.serial_number)
            );
            *ids.entry(bundle.manifest.host_event_id.into_owned()).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = ids.into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts.pop(), Some(2), "one deliberate repeat");
    assert!(counts.iter().all(|count| *count == 1), "{counts:?}");
    let attack = corpus::attack();
    let [first, seen, over] = [&specimens[0], &attack[0], &attack[1]].map(|it| decode(&it.bytes).unwrap().manifest);
    assert!(seen.host_event_id != over.host_event_id && seen.host_event_id != first.host_event_id);
    assert_eq!((&seen.device, &over.device), (&first.device, &first.device));
    for end in [&seen, &over].map(|manifest| manifest.problem.as_ref().unwrap().synopsis.rsplit(' ').next()) {
        assert_eq!(end, Some("192.0.2.7"));
    }
    // What comes after is new for as long as anybody watches.
    let mut ids: Vec<String> = specimens
        .iter()
        .chain(&attack)
        .filter_map(|it| decode(&it.bytes).ok())
        .map(|it| it.manifest.host_event_id.into_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    for number in 0..2_000 {
        let later = corpus::later(number);
        let manifest = decode(&later.bytes).unwrap().manifest;
        assert!(manifest.problem.is_some(), "{number}");
        ids.push(manifest.host_event_id.into_owned());
    }
    for round in 1..4 {
        let again = corpus::of_round(round);
        let faults = |specimens: &[corpus::Specimen]| specimens.iter().map(|it| it.fault).collect::<Vec<_>>();
        assert_eq!(faults(&again), faults(&specimens));
        let good = again.iter().filter(|it| it.fault.is_none()).map(|it| decode(&it.bytes).unwrap().manifest);
        let mut good: Vec<String> = good.map(|manifest| manifest.host_event_id.into_owned()).collect();
        assert_eq!(good.pop().as_ref(), good.first(), "the deliberate repeat");
        ids.extend(good);
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

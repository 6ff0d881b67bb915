//! What old devices send: read from level 16 on as its label says, with its damage; before that set aside, in the same words.

use super::*;
use crate::incidents::history::{self, HistoryRow};

/// A critical bundle, with a log in it, both as bytes.
fn labelled(label: &str, synopsis: &[u8], log: &[u8]) -> Vec<u8> {
    let whole = bundle("edge", 1, "Critical").replace("secret synopsis of edge", "SYNOPSIS");
    let whole =
        whole.replace("</jmb>", "<logs><log name=\"messages\">LOG</log><log name=\"dcd\">fine</log></logs></jmb>");
    let declared = format!("<?xml version=\"1.0\" encoding=\"{label}\"?>{whole}");
    let (front, rest) = declared.split_once("SYNOPSIS").unwrap();
    let (middle, end) = rest.split_once("LOG").unwrap();
    [front.as_bytes(), synopsis, middle.as_bytes(), log, end.as_bytes()].concat()
}

/// What a lane at a level comes to: the synopsis of the incident, and what is damaged; or what the dead letter says.
fn comes_to(level: u32, bytes: &[u8]) -> Result<(String, Vec<String>), String> {
    let mut lane = Lane::with_at(level, &[]);
    lane.take("acme", "jmb", bytes);
    if let [letter] = lane.on("acme.dead.bundle-undecodable")[..] {
        assert!(lane.on("acme.trigger.incident.detected").is_empty());
        return Err(letter.data["detail"].as_str().unwrap().to_owned());
    }
    let id = "acme-1".parse().unwrap();
    let incident = lane.domain.incident(&id).unwrap().unwrap();
    let row: HistoryRow = lane.row(&history::key(&id.org, id.number)).unwrap_or_default();
    let changes = row.lines.iter().flat_map(|line| &line.changes);
    let told = changes.map(|change| format!("{} {}", change.what, change.new)).collect();
    Ok((incident.row.synopsis.clone(), told))
}

#[test]
fn a_label_is_taken_at_its_word_from_level_16_on() {
    for (label, synopsis, read) in [
        ("us-ascii", &b"FPC 2 offline"[..], "FPC 2 offline"),
        ("iso-8859-1", b"gr\xF6\xDFer", "größer"),
        ("Windows-1252", b"\x80 5", "€ 5"),
    ] {
        let bytes = labelled(label, synopsis, b"lines");
        assert_eq!(comes_to(16, &bytes), Ok((read.to_owned(), Vec::new())), "{label}");
        for level in [1, 15] {
            let refused = comes_to(level, &bytes).unwrap_err();
            let expected = match synopsis.is_ascii() {
                true => format!("wrong-encoding: the encoding `{label}` is not UTF-8"),
                false => "bad-utf8: these bytes are not UTF-8".to_owned(),
            };
            assert_eq!(refused, expected, "level {level}");
        }
    }
    let refused = comes_to(16, &labelled("us-ascii", b"\xE9", b"")).unwrap_err();
    assert_eq!(refused, "bad-byte: the byte E9 is no character of US-ASCII");
}

#[test]
fn a_damaged_log_is_named_in_the_history_of_its_incident() {
    for log in [&b"\xFF"[..], b"a\x07", b"&#7;"] {
        let bytes = labelled("UTF-8", b"FPC 2 offline", log);
        assert_eq!(comes_to(16, &bytes), Ok(("FPC 2 offline".to_owned(), vec!["damaged messages".to_owned()])));
        let refused = comes_to(15, &bytes).unwrap_err();
        assert!(refused.starts_with("bad-utf8: ") || refused.starts_with("control-character: "), "{refused}");
    }
    // What a device calls so itself is no news to levels before.
    let own = String::from_utf8(labelled("UTF-8", b"x", b"y"))
        .unwrap()
        .replace("\"messages\"", "\"messages\" status=\"damaged\"");
    assert_eq!(comes_to(15, own.as_bytes()).unwrap().1, Vec::<String>::new());
    assert_eq!(comes_to(16, own.as_bytes()).unwrap().1, ["damaged messages"]);
}

#[test]
fn times_before_1970_and_at_the_end_of_all_are_read_from_level_16_on() {
    for (time, occurred) in [
        ("1970-01-01T00:00:30+01:00", "1969-12-31T23:00:30Z"),
        ("1601-01-01T00:00:00Z", "1601-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-30T22:00:00.999999999Z"),
    ] {
        let text = bundle("edge", 1, "High").replace("2026-11-21T10:15:02Z", time);
        let refused = comes_to(15, text.as_bytes()).unwrap_err();
        assert!(refused.ends_with("expected an RFC 3339 time from 1970 on"), "{refused}");
        let mut lane = Lane::with(&[]);
        lane.reopens = true;
        lane.take("acme", "jmb", text.as_bytes());
        assert_eq!(lane.on("acme.trigger.incident.detected")[0].data["occurred"], occurred);
        let incident = lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap();
        assert_eq!(incident.row.occurred.to_string(), occurred, "it is kept");
    }
}

#[test]
fn an_outline_is_read_as_its_level_reads_bundles() {
    let outline = bundle("edge", 1, "High").replace("2026-11-21T10:15:02Z", "1601-01-01T00:00:00Z");
    let kept = json!({"bundle_kept": {"device": "edge", "outline": outline, "stored": "d-1", "size": 9_000_000,
        "sha256": "07".repeat(32), "parts": []}});
    for (level, letters) in [(15, 1), (16, 0)] {
        let mut lane = Lane::with_at(level, &[]);
        lane.take("acme", "result", kept.to_string().as_bytes());
        assert_eq!(lane.on("acme.dead.bundle-undecodable").len(), letters, "level {level}");
    }
}

#[test]
fn a_damaged_inventory_tells_nothing_of_parts() {
    let told = |damage: &str| {
        let inventory = format!(
            "<chassis-inventory><chassis><chassis-module><name>FPC 0</name><serial-number>CA1</serial-number>\
             <description>{damage}</description></chassis-module></chassis></chassis-inventory>"
        );
        let attachments =
            format!("<attachments><attachment name=\"edge_shd_xml.xml\">{inventory}</attachment></attachments></jmb>");
        let mut lane = Lane::with(&[]);
        lane.take("acme", "jmb", bundle("edge", 1, "High").replace("</jmb>", &attachments).as_bytes());
        assert_eq!(lane.on("acme.trigger.incident.detected").len(), 1);
        snapshots::parts::parts(&lane.base, &"acme".parse().unwrap(), "SNedge").unwrap().len()
    };
    assert_eq!((told("fine"), told("&#7;")), (1, 0));
}

#[test]
fn an_inventory_that_ends_in_a_comment_is_read_from_level_17_on() {
    let told = |level: u32, behind: &str| {
        let inventory = format!(
            "<chassis-inventory><chassis><chassis-module><name>FPC 0</name><serial-number>CA1</serial-number>\
             </chassis-module></chassis></chassis-inventory>{behind}"
        );
        let attachments =
            format!("<attachments><attachment name=\"edge_shd_xml.xml\">{inventory}</attachment></attachments></jmb>");
        let mut lane = Lane::with_at(level, &[]);
        lane.take("acme", "jmb", bundle("edge", 1, "High").replace("</jmb>", &attachments).as_bytes());
        assert_eq!(lane.on("acme.trigger.incident.detected").len(), 1);
        snapshots::parts::parts(&lane.base, &"acme".parse().unwrap(), "SNedge").unwrap().len()
    };
    for behind in ["<!-- end -->", "<?end?> "] {
        let found: Vec<usize> = [12, 15, 16, 17].map(|level| told(level, behind)).into();
        // White space behind it was its end before, too.
        let before = usize::from(behind.ends_with(' '));
        assert_eq!(found, [before, before, before, 1], "{behind}");
    }
}

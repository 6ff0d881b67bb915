//! Every kind of tampering is found, and named as far as it can be.

use proptest::prelude::*;

use super::*;

/// A line's record, changed by whoever knows how lines are made: its hash fits again.
fn rewritten(line: &str, from: &str, to: &str) -> String {
    let start = line.find("\"record\":").unwrap() + 9;
    let end = line.rfind(",\"detail\"").unwrap();
    let record = line[start..end].replacen(from, to, 1);
    let index = line.split([':', ',']).nth(1).unwrap();
    let leaf = Hash::of_leaf(record.as_bytes());
    format!("{{\"index\":{index},\"leaf\":\"{leaf}\",\"record\":{record},\"detail\":\"\"}}")
}

/// The lines under a first line whose checkpoint fits, signed by somebody else.
fn signed_anew(lines: &[String], by: &Signer) -> Vec<String> {
    let mut head = Head::default();
    for line in &lines[1..] {
        let leaf = line.split("\"leaf\":\"").nth(1).unwrap().split('"').next().unwrap();
        head.append(leaf.parse().unwrap());
    }
    let origin = origin("2026-11-21T10:00:00Z", "acme");
    let checkpoint = Checkpoint { origin, size: head.size(), root: head.root(), bodies: Some(0) };
    let mut out = Vec::new();
    export::header(&mut out, &checkpoint, &checkpoint.sign(by), &[]).unwrap();
    let first = String::from_utf8(out).unwrap().trim_end().to_owned();
    std::iter::once(first).chain(lines[1..].iter().cloned()).collect()
}

#[test]
fn what_was_not_touched_is_whole() {
    for size in [0, 1, 2, 20] {
        let log = Log::of(size);
        let kept: Vec<Kept> =
            [0, 1, 9, 20].into_iter().filter(|at| *at as u64 <= size).map(|at| log.kept(at)).collect();
        let report = log.verify(&log.lines(), &kept);
        assert_eq!((report.faults, report.more), (Vec::new(), 0));
        assert_eq!((report.size, report.aged, report.agreeing), (size, 0, kept.len() + 1));
    }
}

/// The line of a record without what it says, as that of one whose time is over.
fn emptied(line: &str) -> String {
    format!("{}}}", &line[..line.find(",\"record\"").unwrap()])
}

/// A log whose first records have aged.
fn aged(size: u64, aged: usize) -> Log {
    let mut log = Log::of(size);
    for row in &mut log.rows[..aged] {
        (row.body, row.detail) = (None, String::new());
    }
    log
}

#[test]
fn what_has_aged_is_whole_too() {
    for all in [7, 20] {
        let log = aged(20, all);
        let report = log.verify(&log.lines(), &[log.kept(5), log.kept(12)]);
        assert_eq!((report.faults, report.aged, report.agreeing), (Vec::new(), all as u64, 3));
        assert_eq!(report.bodies, Some(all as u64));
    }
}

#[test]
fn what_was_emptied_is_told_from_what_has_aged() {
    let said = |index: u64, from: u64| {
        format!("record {index} was emptied: the checkpoint says that bodies are there from record {from} on")
    };
    for (had_aged, taken) in [(0, 0..1), (0, 0..5), (0, 0..20), (7, 7..8), (7, 7..12), (7, 9..10), (0, 19..20)] {
        let log = aged(20, had_aged);
        let mut lines = log.lines();
        for line in &mut lines[1 + taken.start..=taken.end] {
            *line = emptied(line);
        }
        let expected: Vec<String> = taken.map(|index| said(index as u64, had_aged as u64)).collect();
        assert_eq!(log.faults(&lines, &[log.kept(20)]), expected);
        // Who has no key cannot move what the checkpoint says.
        let moved = lines[0].replacen(&format!("bodies-from {had_aged}"), "bodies-from 20", 1);
        assert_ne!(moved, lines[0]);
        let forged = "the checkpoint `the export's own` proves nothing: its signature is not one of its text";
        assert_eq!(log.faults(&[&[moved], &lines[1..]].concat(), &[])[0], forged);
    }
}

#[test]
fn an_export_of_before_checkpoints_said_what_had_aged_is_whole_where_nothing_had() {
    let before = |log: &Log| Checkpoint { bodies: None, ..log.checkpoint(20) };
    let log = Log::of(20);
    let mut lines = log.lines_under(&before(&log));
    assert!(!lines[0].contains("bodies-from"));
    let note = before(&log).sign(&log.signer);
    let report = log.verify(&lines, &[Kept { name: "kept".to_owned(), note: note.clone() }, log.kept(9)]);
    assert_eq!((report.faults, report.bodies, report.agreeing), (Vec::new(), None, 3));
    lines[10] = emptied(&lines[10]);
    assert_eq!(log.faults(&lines, &[]), ["record 9 was emptied: an older one still has its body"]);
    for (aged, told) in [(1, "record 0 has its"), (7, "records 0 to 6 have their"), (20, "records 0 to 19 have their")]
    {
        let mut lines = log.lines_under(&before(&log));
        lines[1..=aged].iter_mut().for_each(|line| *line = emptied(line));
        let told = format!("{told} hash alone, and the checkpoint does not say whether by age: export the log again");
        assert_eq!(log.faults(&lines, &[]), [told]);
    }
    // Nor is it cured by giving a newer export an older checkpoint of the same size.
    let mut lines = log.lines();
    lines[1] = emptied(&lines[1]);
    let swapped = [&log.lines_under(&before(&log))[..1], &lines[1..]].concat();
    let told = "record 0 has its hash alone, and the checkpoint does not say whether by age: export the log again";
    assert_eq!(log.faults(&swapped, &[]), [told]);
}

#[test]
fn a_changed_record_is_named_and_the_others_are_proved() {
    let log = Log::of(20);
    let mut lines = log.lines();
    lines[8] = lines[8].replacen("acme/ann", "acme/bob", 1);
    assert_eq!(log.faults(&lines, &[log.kept(12)]), ["record 7 was changed: it does not give its hash"]);
    // A blank is a change.
    let mut lines = log.lines();
    lines[8] = lines[8].replacen("\"old\":null", "\"old\": null", 1);
    assert_eq!(log.faults(&lines, &[]), ["record 7 was changed: it does not give its hash"]);
}

#[test]
fn removed_moved_and_repeated_records_are_named() {
    let log = Log::of(20);
    let lines = log.lines();
    let without = |range: std::ops::Range<usize>| {
        let mut lines = lines.clone();
        lines.drain(range);
        log.faults(&lines, &[])
    };
    // What is there is proved as far as a checkpoint is reached before.
    let unproved = |from: u64, to: u64| {
        let why = "where records are missing or moved no checkpoint is reached";
        format!("records {from} to {to} may be others, as far as they are there: {why}")
    };
    let and = |fault: &str, to: u64| vec![fault.to_owned(), unproved(0, to)];
    assert_eq!(without(8..9), and("record 7 is missing", 19));
    assert_eq!(without(8..11), and("records 7 to 9 are missing", 19));
    assert_eq!(without(1..2), and("record 0 is missing", 19));
    assert_eq!(without(18..21), and("records 17 to 19 are missing", 16));
    assert_eq!(without(1..21), ["records 0 to 19 are missing"]);
    let mut cut = lines.clone();
    cut.drain(13..16);
    let faults = |kept: usize| log.faults(&cut, &[log.kept(kept)]);
    assert_eq!(faults(12), ["records 12 to 14 are missing".to_owned(), unproved(12, 19)]);
    assert_eq!(faults(9), ["records 12 to 14 are missing".to_owned(), unproved(9, 19)]);
    let mut swapped = lines.clone();
    swapped.swap(8, 9);
    assert_eq!(log.faults(&swapped, &[]), and("record 7 stands behind a later one", 19));
    let mut repeated = lines.clone();
    repeated.insert(12, lines[8].clone());
    assert_eq!(log.faults(&repeated, &[]), ["record 7 is there again"]);
    let mut added = lines.clone();
    added.push(rewritten(&lines[20].replace("19", "20"), "acme/ann", "acme/bob"));
    assert_eq!(log.faults(&added, &[]), ["record 20 was added: the log has 20 records"]);
}

#[test]
fn lines_that_are_numbered_anew_are_found_by_the_records_own_numbers() {
    let log = Log::of(20);
    let mut lines = log.lines();
    lines.remove(8);
    for (line, index) in lines[8..].iter_mut().zip(7..) {
        *line = line.replacen(&format!("{{\"index\":{}", index + 1), &format!("{{\"index\":{index}"), 1);
    }
    let faults = log.faults(&signed_anew(&lines, &log.signer), &[]);
    assert_eq!(faults[0], "record 7 says that it is record 8");
    assert_eq!(faults.len(), 12);
}

#[test]
fn a_past_that_was_rewritten_is_narrowed_by_kept_checkpoints() {
    let log = Log::of(20);
    let mut lines = log.lines();
    lines[8] = rewritten(&lines[8], "acme/ann", "acme/bob");
    let own = "one of the records 0 to 19 is another than when the checkpoint `the export's own` was signed";
    assert_eq!(log.faults(&lines, &[]), [own]);
    let faults = log.faults(&lines, &[log.kept(20), log.kept(9), log.kept(5)]);
    let named =
        |name: &str| format!("one of the records 5 to 8 is another than when the checkpoint `{name}` was signed");
    assert_eq!(faults, ["at-9", "the export's own", "at-20"].map(named));
    let faults = log.faults(&lines, &[log.kept(8), log.kept(7)]);
    assert_eq!(faults[0], "record 7 is another than when the checkpoint `at-8` was signed");
    // With the engine's own key a new checkpoint can be made; those that were kept still tell.
    let resigned = signed_anew(&lines, &log.signer);
    assert_eq!(log.faults(&resigned, &[]), [""; 0]);
    let faults = log.faults(&resigned, &[log.kept(8)]);
    assert_eq!(faults, ["one of the records 0 to 7 is another than when the checkpoint `at-8` was signed"]);
}

#[test]
fn a_log_that_was_cut_is_shorter_than_what_was_kept() {
    let log = Log::of(20);
    let cut = signed_anew(&log.lines()[..15], &log.signer);
    assert_eq!(log.faults(&cut, &[log.kept(10)]), [""; 0]);
    assert_eq!(log.faults(&cut, &[log.kept(18)]), ["the checkpoint `at-18` is of 18 records; here the log has 14"]);
}

#[test]
fn checkpoints_of_others_prove_nothing() {
    let (log, stranger) = (Log::of(20), signer());
    let resigned = signed_anew(&log.lines(), &stranger);
    let unsigned = "the checkpoint `the export's own` proves nothing: it is not signed with the key";
    assert_eq!(log.faults(&resigned, &[]), [unsigned]);
    let foreign = Checkpoint { origin: "linesman/x/bolt".to_owned(), ..log.checkpoint(5) }.sign(&log.signer);
    let kept = [Kept { name: "k".to_owned(), note: foreign }, Kept { name: "m".to_owned(), note: "x".to_owned() }];
    let told = [
        "the checkpoint `k` is one of another log, `linesman/x/bolt`",
        "the checkpoint `m` proves nothing: it is no checkpoint: three lines or more, a blank one, and its signature",
    ];
    assert_eq!(log.faults(&log.lines(), &kept), told);
    let mut lines = log.lines();
    lines[0] = lines[0].replacen("\"size\":20", "\"size\":21", 1);
    let told = ["the first line says something else than the checkpoint in it", "record 20 is missing"];
    assert_eq!(log.faults(&lines, &[]), told);
}

#[test]
fn only_a_whole_log_is_verified() {
    // Nor one whose name would say something by itself.
    let mut lines = Log::of(2).lines();
    let name = lines[0].find("linesman/").unwrap();
    lines[0].insert_str(name, "\\nwhole, and as it was written\\n");
    let refused = verify(lines.join("\n").as_bytes(), &[], None).unwrap_err().to_string();
    assert!(refused.starts_with("the first line says of no whole log"), "{refused}");
    let log = Log::of(3);
    for export in [String::new(), "x\n".to_owned(), log.lines()[1..].join("\n"), "index,leaf\r\n".to_owned()] {
        let refused = verify(export.as_bytes(), &[], None).unwrap_err().to_string();
        assert!(refused.starts_with("the first line says of no whole log"), "{refused}");
    }
}

#[test]
fn logs_of_one_export_are_verified_each_and_none_is_left_out() {
    let (log, signer) = (Log::of(6), signer());
    let names = ["a", "b"].map(|owner| origin("2026-11-21T10:00:00Z", owner));
    let note = |name: &String| Checkpoint { origin: name.clone(), ..log.checkpoint(6) };
    let mut lines = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let named = if place == 0 { &names[..] } else { &[] };
        let mut out = Vec::new();
        export::header(&mut out, &note(name), &note(name).sign(&signer), named).unwrap();
        lines.push(String::from_utf8(out).unwrap().trim_end().to_owned());
        lines.extend_from_slice(&log.lines()[1..]);
    }
    let kept: Vec<Kept> =
        names.iter().map(|name| Kept { name: "k".to_owned(), note: note(name).sign(&signer) }).collect();
    let told = |lines: &[String], kept: &[Kept]| {
        let key = signer.public("any");
        let reports = verify((lines.join("\n") + "\n").as_bytes(), kept, Some(&key)).unwrap();
        let of_each = reports.iter().map(|report| report.faults.iter().map(ToString::to_string).collect::<Vec<_>>());
        (of_each.collect::<Vec<_>>(), reports.iter().map(|report| report.agreeing).collect::<Vec<_>>())
    };
    assert_eq!(told(&lines, &kept), (vec![Vec::new(), Vec::new()], vec![2, 2]));
    let missing = "the log `linesman/2026-11-21T10:00:00Z/b` is missing".to_owned();
    assert_eq!(told(&lines[..7], &[]).0, [vec![missing]]);
    // Nor where the first line names it no more, for whoever has a checkpoint of it.
    let mut cut = lines[..7].to_vec();
    let named = cut[0].find(",\"logs\"").unwrap();
    cut[0] = format!("{}}}", &cut[0][..named]);
    let foreign = "the checkpoint `k` is one of another log, `linesman/2026-11-21T10:00:00Z/b`".to_owned();
    assert_eq!(told(&cut, &kept).0, [vec![foreign]]);
    assert_eq!(told(&cut, &kept[..1]).0, [Vec::<String>::new()], "it is an export of one log");
    let twice = [&lines[..], &lines[7..]].concat();
    assert_eq!(told(&twice, &[]).0[2], ["the log is there again"]);
    lines.remove(10);
    let unproved = "records 0 to 5 may be others, as far as they are there: where records are missing or moved no \
                    checkpoint is reached";
    assert_eq!(told(&lines, &kept).0, [Vec::new(), vec!["record 2 is missing".to_owned(), unproved.to_owned()]]);
}

#[test]
fn faults_are_bounded_and_counted() {
    let log = Log::of(5);
    let mut lines = log.lines();
    lines.extend(std::iter::repeat_n("x".to_owned(), 1000));
    let report = log.verify(&lines, &[]);
    assert_eq!((report.faults.len(), report.more), (100, 900));
    assert_eq!(report.faults[0].to_string(), "line 7 is no line of an export");
}

#[test]
fn a_table_is_one_that_spreadsheets_take_for_text() {
    let mut out = Vec::new();
    export::columns(&mut out);
    let mut row = row(4);
    row.detail = "=1+1".to_owned();
    export::cells_of(&mut out, "acme", 4, &row).unwrap();
    row.body = None;
    row.detail = String::new();
    export::cells_of(&mut out, "acme", 5, &row).unwrap();
    let expected = format!(
        "organization,index,time,actor,chain,node,operation,place,about,outcome,detail,old,new,command,rule_book,leaf\r\n\
         acme,4,2026-11-21T10:00:00Z,acme/ann,admin,one,set_organization,acme,,done,\"'=1+1\",null,\
         \"{{\"\"display_name\"\":\"\"Acme 4\"\"}}\",c1,1,{leaf}\r\nacme,5,,,,,,,,,,,,,,{leaf}\r\n",
        leaf = row.leaf
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

/// Where in an export something changes, and how.
#[derive(Debug, Clone)]
enum Tamper {
    Byte(usize, usize, u8),
    Remove(usize),
    Swap(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
    Empty(usize, usize),
    Rewrite(usize),
}

fn tampering() -> impl Strategy<Value = Tamper> {
    let at = || 0..1000_usize;
    prop_oneof![
        3 => (at(), at(), 1..=255_u8).prop_map(|(line, byte, mask)| Tamper::Byte(line, byte, mask)),
        1 => at().prop_map(Tamper::Remove),
        1 => (at(), at()).prop_map(|(one, other)| Tamper::Swap(one, other)),
        1 => (at(), at()).prop_map(|(one, to)| Tamper::Repeat(one, to)),
        1 => at().prop_map(Tamper::Cut),
        1 => (at(), 1..4_usize).prop_map(|(line, many)| Tamper::Empty(line, many)),
        1 => (1..40_usize).prop_map(|many| Tamper::Empty(0, many)),
        1 => at().prop_map(Tamper::Rewrite),
    ]
}

/// What of a line is proved: all but the words for people.
fn proved(line: &str) -> &str {
    line.find(",\"detail\"").map_or(line, |end| &line[..end])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever is done to an export, as often as you like: if it still says something else, that is found.
    #[test]
    fn no_tampering_goes_unnoticed(
        size in 2..40_u64, gone in 0..50_usize, done in proptest::collection::vec(tampering(), 1..4),
    ) {
        // Half of the logs have aged, as far as it goes.
        let log = aged(size, gone.saturating_sub(25).min(usize::try_from(size).unwrap()));
        let lines = log.lines();
        let mut changed: Vec<Vec<u8>> = lines.iter().map(|line| line.clone().into_bytes()).collect();
        for tamper in done {
            let records = changed.len() - 1;
            if records == 0 {
                break;
            }
            let at = |at: usize| 1 + at % records;
            match tamper {
                Tamper::Byte(line, byte, mask) => {
                    let line = at(line);
                    let until = proved(&String::from_utf8_lossy(&changed[line])).len();
                    if let Some(byte) = changed[line].get_mut(byte % until) {
                        *byte ^= mask;
                    }
                }
                Tamper::Remove(line) => drop(changed.remove(at(line))),
                Tamper::Swap(one, other) => changed.swap(at(one), at(other)),
                Tamper::Repeat(one, to) => changed.insert(at(to), changed[at(one)].clone()),
                Tamper::Cut(line) => changed.truncate(at(line)),
                Tamper::Empty(line, many) => {
                    for line in changed.iter_mut().skip(at(line)).take(many) {
                        let Ok(text) = std::str::from_utf8(line) else { continue };
                        if text.contains(",\"record\"") {
                            *line = emptied(text).into_bytes();
                        }
                    }
                }
                Tamper::Rewrite(line) => {
                    let line = at(line);
                    let Ok(text) = std::str::from_utf8(&changed[line]) else { continue };
                    if text.contains(",\"record\":") && text.contains(",\"detail\"") {
                        changed[line] = rewritten(text, "acme/ann", "acme/bob").into_bytes();
                    }
                }
            }
        }
        let is_same = changed.len() == lines.len()
            && changed.iter().zip(&lines).all(|(one, other)| proved(&String::from_utf8_lossy(one)) == proved(other));
        let export = [changed.join(&b'\n'), b"\n".to_vec()].concat();
        let key = log.signer.public("any");
        let reports = verify(&*export, &[], Some(&key)).unwrap();
        prop_assert_eq!(reports.iter().all(|report| report.faults.is_empty()), is_same, "{:?}", reports);
    }
}

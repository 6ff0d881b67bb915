//! Exports that were tampered with, and checkpoints, read and signed by an implementation that is not ours.

mod checkpoints;
mod tampering;

use std::path::Path;

use linesman_domain::audit::{AuditRow, Hash, Head};
use linesman_schemas::Principal;
use linesman_schemas::audit::{Record, Verdict};
use serde_json::json;

use super::checkpoint::{Checkpoint, origin};
use super::export;
use super::key::Signer;
use super::verify::{Kept, Report, verify};

fn signer() -> Signer {
    let folder = tempfile::tempdir().unwrap();
    Signer::open(folder.path()).unwrap()
}

fn row(index: u64) -> AuditRow {
    let record = Record {
        index,
        time: "2026-11-21T10:00:00Z".parse().unwrap(),
        actor: "acme/ann".to_owned(),
        chain: vec!["admin".to_owned()],
        principal: Some(Principal::Machine),
        node: "one".to_owned(),
        operation: "set_organization".to_owned(),
        place: "acme".to_owned(),
        about: None,
        old: json!(null),
        new: json!({"display_name": format!("Acme {index}")}),
        outcome: Verdict::Done,
        command: "c1".parse().unwrap(),
        rule_book: 1,
    };
    let body = linesman_domain::audit::record::text(record).unwrap();
    AuditRow { leaf: Hash::of_leaf(body.as_bytes()), body: Some(body), detail: "changed, \"as asked\"".to_owned() }
}

/// A log of an engine, and what goes out of it.
struct Log {
    signer: Signer,
    rows: Vec<AuditRow>,
}

impl Log {
    fn of(size: u64) -> Self {
        Self { signer: signer(), rows: (0..size).map(row).collect() }
    }

    fn checkpoint(&self, size: usize) -> Checkpoint {
        let mut head = Head::default();
        for row in &self.rows[..size] {
            head.append(row.leaf);
        }
        let aged = self.rows[..size].iter().take_while(|row| row.body.is_none()).count() as u64;
        let origin = origin("2026-11-21T10:00:00Z", "acme");
        Checkpoint { origin, size: size as u64, root: head.root(), bodies: Some(aged) }
    }

    fn kept(&self, size: usize) -> Kept {
        Kept { name: format!("at-{size}"), note: self.checkpoint(size).sign(&self.signer) }
    }

    /// The lines of an export.
    fn lines(&self) -> Vec<String> {
        self.lines_under(&self.checkpoint(self.rows.len()))
    }

    /// The lines of an export under a first line that has this checkpoint.
    fn lines_under(&self, checkpoint: &Checkpoint) -> Vec<String> {
        let mut out = Vec::new();
        export::header(&mut out, checkpoint, &checkpoint.sign(&self.signer), &[]).unwrap();
        for (index, row) in (0..).zip(&self.rows) {
            export::line(&mut out, index, row).unwrap();
        }
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    fn verify(&self, lines: &[String], kept: &[Kept]) -> Report {
        let key = self.signer.public("any");
        let mut reports = verify((lines.join("\n") + "\n").as_bytes(), kept, Some(&key)).unwrap();
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    }

    /// What is found, in words.
    fn faults(&self, lines: &[String], kept: &[Kept]) -> Vec<String> {
        self.verify(lines, kept).faults.iter().map(ToString::to_string).collect()
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

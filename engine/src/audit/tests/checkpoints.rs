//! Notes and keys, held against the `signed_note` and `tlog_tiles` crates.

use signed_note::{Note, StandardSigner, StandardVerifier, Verifier, VerifierList};

use super::*;
use crate::audit::checkpoint::{CheckpointError, notes};
use crate::audit::key::VerifierKey;

fn opened(note: &str, key: &str) -> Result<tlog_tiles::Checkpoint, String> {
    let verifier = StandardVerifier::new(key).map_err(|error| error.to_string())?;
    let verifiers = VerifierList::new(vec![Box::new(verifier) as Box<dyn Verifier>]);
    let note = Note::from_bytes(note.as_bytes()).map_err(|error| error.to_string())?;
    let (verified, _) = note.verify(&verifiers).map_err(|error| error.to_string())?;
    if verified.is_empty() {
        return Err("nobody signed".to_owned());
    }
    tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|error| error.to_string())
}

#[test]
fn another_implementation_opens_our_notes_with_our_key() {
    for size in [0, 1, 7] {
        let log = Log::of(7);
        let checkpoint = log.checkpoint(size);
        let note = checkpoint.sign(&log.signer);
        let key = log.signer.public(&checkpoint.origin).to_string();
        let read = opened(&note, &key).unwrap();
        assert_eq!((read.origin(), read.size(), read.hash().0), (&*checkpoint.origin, size as u64, checkpoint.root.0));
        let forged = note.replacen(&format!("\n{size}\n"), "\n8\n", 1);
        opened(&forged, &key).unwrap_err();
    }
}

#[test]
fn we_open_notes_of_another_implementation_with_its_key() {
    // The pair that the package `sumdb/note` of Go shows in its documentation.
    let name = "PeterNeumann";
    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let text = tlog_tiles::Checkpoint::new(name, 3, tlog_tiles::Hash([5; 32]), "").unwrap().to_bytes();
    let mut note = Note::new(&text, &[]).unwrap();
    let signer = StandardSigner::new(secret).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let note = String::from_utf8(note.to_bytes()).unwrap();
    let key: VerifierKey = public.parse().unwrap();
    assert_eq!(key.to_string(), public);
    let read = Checkpoint::read(&note, Some(&key)).unwrap();
    assert_eq!(read, Checkpoint { origin: name.to_owned(), size: 3, root: Hash([5; 32]), bodies: None });
}

#[test]
fn a_note_is_believed_only_with_a_signature_of_its_text_by_the_key() {
    let (log, other) = (Log::of(3), signer());
    let note = log.checkpoint(3).sign(&log.signer);
    let key = log.signer.public("whatever it is called");
    assert_eq!(Checkpoint::read(&note, Some(&key)), Ok(log.checkpoint(3)));
    assert_eq!(Checkpoint::read(&note, Some(&other.public("x"))), Err(CheckpointError::Unsigned));
    assert_eq!(Checkpoint::read(&note.replacen("\n3\n", "\n2\n", 1), Some(&key)), Err(CheckpointError::Forged));
    // A signature of ours under the name of another log.
    let renamed = note.replacen("/acme\n3", "/bolt\n3", 1);
    assert_eq!(Checkpoint::read(&renamed, Some(&key)), Err(CheckpointError::Unsigned));
    for garbage in ["", "x", "a\n1\n", "a\n01\nAAAA\n\n", &note.replacen("\n3\n", "\n03\n", 1), note.trim_end()] {
        assert_eq!(Checkpoint::read(garbage, None), Err(CheckpointError::Malformed), "{garbage:?}");
    }
    // Witnesses sign too.
    let witnessed = format!("{note}\u{2014} witness.example AAAAAAAAAA==\n");
    assert_eq!(Checkpoint::read(&witnessed, Some(&key)), Ok(log.checkpoint(3)));
}

#[test]
fn a_note_says_from_where_on_bodies_are_there_or_nothing_of_it() {
    let log = Log::of(7);
    let of = |bodies| Checkpoint { bodies, ..log.checkpoint(7) };
    let note = |bodies| of(bodies).sign(&log.signer);
    let key = log.signer.public("any");
    for bodies in [None, Some(0), Some(3), Some(7)] {
        assert_eq!(Checkpoint::read(&note(bodies), Some(&key)), Ok(of(bodies)));
        let read = opened(&note(bodies), &log.signer.public(&of(None).origin).to_string()).unwrap();
        let extension = bodies.map(|first| format!("bodies-from {first}\n")).unwrap_or_default();
        assert_eq!(read.extension(), extension);
    }
    // Lines of others may stand there, too; ours says one thing, of records that there are.
    let with = |line: &str| Checkpoint::read(&note(Some(3)).replacen("bodies-from 3", line, 1), None);
    assert_eq!(with("of others\nbodies-from 3\nof-others 4"), Ok(of(Some(3))));
    assert_eq!(with("of others"), Ok(of(None)));
    for wrong in ["bodies-from 03", "bodies-from 8", "bodies-from x", "bodies-from ", "bodies-from 3\nbodies-from 4"] {
        assert_eq!(with(wrong), Err(CheckpointError::Malformed), "{wrong}");
    }
}

#[test]
fn the_key_is_made_once_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let first = Signer::open(folder.path()).unwrap().public("a");
    assert_eq!(Signer::open(folder.path()).unwrap().public("a"), first);
    assert_eq!(mode(&folder.path().join("audit")), 0o600);
    std::fs::write(folder.path().join("audit"), b"").unwrap();
    let refused = Signer::open(folder.path()).err().unwrap().to_string();
    assert!(refused.contains("/audit` holds no key: put the key back"), "{refused}");
}

#[test]
fn a_key_has_one_text() {
    let key = signer().public("linesman/x/acme");
    let text = key.to_string();
    assert_eq!(text.parse(), Ok(key));
    let swapped = text.replacen("acme", "bolt", 1);
    for wrong in ["", "a+b", "a+00000000+AAAA", &swapped] {
        wrong.parse::<VerifierKey>().unwrap_err();
    }
}

#[test]
fn a_log_has_a_name_that_notes_can_have() {
    assert_eq!(origin("2026-11-21 10:00:00 +02", "acme"), "linesman/2026-11-21_10:00:00__02/acme");
}

#[test]
fn notes_that_were_kept_one_behind_the_other_are_read_each() {
    let log = Log::of(9);
    let kept = [2, 5, 9].map(|size| log.kept(size).note);
    for between in ["", "\n", "\n\n"] {
        assert_eq!(notes(&kept.join(between)), kept, "{between:?}");
        assert_eq!(notes(&format!("{}\n\n", kept.join(between))), kept, "{between:?}");
    }
    // Others may have signed too, and a line of the text may look like a signature.
    let signed_twice = format!("{}\u{2014} other AAAA\n", kept[0]);
    let extended = kept[1].replacen("\n\n", "\n\u{2014} no signature\n\n", 1);
    assert_eq!(notes(&format!("{signed_twice}{extended}")), [signed_twice, extended]);
    let rest = format!("{}what is none\n", kept[0]);
    assert_eq!(notes(&rest), [kept[0].as_str(), "what is none\n"]);
}

//! What was given up of a case goes again once its case is submitted anew, or the letter that tells of it is replayed.

use linesman_schemas::dead_letter::Reason;

use super::*;
use crate::cases::CaseState;
use crate::letters::{self, LetterRow};
use crate::uploads::AGAIN;

const THERE_IS_ONE: &str = "the incident has a case already";

fn refused() -> Value {
    json!({"failed": {"class": "refused", "message": "no", "retry_after_s": null}})
}

fn submit(words: &Value) -> Value {
    json!({"submit_case": {"incident": "acme-1", "case": words}})
}

impl Lane {
    /// A case whose bundle was given up.
    fn with_files_given_up(level: u32) -> Self {
        let mut lane = Self::with_at(level, &[("open", OPEN_CASE)]);
        lane.bundle("acme", "a", 1, "High");
        lane.accept();
        lane.report(&refused());
        assert_eq!(lane.uploads(), [("acme-1.xml".to_owned(), UploadState::Failed)]);
        lane
    }

    /// What replays acme's letters of reactions, in their order.
    fn replays_given_up(&self) -> Vec<Value> {
        let letters = self.on("acme.dead.reaction-failed").into_iter();
        let replays = letters.map(|letter| {
            let told = json!({"event": letter.id, "time": self.now, "reason": "reaction-failed"});
            let given_up = json!({"reaction": letter.data["reaction"], "letter": told});
            json!({"submit_case": {"incident": "acme-1", "given_up": given_up}})
        });
        replays.collect()
    }

    fn given_up(&self) -> u64 {
        letters::unreplayed(&self.base, self.now).unwrap().get(&Reason::ReactionFailed).copied().unwrap_or_default()
    }
}

#[test]
fn files_that_were_given_up_go_again_once_the_case_is_submitted_again() {
    for reopens in [false, true] {
        let mut lane = Lane::with_files_given_up(AGAIN);
        lane.reopens = reopens;
        let before = lane.on("acme.reaction.jss").pop().unwrap().data["id"].clone();
        assert_eq!(lane.ask("acme", &submit(&json!({}))), (Verdict::Done, "its files go again".to_owned()));
        assert_eq!(lane.uploads(), [("acme-1.xml".to_owned(), UploadState::Waiting)]);
        assert_eq!(lane.going().len(), 1);
        let told = lane.on("acme.reaction.jss").pop().unwrap().data.clone();
        assert!(told["id"] != before && told["action"]["upload"]["name"] == "acme-1.xml", "{told}");
        assert_eq!(lane.on("acme.audit.submit-case").len(), 1, "it is on record");
        // While it is on its way there is nothing more to be done, and none once it is there.
        assert_eq!(lane.ask("acme", &submit(&json!({}))), (Verdict::Conflict, THERE_IS_ONE.to_owned()));
        lane.report(&json!({"done": {"uploaded": {"sha256": OTHER, "size": 5}}}));
        assert_eq!(lane.uploads(), [("acme-1.xml".to_owned(), UploadState::Sent)]);
        assert_eq!(lane.ask("acme", &submit(&json!({}))), (Verdict::Conflict, THERE_IS_ONE.to_owned()));
        assert_eq!(lane.given_up(), 1, "nobody has said that its letter is replayed");
    }
}

#[test]
fn what_is_said_of_a_case_that_there_is_brings_no_file() {
    let mut lane = Lane::with_files_given_up(AGAIN);
    let asked = submit(&json!({"comments": "please"}));
    assert_eq!(lane.ask("acme", &asked), (Verdict::Conflict, THERE_IS_ONE.to_owned()));
    // Nor does anything leave that may not.
    lane.organization("acme", "Do not send");
    assert_eq!(lane.ask("acme", &submit(&json!({}))), (Verdict::Conflict, THERE_IS_ONE.to_owned()));
    assert_eq!(lane.uploads(), [("acme-1.xml".to_owned(), UploadState::Failed)]);
    lane.organization("acme", "Send all information");
    lane.done(&submit(&json!({})));
    assert_eq!(lane.going().len(), 1);
}

#[test]
fn a_letter_of_a_file_brings_that_file_and_knows_it() {
    let mut lane = Lane::with_case_from_below(&json!({}));
    for (name, sha256) in [("rsi.txt", HASH), ("core.tgz", OTHER)] {
        lane.below_says(&kept(name, sha256));
    }
    lane.accept();
    let states = |lane: &Lane| lane.uploads().into_iter().map(|(_, state)| state).collect::<Vec<_>>();
    while !lane.pending().is_empty() {
        lane.report(&refused());
    }
    assert_eq!(states(&lane), [UploadState::Failed; 2]);
    assert_eq!(lane.given_up(), 2);
    let replay = lane.replays_given_up().remove(1);
    lane.done(&replay);
    let names: Vec<_> = lane.going().iter().map(|going| going["name"].clone()).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(states(&lane).iter().filter(|state| **state == UploadState::Waiting).count(), 1);
    assert_eq!(lane.given_up(), 1);
    let event = replay["submit_case"]["given_up"]["letter"]["event"].as_str().unwrap();
    let Some(LetterRow::Replayed(row)) = lane.row(&letters::key(&"acme".parse().unwrap(), event)) else {
        panic!("it is not kept")
    };
    assert_eq!((row.outcome, row.times, &*row.by), (Verdict::Done, 1, "admin"));
    // Its reaction is none that was given up any more.
    let reaction = replay["submit_case"]["given_up"]["reaction"].as_str().unwrap();
    let expected = format!("nothing that the reaction `{reaction}` was to bring may go again");
    assert_eq!(lane.ask("acme", &replay), (Verdict::Conflict, expected));
    assert_eq!(lane.given_up(), 1);
}

#[test]
fn a_letter_of_a_case_opens_it_as_it_was_wanted() {
    let mut lane = Lane::with(&[]);
    lane.bundle("acme", "a", 1, "High");
    let words = json!({"synopsis": "mine", "comments": "look", "cc": ["a@b.example"], "core_files": false});
    lane.done(&submit(&words));
    lane.report(&refused());
    assert_eq!((lane.case("acme", 1).state, lane.given_up()), (CaseState::Failed, 1));
    lane.done(&lane.replays_given_up().remove(0));
    let case = lane.case("acme", 1);
    assert_eq!((&*case.request.synopsis, &*case.request.comments), ("mine", "look"));
    assert!(case.state == CaseState::Waiting && case.stays.core_files && !case.stays.attachments);
    assert_eq!(lane.given_up(), 0);
    // Whoever submits it without the letter says anew what is to be said.
    lane.report(&refused());
    lane.done(&submit(&json!({})));
    assert_ne!(lane.case("acme", 1).request.synopsis, "mine");
    assert_eq!(lane.given_up(), 1);
}

#[test]
fn below_its_level_a_file_that_was_given_up_stays_so() {
    let mut lane = Lane::with_files_given_up(AGAIN - 1);
    for asked in [submit(&json!({})), lane.replays_given_up().remove(0)] {
        assert_eq!(lane.ask("acme", &asked), (Verdict::Conflict, THERE_IS_ONE.to_owned()));
    }
    assert_eq!(lane.uploads(), [("acme-1.xml".to_owned(), UploadState::Failed)]);
    assert_eq!(lane.given_up(), 1);
}

//! What the audit tells of, by name: the one list of it.

use std::fmt;
use std::str::FromStr;

/// What the names of triggers on audit records begin with.
const FRONT: &str = "audit.";

/// What can be done and stands in the audit: a command's verb, or `refused` for what never became a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The name of its trigger: [`FRONT`] and its token.
    trigger: &'static str,
}

impl Operation {
    /// All of them: the tokens of commands, a family after the other, and `refused`. Commands by which the engine keeps
    /// its own books are on no record.
    pub const ALL: [Self; 80] = [
        // Organizations.
        Self::new("audit.set-organization"),
        Self::new("audit.suspend-organization"),
        Self::new("audit.unload-organization"),
        Self::new("audit.set-credentials"),
        Self::new("audit.test-organization"),
        Self::new("audit.unredact"),
        Self::new("audit.export-cases"),
        Self::new("audit.set-addresses"),
        Self::new("audit.set-contracts"),
        // Places, and devices tied to them.
        Self::new("audit.set-place"),
        Self::new("audit.remove-place"),
        Self::new("audit.tie-device"),
        // Devices that are reached.
        Self::new("audit.set-device"),
        Self::new("audit.remove-device"),
        Self::new("audit.pin-host-key"),
        Self::new("audit.use-device"),
        Self::new("audit.settle-jmb-error"),
        Self::new("audit.collect-device"),
        Self::new("audit.set-directives-group"),
        Self::new("audit.remove-directives-group"),
        // Scripts on them.
        Self::new("audit.set-script-bundle"),
        Self::new("audit.remove-script-bundle"),
        Self::new("audit.set-event-profile"),
        Self::new("audit.remove-event-profile"),
        Self::new("audit.plan-scripts"),
        Self::new("audit.install-scripts"),
        Self::new("audit.remove-scripts"),
        // Managers, groups, tokens.
        Self::new("audit.set-manager"),
        Self::new("audit.remove-manager"),
        Self::new("audit.set-password"),
        Self::new("audit.set-group"),
        Self::new("audit.remove-group"),
        Self::new("audit.issue-token"),
        Self::new("audit.revoke-token"),
        // Logins and sessions.
        Self::new("audit.login"),
        Self::new("audit.logout"),
        Self::new("audit.login-refused"),
        Self::new("audit.login-locked"),
        Self::new("audit.revoke-session"),
        // Incidents and their cases.
        Self::new("audit.assign-incident"),
        Self::new("audit.prioritise-incident"),
        Self::new("audit.close-incident"),
        Self::new("audit.reopen-incident"),
        Self::new("audit.annotate-incident"),
        Self::new("audit.submit-case"),
        Self::new("audit.save-case"),
        Self::new("audit.report-case"),
        Self::new("audit.forward-case"),
        Self::new("audit.handle-case"),
        Self::new("audit.override-case"),
        Self::new("audit.note-case"),
        Self::new("audit.close-case"),
        Self::new("audit.reopen-case"),
        Self::new("audit.keep-upload"),
        // Values and subscriptions.
        Self::new("audit.set-values"),
        Self::new("audit.localize-service"),
        Self::new("audit.set-subscription"),
        Self::new("audit.remove-subscription"),
        Self::new("audit.suspend-subscription"),
        Self::new("audit.resume-subscription"),
        Self::new("audit.activate-subscription"),
        Self::new("audit.deactivate-subscription"),
        Self::new("audit.redeploy-subscription"),
        Self::new("audit.rollout-service"),
        // What awaits approval.
        Self::new("audit.approve-approval"),
        Self::new("audit.reject-approval"),
        // Policies, inputs, the engine. Of what is loaded, records and subjects name the section: `load-policies` and
        // so on; policies hear of none of it.
        Self::new("audit.run-policy"),
        Self::new("audit.replay-input"),
        Self::new("audit.raise-level"),
        Self::new("audit.set-log-level"),
        Self::new("audit.pin-upstream"),
        Self::new("audit.load-section"),
        Self::new("audit.clear-place"),
        // Messages of an organization's, and of the provider.
        Self::new("audit.set-intelligence-state"),
        Self::new("audit.add-intelligence"),
        Self::new("audit.associate-intelligence"),
        Self::new("audit.dissociate-intelligence"),
        Self::new("audit.send-intelligence"),
        Self::new("audit.recall-intelligence"),
        // What was refused before it became a command.
        Self::new("audit.refused"),
    ];

    const fn new(trigger: &'static str) -> Self {
        Self { trigger }
    }

    /// Its token in subjects and records.
    pub fn as_str(self) -> &'static str {
        self.trigger.strip_prefix(FRONT).unwrap_or(self.trigger)
    }

    /// Whether it is the provider's alone, so that no organization's audit has it.
    pub fn is_of_provider(self) -> bool {
        // What commands of these families are not asked of, `Verb::place`; or what is not theirs.
        matches!(
            self.as_str(),
            "set-group"
                | "remove-group"
                | "raise-level"
                | "set-log-level"
                | "pin-upstream"
                | "load-section"
                | "clear-place"
                | "add-intelligence"
                | "associate-intelligence"
                | "dissociate-intelligence"
                | "send-intelligence"
                | "recall-intelligence"
        )
    }

    /// The name of the trigger that fires on a record of it: `audit.close-incident`.
    pub(crate) const fn trigger(self) -> &'static str {
        self.trigger
    }
}

/// A text that names no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown operation")]
pub struct UnknownOperation;

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(token: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == token).ok_or(UnknownOperation)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::command::Verb;

    /// The words that are tags of verbs, taken from the schema of all of them.
    fn tokens_of_verbs() -> BTreeSet<String> {
        let schema = serde_json::to_value(schemars::schema_for!(Verb)).unwrap();
        let mut tags = BTreeSet::new();
        for variant in schema["oneOf"].as_array().unwrap() {
            let words = variant["enum"].as_array().into_iter().flatten().chain(variant.get("const"));
            let keys = variant["required"].as_array().into_iter().flatten();
            tags.extend(words.chain(keys).map(|tag| tag.as_str().unwrap().replace('_', "-")));
        }
        tags
    }

    #[test]
    fn the_list_has_every_verb_that_goes_on_record_each_once() {
        let mut expected = tokens_of_verbs();
        assert!(expected.len() >= 14, "{expected:?}");
        for books in ["touch-sessions", "record-refusals", "keep-checkpoint"] {
            assert!(expected.remove(books), "{books}");
        }
        expected.insert("refused".to_owned());
        let listed: BTreeSet<String> = Operation::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(listed, expected);
        assert_eq!(Operation::ALL.len(), listed.len(), "one is listed twice");
    }

    #[test]
    fn what_is_of_the_provider_is_asked_of_no_organization() {
        let org = "acme".parse().unwrap();
        let verbs = [
            r#"{"set_group": {"group": "shift"}}"#,
            r#"{"remove_group": {"group": "shift"}}"#,
            r#"{"raise_level": {"level": 3}}"#,
            r#"{"set_log_level": {"old": "info", "new": "debug"}}"#,
            r#"{"pin_upstream": {"url": "https://h"}}"#,
            r#"{"load_section": {"section": "settings", "hash": "x"}}"#,
            r#"{"set_manager": {"manager": "ann"}}"#,
            r#"{"set_place": {"place": "acme/berlin"}}"#,
            r#"{"close_incident": {"incident": "acme-1"}}"#,
        ];
        for text in verbs {
            let verb: Verb = serde_json::from_str(text).unwrap();
            let operation: Operation = verb.as_str().parse().unwrap();
            assert_eq!(operation.is_of_provider(), verb.place(Some(&org)).is_none(), "{operation}");
        }
    }

    #[test]
    fn tokens_and_triggers_go_together() {
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(operation));
            assert_eq!(operation.trigger(), format!("{FRONT}{operation}"));
        }
        for text in ["close", "audit.close-incident", "*", ""] {
            assert_eq!(text.parse::<Operation>(), Err(UnknownOperation), "{text}");
        }
    }
}

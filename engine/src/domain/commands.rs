//! Commands: what the configuration, and later people, ask of an organization.

use linesman_schemas::OrgName;
use linesman_schemas::command::{Command, OrganizationSettings, Verb};
use linesman_schemas::dead_letter::Reason;
use serde_json::json;

use super::input::Input;
use super::outgoing::Topic;
use super::rows::{CommandRow, OrgRow, Standing, key};
use super::timers::Timer;
use super::{Domain, Error};

/// How long a command's outcome is kept, in hours of log time.
const OUTCOME_HOURS: i64 = 24;

impl Domain {
    /// Does a command once: said again under the same id it changes nothing.
    pub(super) fn apply_command(&mut self, command: &Command, input: &Input<'_>) -> Result<(), Error> {
        let org: OrgName = match input.org.parse() {
            Ok(org) => org,
            Err(error) => {
                let error: linesman_schemas::name::NameError = error;
                return self.dead(None, input, Reason::UnknownOrganization, &error.to_string(), None);
            }
        };
        let key = key::command(&org, command.id.as_str());
        if self.state.read(&key)?.is_some() {
            self.tally.input("cmd", "repeated");
            return Ok(());
        }
        let old = self.organizations.row(&org).cloned();
        let (row, detail) = match (&command.verb, &old) {
            (Verb::SetOrganization(settings), _) => {
                let detail = if old.is_some() { "changed" } else { "created" };
                (Some(set(settings, old.as_ref())), detail)
            }
            (Verb::SuspendOrganization, Some(old)) => {
                (Some(OrgRow { standing: Standing::Suspended, loaded: None, ..old.clone() }), "suspended")
            }
            (Verb::SuspendOrganization, None) => (None, "there is no such organization"),
        };
        let is_done = row.is_some();
        self.tally.input("cmd", if is_done { "done" } else { "refused" });
        if let Some(row) = row {
            let is_suspended = row.standing == Standing::Suspended;
            self.organizations.set(org.clone(), row);
            self.review_pending(&org, is_suspended)?;
            let data = json!({
                "command": command.id,
                "actor": command.actor,
                "node": command.node,
                "old": old.as_ref().map(shown),
                "new": self.organizations.row(&org).map(shown),
                "outcome": detail,
            });
            self.say(&Topic::Audit(org.clone(), command.verb.as_str()), &org, None, data)?;
        }
        let outcome = CommandRow { is_done, detail: detail.to_owned(), decided: self.position.now };
        self.state.write(key, &outcome)?;
        self.arm(OUTCOME_HOURS, &Timer::ForgetCommand(&org, command.id.as_str()))
    }
}

fn set(settings: &OrganizationSettings, old: Option<&OrgRow>) -> OrgRow {
    OrgRow {
        display_name: settings.display_name.clone(),
        is_proxy: settings.is_proxy,
        filter_level: settings.filter_level,
        standing: Standing::Active,
        device_groups: settings.device_groups.clone(),
        loaded: settings.loaded.clone(),
        incidents: old.map_or(0, |old| old.incidents),
        events: old.map_or(0, |old| old.events),
        reactions: old.map_or(0, |old| old.reactions),
    }
}

/// What the audit shows of an organization.
fn shown(row: &OrgRow) -> serde_json::Value {
    json!({
        "display_name": row.display_name,
        "proxy": row.is_proxy,
        "filter_level": row.filter_level,
        "is_suspended": row.standing == Standing::Suspended,
        "device_groups": row.device_groups,
    })
}

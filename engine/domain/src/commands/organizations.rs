//! What is asked of an organization.

use linesman_schemas::OrgName;
use linesman_schemas::command::{Organization, OrganizationSettings};
use serde_json::{Value, json};

use super::Answer;
use crate::rows::{OrgRow, Standing};
use crate::{Domain, Error};

impl Domain {
    /// Does what is asked of an organization; one that is not there is only set.
    pub(super) fn ask_organization(&mut self, org: &OrgName, verb: &Organization) -> Result<Answer, Error> {
        match verb {
            Organization::Set(settings) => self.set_organization(org, settings),
            Organization::Suspend => self.suspend_organization(org, false),
            Organization::Unload => self.suspend_organization(org, true),
        }
    }

    fn set_organization(&mut self, org: &OrgName, settings: &OrganizationSettings) -> Result<Answer, Error> {
        let old = self.organizations.row(org).cloned();
        self.change_organization(org, set(settings, old.as_ref()))?;
        let detail = if old.is_some() { "changed" } else { "created" };
        Ok(Answer::done(detail, shown(old.as_ref()), shown(self.organizations.row(org))))
    }

    fn suspend_organization(&mut self, org: &OrgName, is_unloaded: bool) -> Result<Answer, Error> {
        let old = self.organizations.row(org).cloned();
        if let Some(row) = old.clone() {
            let loaded = row.loaded.clone().filter(|_| !is_unloaded);
            self.change_organization(org, OrgRow { standing: Standing::Suspended, loaded, ..row })?;
        }
        Ok(Answer::done("suspended", shown(old.as_ref()), shown(self.organizations.row(org))))
    }

    fn change_organization(&mut self, org: &OrgName, row: OrgRow) -> Result<(), Error> {
        let is_suspended = row.standing == Standing::Suspended;
        self.organizations.set(org.clone(), row);
        self.review_pending(org, is_suspended)
    }
}

fn set(settings: &OrganizationSettings, old: Option<&OrgRow>) -> OrgRow {
    OrgRow {
        display_name: settings.display_name.clone(),
        is_proxy: settings.is_proxy,
        filter_level: settings.filter_level,
        standing: Standing::Active,
        device_groups: settings.device_groups.clone(),
        loaded: settings.loaded.clone().or_else(|| old?.loaded.clone()),
        incidents: old.map_or(0, |old| old.incidents),
        events: old.map_or(0, |old| old.events),
        reactions: old.map_or(0, |old| old.reactions),
    }
}

/// What the audit shows of an organization.
fn shown(row: Option<&OrgRow>) -> Value {
    let Some(row) = row else { return Value::Null };
    json!({
        "display_name": row.display_name,
        "proxy": row.is_proxy,
        "filter_level": row.filter_level,
        "is_suspended": row.standing == Standing::Suspended,
        "device_groups": row.device_groups,
    })
}

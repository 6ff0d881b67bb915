//! What is asked of an organization.

use linesman_schemas::OrgName;
use linesman_schemas::audit::Verdict;
use linesman_schemas::command::Organization;
use serde_json::{Value, json};

use super::Answer;
use crate::Error;
use crate::desk::Desk;
use crate::organizations::{OrgRow, Organizations, Standing};

/// Does what is asked of an organization; one that is not there is only set. What is pending for it is to be reviewed.
pub(crate) fn ask(
    desk: &mut Desk,
    organizations: &mut Organizations,
    org: &OrgName,
    verb: &Organization,
) -> Result<Answer, Error> {
    let old = organizations.row(org).cloned();
    let detail = match verb {
        Organization::Set(settings) if desk.is_at(6) && settings.is_proxy && !desk.mode.has_proxies() => {
            let detail = format!("there are proxy organizations in mode `partner` alone; the mode is `{}`", desk.mode);
            return Ok(Answer::refused(Verdict::Conflict, detail));
        }
        Organization::Set(settings) => {
            organizations.configure(desk, org, settings)?;
            if old.is_none() {
                return Ok(Answer::created(shown(organizations.row(org))));
            }
            "changed"
        }
        Organization::Suspend | Organization::Unload => {
            organizations.suspend(desk, org, matches!(verb, Organization::Unload))?;
            "suspended"
        }
    };
    Ok(Answer::done(detail, shown(old.as_ref()), shown(organizations.row(org))))
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

//! What is asked of an organization.

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{CredentialsChange, Organization, OrganizationSettings};
use linesman_schemas::{ApprovalRules, OrgName, Principal, Quotas};
use serde_json::{Value, json};

use super::Answer;
use crate::desk::Desk;
use crate::organizations::{GroupRow, OrgRow, Organizations, Standing};
use crate::{Error, addresses, approvals, contracts, device_groups, quotas, remembered};

/// Does what is asked of an organization; one that is not there is only set. What is pending for it is to be reviewed.
pub(crate) fn ask(
    desk: &mut Desk,
    organizations: &mut Organizations,
    org: &OrgName,
    (principal, verb): (&Principal, &Organization),
) -> Result<Answer, Error> {
    match verb {
        // The node that was asked does it; here it goes on record.
        Organization::SetCredentials(CredentialsChange { user }) => {
            let password = if user.is_empty() { Value::Null } else { json!("changed") };
            return Ok(Answer::done("changed", Value::Null, json!({"user": user, "password": password})));
        }
        Organization::Test(tried) => return Ok(Answer::done("tried", Value::Null, json!(tried))),
        Organization::Unredact(undoing) => return Ok(Answer::done("undone", Value::Null, json!(undoing))),
        Organization::ExportCases(export) => return Ok(Answer::done("handed out", Value::Null, json!(export))),
        Organization::SetAddresses(changes) => return addresses::change(desk, org, changes),
        Organization::SetContracts(changes) => {
            return match contracts::refusal(desk, org, changes)? {
                Some(refused) => Ok(refused),
                None => contracts::change(desk, org, changes),
            };
        }
        Organization::Set(_) | Organization::Suspend | Organization::Unload => {}
    }
    let old = organizations.row(org).cloned();
    let level = desk.level;
    let old_ids = remembered::given(desk.state(), org)?;
    if let Organization::Set(settings) = verb
        && desk.is_at(device_groups::ONE_EACH_FROM)
        && let Some(detail) = named_twice(old.as_ref(), settings)
    {
        return Ok(Answer::refused(Verdict::Invalid, detail));
    }
    let detail = match verb {
        Organization::Set(settings) if desk.is_at(6) && settings.is_proxy && !desk.mode.has_proxies() => {
            let detail = format!("there are proxy organizations in mode `partner` alone; the mode is `{}`", desk.mode);
            return Ok(Answer::refused(Verdict::Conflict, detail));
        }
        Organization::Set(settings)
            if desk.is_at(approvals::LEVEL)
                && settings.approvals != ApprovalRules::default()
                && !desk.mode.has_proxies() =>
        {
            let detail = format!("there are approvals in mode `partner` alone; the mode is `{}`", desk.mode);
            return Ok(Answer::refused(Verdict::Conflict, detail));
        }
        Organization::Set(settings) => {
            let Some(settings) = with_quotas(desk, (old.as_ref(), old_ids), principal, settings) else {
                return Ok(Answer::refused(
                    Verdict::Forbidden,
                    "an organization's quotas are set by the provider's people",
                ));
            };
            organizations.configure(desk, org, &settings)?;
            if desk.is_at(remembered::LEVEL) {
                remembered::give(desk, org, settings.quotas.remembered_ids)?;
            }
            if old.is_none() {
                let ids = remembered::given(desk.state(), org)?;
                return Ok(Answer::created(shown((organizations.row(org), ids), level)));
            }
            "changed"
        }
        _ => {
            organizations.suspend(desk, org, matches!(verb, Organization::Unload))?;
            "suspended"
        }
    };
    let ids = remembered::given(desk.state(), org)?;
    Ok(Answer::done(detail, shown((old.as_ref(), old_ids), level), shown((organizations.row(org), ids), level)))
}

/// What is wrong with device groups of which two name a device.
fn named_twice(old: Option<&OrgRow>, settings: &OrganizationSettings) -> Option<String> {
    let groups: Vec<GroupRow> = settings.device_groups.iter().cloned().map(GroupRow::from).collect();
    device_groups::refusal(old.map_or(&[], |row| &row.device_groups), &groups)
}

/// Whose quotas stay as they are where somebody who is not the provider's gives none; none where they give others.
fn with_quotas(
    desk: &Desk,
    (old, ids): (Option<&OrgRow>, Option<u64>),
    principal: &Principal,
    settings: &OrganizationSettings,
) -> Option<OrganizationSettings> {
    let is_providers = matches!(principal, Principal::Provider { .. } | Principal::Configuration | Principal::Machine);
    if is_providers || !desk.is_at(quotas::LEVEL) {
        return Some(settings.clone());
    }
    let quotas = old.map_or(Quotas::default(), |row| Quotas { remembered_ids: ids, ..row.quotas.into() });
    let stay = settings.quotas == Quotas::default() || settings.quotas == quotas;
    stay.then(|| OrganizationSettings { quotas, ..settings.clone() })
}

/// What the audit shows of an organization, beside its quota of remembered ids: all that can be set, from level 8 on.
fn shown((row, ids): (Option<&OrgRow>, Option<u64>), level: u32) -> Value {
    let Some(row) = row else { return Value::Null };
    let mut shown = json!({
        "display_name": row.display_name,
        "proxy": row.is_proxy,
        "filter_level": row.filter_level,
        "is_suspended": row.standing == Standing::Suspended,
        "device_groups": row.device_groups,
    });
    if let Some(fields) = shown.as_object_mut().filter(|_| level >= 8) {
        fields.insert("alias".to_owned(), json!(row.alias));
        fields.insert("handling".to_owned(), json!(row.handling));
        fields.insert("submit_case_as".to_owned(), json!(row.submit_case_as));
        fields.insert("address".to_owned(), json!(row.address));
        fields.insert("upload".to_owned(), json!(row.upload));
        fields.insert("snapshot_interval_s".to_owned(), json!(row.snapshot_interval_s));
        if level >= approvals::LEVEL {
            fields.insert("approvals".to_owned(), json!(ApprovalRules::from(row.approvals)));
        }
        if level >= quotas::LEVEL {
            fields.insert("quotas".to_owned(), json!(Quotas { remembered_ids: ids, ..row.quotas.into() }));
        }
    }
    shown
}

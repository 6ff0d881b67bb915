//! `/api/v1/approvals`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use linesman_schemas::approval::{ApprovalId, ApprovalKind, OnTimeout};
use linesman_schemas::audit::Verdict;
use linesman_schemas::{OrgName, Place, Principal};
use serde::Serialize;
use utoipa::ToSchema;

use super::walk::{DECIDES, OrgRows, answer};
use super::{Error, Stored, given, number, page};
use crate::edge::filters::tables::Approvals;
use crate::edge::filters::{is, lies, passes};
use crate::edge::paging::{Page, Paging, Value};
use crate::edge::paths::ApprovalPath;
use crate::edge::sources::Sources;
use crate::edge::transport::params::{Params, PathOf};
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;
use linesman_domain::approvals::{self, ApprovalRow, DecisionRow, OutcomeRow};
use linesman_domain::sight::Sight;

/// What was asked for and needs approval, or needed it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Approval {
    /// Its id.
    #[schema(value_type = String)]
    id: ApprovalId,
    /// The organization that it is asked of. One of sending a message is the provider's: its id has a `p`.
    #[schema(value_type = String)]
    organization: OrgName,
    /// What is to be approved.
    #[schema(schema_with = words::approval_kind)]
    kind: ApprovalKind,
    /// The operation, as the audit names it.
    operation: String,
    /// What it is about: an incident, a subscription and its place, or a message.
    about: String,
    /// Where it was asked for.
    place: String,
    /// Where it stands.
    state: words::ApprovalState,
    /// Whether somebody else than who asked has to decide it.
    two_person: bool,
    /// Why it needs approval: `settings`, `organization`, or `policy` and its name.
    reasons: Vec<String>,
    /// Who asked, as people read it.
    actor: String,
    /// Who granted whoever asked their rights, when they asked.
    chain: Vec<String>,
    /// When it was asked for.
    asked: Timestamp,
    /// Until when it may be decided.
    due: Timestamp,
    /// What becomes of it then.
    #[schema(schema_with = words::on_timeout)]
    on_timeout: OnTimeout,
    /// SHA-256 of `asks` and `comes_to`, in hexadecimal.
    sha256: String,
    /// What is carried out once it is approved, as commands are written.
    #[schema(value_type = Object)]
    asks: serde_json::Value,
    /// What that comes to beside its own words; where it would come to something else when it is approved, it is asked for
    /// anew.
    #[schema(value_type = Object)]
    comes_to: serde_json::Value,
    /// How it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    decision: Option<Decision>,
    /// What became of what was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<Outcome>,
    /// The approval that was asked for instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    instead: Option<ApprovalId>,
}

/// How an approval was decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApprovalDecision)]
struct Decision {
    /// Who, as people read it: `machine` by its time-out.
    by: String,
    /// When.
    at: Timestamp,
    /// What was said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    comment: Option<String>,
}

/// What became of what was approved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApprovalOutcome)]
struct Outcome {
    /// What became of it.
    #[schema(schema_with = words::verdict)]
    verdict: Verdict,
    /// What was done, or why not.
    detail: String,
}

/// Approvals, page by page.
#[utoipa::path(
    get, path = "/api/v1/approvals", operation_id = "approvals", tag = "approvals", params(Approvals),
    responses((status = 200, description = "A page.", body = Page<Approval>))
)]
pub(in crate::edge) async fn approvals(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    Params(mut list): Params<Approvals>,
) -> Result<Response, Problem> {
    let paging = Paging::take(&mut list)?;
    answer(&sources, viewer, move |walk| page(walk, &list, &paging)).await
}

/// One approval.
#[utoipa::path(
    get, path = "/api/v1/approvals/{id}", operation_id = "approval", tag = "approvals", params(ApprovalPath),
    responses((status = 200, description = "The approval.", body = Approval))
)]
pub(in crate::edge) async fn approval(
    State(sources): State<Arc<Sources>>,
    viewer: Viewer,
    PathOf(ApprovalPath { id }): PathOf<ApprovalPath>,
) -> Result<Response, Problem> {
    answer(&sources, viewer, move |walk| {
        let row = walk.some(&id.org, &approvals::key(&id))?;
        let viewer = walk.viewer();
        let is_seen = |row: &ApprovalRow| match id.is_providers {
            true => Ok(is_providers(viewer) && (is_own(viewer, row) || viewer.has(DECIDES, &id.org.clone().into())?)),
            false => Ok::<_, Error>(walk.sees_whole(Some(&id.org)) || is_own(viewer, row)),
        };
        match row {
            Some(row) if is_seen(&row)? => Approval::new(id, row),
            _ => Err(Error::Nothing(format!("there is no approval `{id}`"))),
        }
    })
    .await
}

/// Whether somebody is of those to whom there are approvals of the provider's.
///
/// INVARIANT (tenants): an organization's people learn nothing of them.
fn is_providers(viewer: &Viewer) -> bool {
    viewer.home() == Place::Provider
}

/// Whether it is what `viewer` has asked for.
fn is_own(viewer: &Viewer, row: &ApprovalRow) -> bool {
    let asker = serde_json::from_str::<Principal>(&row.principal).ok().and_then(|asker| asker.login());
    asker.is_some() && asker == viewer.principal().login()
}

impl Stored for Approvals {
    type Row = ApprovalRow;
    type Item = Approval;

    fn prefix(organization: &str, own: &[u8]) -> Vec<u8> {
        approvals::within(organization, own)
    }

    fn organization(&self) -> Option<&OrgName> {
        self.organization.as_ref()
    }

    // Of an organization that is seen in part, what whoever walks has asked for.
    fn is_seen(rows: &OrgRows<'_>, _: &Sight, _: &OrgName, _: &[u8], row: &mut ApprovalRow) -> Result<bool, Error> {
        Ok(is_own(rows.viewer, row))
    }

    // Of the provider's there are those that whoever walks decides, or has asked for.
    fn is_hidden(rows: &OrgRows<'_>, org: &OrgName, key: &[u8], row: &ApprovalRow) -> Result<bool, Error> {
        if !approvals::id_of(org.clone(), number(key)).is_providers {
            return Ok(false);
        }
        Ok(!(is_providers(rows.viewer) && (is_own(rows.viewer, row) || rows.decides(org)?)))
    }

    fn value(by: &str, row: &ApprovalRow) -> Value {
        Value::Time(if by == "due" { row.due } else { row.asked })
    }

    fn item(
        &self,
        _: &OrgRows<'_>,
        org: &OrgName,
        key: &[u8],
        row: ApprovalRow,
    ) -> Result<Option<(Approval, usize)>, Error> {
        let is_wanted = is(self.state, row.state.into())
            && is(self.kind, row.kind)
            && passes(self.actor.as_ref(), &row.actor)
            && passes(self.about.as_ref(), &row.about)
            && lies(row.asked, self.asked_after.as_ref(), self.asked_before.as_ref());
        if !is_wanted {
            return Ok(None);
        }
        let id = approvals::id_of(org.clone(), number(key));
        Approval::new(id, row).map(|item| Some((item, 0)))
    }
}

impl Approval {
    fn new(id: ApprovalId, row: ApprovalRow) -> Result<Self, Error> {
        let decision = |row: DecisionRow| Decision { by: row.by, at: row.at, comment: given(row.comment) };
        let outcome = |row: OutcomeRow| Outcome { verdict: row.verdict, detail: row.detail };
        let organization = id.org.clone();
        Ok(Self {
            instead: row.instead.map(|number| ApprovalId { number, ..id.clone() }),
            id,
            organization,
            kind: row.kind,
            operation: row.operation,
            about: row.about,
            place: row.place,
            state: row.state.into(),
            two_person: row.is_two_person,
            reasons: row.reasons,
            actor: row.actor,
            chain: row.chain,
            asked: row.asked,
            due: row.due,
            on_timeout: row.on_timeout,
            sha256: hex::encode(row.sha256),
            asks: serde_json::from_str(&row.verb)?,
            comes_to: serde_json::from_str(&row.content)?,
            decision: row.decision.map(decision),
            outcome: row.outcome.map(outcome),
        })
    }
}

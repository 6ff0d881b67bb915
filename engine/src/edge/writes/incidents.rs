//! What people do with an incident.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use linesman_schemas::command::{
    Assignment, Case, CaseName, CaseOverride, CaseRemark, CaseWish, CaseWords, Incident, Note, Prioritisation, Verb,
};
use linesman_schemas::reaction::FollowUp;
use linesman_schemas::{IncidentId, Priority};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Answers, IdempotencyKey, command_id, send};
use crate::edge::paths::IncidentPath;
use crate::edge::sources::Sources;
use crate::edge::transport::json::JsonBody;
use crate::edge::transport::params::PathOf;
use crate::edge::transport::problem::Problem;
use crate::edge::viewer::Viewer;
use crate::edge::words;

/// Whose an incident becomes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct AssignBody {
    /// Whose; empty for nobody's.
    #[schema(max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    owner: String,
    /// Whether its owner has begun to work on it.
    #[serde(default)]
    in_progress: bool,
}

/// How urgent an incident becomes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct PrioritiseBody {
    /// `Critical`, `High`, `Medium`, `Low`.
    #[schema(schema_with = words::priority)]
    priority: Priority,
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct ReasonBody {
    /// What is to be noted; nothing is noted where it is empty.
    #[serde(default)]
    #[schema(max_length = 4096, pattern = "^([^\\u0000-\\u001f\\u007f-\\u009f]|[\\t\\n\\r])*$")]
    note: String,
}

/// What is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct NoteBody {
    /// What is said.
    #[schema(
        max_length = 4096,
        pattern = "^([^\\u0000-\\u001f\\u007f-\\u009f]|[\\t\\n\\r])*[^\\u0000-\\u0020\\u007f-\\u009f]([^\\u0000-\\u001f\\u007f-\\u009f]|[\\t\\n\\r])*$"
    )]
    note: String,
}

/// What is said of a case; what is not given is taken from its draft, then from the incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct CaseBody {
    /// One line on the problem.
    #[schema(nullable = false, max_length = 32768, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    synopsis: Option<String>,
    /// What the customer adds.
    #[schema(nullable = false, max_length = 32768, pattern = "^([^\\u0000-\\u001f\\u007f-\\u009f]|[\\t\\n\\r])*$")]
    comments: Option<String>,
    /// How urgent.
    #[schema(schema_with = words::priority, required = false)]
    priority: Option<Priority>,
    /// Who else hears of it.
    #[schema(schema_with = words::lines, required = false)]
    cc: Option<Vec<String>>,
    /// `Email Full Text Update`, `Email Secure Web Link`, `Phone Call`.
    #[schema(schema_with = words::follow_up, required = false)]
    follow_up: Option<FollowUp>,
    /// Whether the attachments and logs of the incident's bundle go along. They do where neither this nor a draft says
    /// otherwise.
    #[schema(nullable = false)]
    attachments: Option<bool>,
    /// Whether what its manifest says of core files goes along, likewise.
    #[schema(nullable = false)]
    core_files: Option<bool>,
    /// What the customer's own system calls it. From engine level 12 on.
    #[schema(nullable = false, max_length = 128, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    reference: Option<String>,
    /// The organization's address group whose address it carries in place of its device's ship-to; empty for that one. From
    /// engine level 12 on.
    #[schema(nullable = false, max_length = 64, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    address: Option<String>,
}

impl CaseBody {
    fn wish(self, incident: IncidentId) -> CaseWish {
        let Self { synopsis, comments, priority, cc, follow_up, attachments, core_files, reference, address } = self;
        let case =
            CaseWords { synopsis, comments, priority, cc, follow_up, attachments, core_files, reference, address };
        CaseWish { incident, case, given_up: None }
    }
}

/// Nothing is to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct NothingBody {}

/// What stands in place of the upstream's words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge) struct OverrideBody {
    /// The case id.
    #[schema(nullable = false, min_length = 1, max_length = 64, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    case_id: Option<String>,
    /// Where people see the case.
    #[schema(nullable = false, max_length = 2048, pattern = "^https?://[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    case_link: Option<String>,
    /// Its status, in whatever words.
    #[schema(nullable = false, min_length = 1, max_length = 64, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$")]
    case_status: Option<String>,
}

impl OverrideBody {
    fn wanted(self, incident: IncidentId) -> CaseOverride {
        let Self { case_id, case_link, case_status } = self;
        CaseOverride { incident, case_id, case_link, case_status }
    }
}

const fn remark(incident: IncidentId, text: String) -> CaseRemark {
    CaseRemark { incident, text, origin: None }
}

/// A write to an incident: its route's document, its body, its verb.
macro_rules! write {
    ($(#[$doc:meta])* $name:ident, $operation:literal, $path:literal, $body:ty, $verb:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            operation_id = $operation,
            tag = "incidents",
            params(IncidentPath, IdempotencyKey),
            request_body = $body,
            responses(Answers)
        )]
        pub(in crate::edge) async fn $name(
            State(sources): State<Arc<Sources>>,
            viewer: Viewer,
            PathOf(path): PathOf<IncidentPath>,
            headers: HeaderMap,
            JsonBody(body): JsonBody<$body>,
        ) -> Result<Response, Problem> {
            let verb: fn(IncidentId, $body) -> Verb = $verb;
            let id = command_id(&headers)?;
            send(&sources, &viewer, path.id.org.clone().into(), id, verb(path.id, body)).await
        }
    };
}

write!(
    /// Gives an incident to somebody, or to nobody.
    assign, "assign-incident", "/api/v1/incidents/{id}/assign", AssignBody,
    |incident, body| Verb::Incident(Incident::Assign(Assignment { incident, owner: body.owner, in_progress: body.in_progress }))
);
write!(
    /// Changes how urgent an incident is.
    prioritise, "prioritise-incident", "/api/v1/incidents/{id}/prioritise", PrioritiseBody,
    |incident, body| Verb::Incident(Incident::Prioritise(Prioritisation { incident, priority: body.priority }))
);
write!(
    /// An incident is completed.
    close, "close-incident", "/api/v1/incidents/{id}/close", ReasonBody,
    |incident, body| Verb::Incident(Incident::Close(Note { incident, note: body.note }))
);
write!(
    /// A completed incident is not.
    reopen, "reopen-incident", "/api/v1/incidents/{id}/reopen", ReasonBody,
    |incident, body| Verb::Incident(Incident::Reopen(Note { incident, note: body.note }))
);
write!(
    /// Adds a note to an incident.
    annotate, "annotate-incident", "/api/v1/incidents/{id}/annotate", NoteBody,
    |incident, body| Verb::Incident(Incident::Annotate(Note { incident, note: body.note }))
);
write!(
    /// Opens a case for an incident at the upstream, as far as the filter level lets it out.
    submit_case, "submit-case", "/api/v1/incidents/{id}/case/submit", CaseBody,
    |incident, body| Verb::Case(Case::Submit(body.wish(incident)))
);
write!(
    /// Keeps what is to be said of an incident's case, without opening it.
    save_case, "save-case", "/api/v1/incidents/{id}/case/save", CaseBody,
    |incident, body| Verb::Case(Case::Save(body.wish(incident)))
);
write!(
    /// Sends a case that an end customer has reported on to the upstream, as far as the filter level lets it out.
    forward_case, "forward-case", "/api/v1/incidents/{id}/case/forward", NothingBody,
    |incident, _| Verb::Case(Case::Forward(CaseName { incident }))
);
write!(
    /// Keeps a case that an end customer has reported, to be solved here.
    handle_case, "handle-case", "/api/v1/incidents/{id}/case/handle", NothingBody,
    |incident, _| Verb::Case(Case::Handle(CaseName { incident }))
);
write!(
    /// Shows an end customer another id, link or status of its case than the upstream's.
    ///
    /// What is not given is the upstream's again.
    override_case, "override-case", "/api/v1/incidents/{id}/case/override", OverrideBody,
    |incident, body| Verb::Case(Case::Override(body.wanted(incident)))
);
write!(
    /// Says something of a case, to the upstream and to the end customer who has reported it.
    note_case, "note-case", "/api/v1/incidents/{id}/case/note", NoteBody,
    |incident, body| Verb::Case(Case::Note(remark(incident, body.note)))
);
write!(
    /// A case is done.
    close_case, "close-case", "/api/v1/incidents/{id}/case/close", ReasonBody,
    |incident, body| Verb::Case(Case::Close(remark(incident, body.note)))
);
write!(
    /// A case is not done after all.
    reopen_case, "reopen-case", "/api/v1/incidents/{id}/case/reopen", ReasonBody,
    |incident, body| Verb::Case(Case::Reopen(remark(incident, body.note)))
);

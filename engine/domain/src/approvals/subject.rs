//! An approval as policies see it.

use linesman_rules::{Field, Subject, SubjectKind, Value};
use linesman_schemas::ApprovalId;

use super::ApprovalRow;
use crate::subject::TimeText;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Approval {
    id: String,
    row: ApprovalRow,
    sha256: String,
    asked: TimeText,
    due: TimeText,
}

impl Approval {
    pub(crate) fn new(id: &ApprovalId, row: ApprovalRow) -> Self {
        let (asked, due) = (TimeText::new(row.asked), TimeText::new(row.due));
        Self { id: id.to_string(), sha256: hex::encode(row.sha256), row, asked, due }
    }
}

impl Subject for Approval {
    fn kind(&self) -> SubjectKind {
        SubjectKind::Approval
    }

    fn value(&self, field: Field) -> Value<'_> {
        let row = &self.row;
        match field {
            Field::Id => Value::Text(&self.id),
            Field::Kind => Value::Text(row.kind.as_str()),
            Field::Operation => Value::Text(&row.operation),
            Field::About => Value::Text(&row.about),
            Field::Place => Value::Text(&row.place),
            Field::Actor => Value::Text(&row.actor),
            Field::Reasons => Value::Texts(&row.reasons),
            Field::TwoPerson => Value::Flag(row.is_two_person),
            Field::Sha256 => Value::Text(&self.sha256),
            Field::Asked => Value::Text(self.asked.as_str()),
            Field::Due => Value::Text(self.due.as_str()),
            Field::OnTimeout => Value::Text(row.on_timeout.as_str()),
            _ => Value::Absent,
        }
    }
}

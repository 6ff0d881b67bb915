//! Which records of the audit are asked for.

use linesman_domain::audit::{Log, Owner};
use linesman_domain::state::Base;
use linesman_schemas::Place;
use linesman_schemas::audit::Verdict;

use super::AuditRecord;
use crate::edge::filters::tables::Audit;
use crate::edge::filters::{Glob, LogOf, Plain, When, is, passes};

/// What is asked for.
#[derive(Debug)]
pub(super) struct Choice {
    owner: Option<Owner>,
    actor: Option<Glob>,
    operation: Option<Glob>,
    under: Option<Place>,
    outcome: Option<Verdict>,
    since: Option<When>,
    until: Option<When>,
    /// In lower case.
    text: Option<String>,
}

impl From<Audit> for Choice {
    fn from(list: Audit) -> Self {
        let Audit { organization, actor, operation, under, outcome, since, until, q, .. } = list;
        Self::new(organization, (actor, operation), under, outcome, (since, until), q)
    }
}

impl Choice {
    /// What the parameters ask for.
    pub(super) fn new(
        log: Option<LogOf>,
        (actor, operation): (Option<Glob>, Option<Glob>),
        under: Option<Place>,
        outcome: Option<Verdict>,
        (since, until): (Option<When>, Option<When>),
        text: Option<Plain>,
    ) -> Self {
        let (owner, text) = (log.map(|log| log.0), text.map(|text| text.0.to_lowercase()));
        Self { owner, actor, operation, under, outcome, since, until, text }
    }

    /// Whose log; none: all of them.
    pub(super) fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// The log that is asked for as a whole, if one is.
    pub(super) fn whole(&self) -> Option<&Owner> {
        let Self { owner, actor, operation, under, outcome, since, until, text } = self;
        let is_narrowed = actor.is_some()
            || operation.is_some()
            || under.is_some()
            || outcome.is_some()
            || since.is_some()
            || until.is_some()
            || text.is_some();
        owner.as_ref().filter(|_| !is_narrowed)
    }

    /// The records of a log that lie in the span asked for and have their bodies: the first, and the one behind the last.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(super) fn span(&self, log: &Log<'_, impl Base>) -> Result<(u64, u64), linesman_domain::Error> {
        let from = match &self.since {
            Some(since) => log.since(since.0)?,
            None => log.oldest()?,
        };
        let to = match &self.until {
            Some(until) => log.since(until.0)?,
            None => log.head().size(),
        };
        Ok((from, to))
    }

    /// Whether a record in that span is asked for.
    pub(super) fn takes(&self, record: &AuditRecord) -> bool {
        passes(self.actor.as_ref(), &record.actor)
            && passes(self.operation.as_ref(), &record.operation)
            && is(self.outcome, record.outcome)
            && self.under.as_ref().is_none_or(|under| lies_under(under, &record.place))
            && self.text.as_ref().is_none_or(|text| holds(record, text))
    }
}

/// Whether a place is another or lies below it. What is no place, as people write when they ask, lies under the provider.
fn lies_under(under: &Place, place: &str) -> bool {
    place.parse::<Place>().map_or(*under == Place::Provider, |place| under.covers(&place))
}

/// Whether a record has a text in it, in whatever case.
fn holds(record: &AuditRecord, text: &str) -> bool {
    let AuditRecord { actor, operation, place, node, detail, command, .. } = record;
    let about = record.about.as_deref().unwrap_or_default();
    let has = |part: &str| part.to_lowercase().contains(text);
    [actor, operation, place, about, node, detail, command].into_iter().any(has)
        || [&record.old, &record.new].into_iter().any(|part| !part.is_null() && has(&part.to_string()))
}

//! What is said to the log of how scripts stand on a device.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use linesman_domain::scripts::InstalledRow;
use linesman_schemas::outcome::Report;
use linesman_schemas::scripts::{ScriptsChange, ScriptsStanding, ScriptsState};

use super::course::{Course, Undone};

impl Course<'_> {
    /// How a device stands that is asked no more, or does not answer: as broken off where it was, by what the log has of it.
    pub(super) fn broken(&self) -> ScriptsState {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|last| last.state);
        match last.or(self.order.row.as_ref().map(|row| row.state)) {
            Some(ScriptsState::Uploading | ScriptsState::RollingBack) => ScriptsState::RollingBack,
            Some(ScriptsState::Configured) => ScriptsState::Configured,
            _ => ScriptsState::Waiting,
        }
    }

    pub(super) fn standing(
        &self,
        state: ScriptsState,
        (done, of): (u32, u32),
        detail: &str,
        has: Option<&InstalledRow>,
    ) -> ScriptsStanding {
        ScriptsStanding {
            device: self.order.device.name.clone(),
            device_group: self.order.group.clone(),
            order: self.order.number,
            state,
            done,
            of,
            detail: detail.to_owned(),
            has: has.cloned().map(Into::into),
            is_begun: self.is_begun(state),
            change: self.changed(state),
        }
    }

    /// What is changed, where it comes to an end by that.
    fn changed(&self, state: ScriptsState) -> Option<ScriptsChange> {
        let is_end = state.is_final() || state == ScriptsState::Configured;
        is_end.then(|| self.change.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Whether the configuration group may be another of ours than the device has for sure, where it stands so.
    fn is_begun(&self, state: ScriptsState) -> bool {
        match state {
            ScriptsState::Uploading | ScriptsState::RollingBack | ScriptsState::Configured => true,
            ScriptsState::Waiting | ScriptsState::Failed => self.was_begun.load(Ordering::Relaxed),
            ScriptsState::Done | ScriptsState::RolledBack => false,
        }
    }

    /// Says how far it is while the device has what it had; whether the log has it.
    pub(super) async fn tell(&self, state: ScriptsState, progress: (u32, u32), detail: &str) -> bool {
        self.tell_of((state, false), progress, detail).await
    }

    /// The same; with `is_left` the configuration group may be another of ours in any case.
    pub(super) async fn tell_of(
        &self,
        (state, is_left): (ScriptsState, bool),
        progress: (u32, u32),
        detail: &str,
    ) -> bool {
        let row = self.order.row.as_ref();
        let has = row.and_then(|row| row.has.as_ref());
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let standing = match (state, row, last.filter(|last| last.state == state)) {
            // One that is settled still says of what.
            (ScriptsState::Configured, _, Some(last)) => ScriptsStanding { detail: detail.to_owned(), ..last },
            (ScriptsState::Configured, Some(row), None) => ScriptsStanding {
                device_group: row.group.clone(),
                order: row.order,
                ..self.standing(state, (row.done, row.of), detail, has)
            },
            _ => self.standing(state, progress, detail, has),
        };
        self.say(ScriptsStanding { is_begun: standing.is_begun || is_left, ..standing }).await
    }

    async fn say(&self, standing: ScriptsStanding) -> bool {
        let told = self.hands.report_at(&self.order.device, &Report::ScriptsStand(standing.clone())).await;
        self.told.fetch_max(told.unwrap_or_default(), Ordering::Relaxed);
        if told.is_some() {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(standing);
        }
        told.is_some()
    }

    /// Says how far it is; without the log knowing it nothing goes on.
    pub(super) async fn report(&self, standing: ScriptsStanding) -> Result<(), Undone> {
        match self.say(standing).await {
            true => Ok(()),
            false => Err(Undone::new(self.broken(), "the log does not take how it stands").told()),
        }
    }
}

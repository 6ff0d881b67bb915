//! How many devices stand how, as they were found when they were looked at last.

use linesman_schemas::device::DeviceState;

/// A device as it is counted, until it is dropped.
pub(super) struct Counted(DeviceState);

impl Counted {
    /// Counts one that stands so.
    pub(super) fn new(state: DeviceState) -> Self {
        gauge(state).increment(1.0);
        Self(state)
    }

    /// It stands so from here on.
    pub(super) fn set(&mut self, state: DeviceState) {
        *self = Self::new(state);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge(self.0).decrement(1.0);
    }
}

/// Nothing is counted yet: each state is there from the start, so that one that comes is seen to come.
pub(super) fn begin() {
    for state in DeviceState::ALL {
        gauge(state).set(0.0);
    }
}

fn gauge(state: DeviceState) -> metrics::Gauge {
    metrics::gauge!("linesman_devices_standing", "state" => state.as_str())
}

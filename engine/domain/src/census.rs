//! How incidents and cases stand, in numbers: kept row by row, so that nobody goes through all of them. No decision depends
//! on it.

use linesman_schemas::Priority;

use crate::cases::{self, CASES, CaseState};
use crate::incidents::{Status, page};

/// What the rows of a lane come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    open: [u64; Priority::ALL.len()],
    cases: [u64; CaseState::ALL.len()],
}

impl Census {
    /// Incidents that are not completed, by priority.
    pub fn open(&self) -> impl Iterator<Item = (Priority, u64)> {
        Priority::ALL.into_iter().zip(self.open)
    }

    /// Cases by where they stand.
    pub fn cases(&self) -> impl Iterator<Item = (CaseState, u64)> {
        CaseState::ALL.into_iter().zip(self.cases)
    }

    /// A row is there: its key and its value. Rows of other tables, and what cannot be read, count nothing.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.count(key, value, |count| count.saturating_add(1));
    }

    /// A row that was there is not any more.
    pub fn take_off(&mut self, key: &[u8], value: &[u8]) {
        self.count(key, value, |count| count.saturating_sub(1));
    }

    /// What several lanes come to together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let of = self.open.iter_mut().zip(other.open).chain(self.cases.iter_mut().zip(other.cases));
        of.for_each(|(count, more)| *count = count.saturating_add(more));
        self
    }

    fn count(&mut self, key: &[u8], value: &[u8], change: fn(u64) -> u64) {
        let Some(letter) = key.first() else { return };
        if *letter == page::INCIDENTS.letter() {
            for (priority, _) in page::standings(value).filter(|(_, status)| *status != Status::Completed) {
                let place = Priority::ALL.iter().position(|known| *known == priority);
                if let Some(count) = place.and_then(|place| self.open.get_mut(place)) {
                    *count = change(*count);
                }
            }
        } else if *letter == CASES.letter()
            && let Some(state) = cases::state_of(value)
            && let Some(count) = self.cases.get_mut(state as usize)
        {
            *count = change(*count);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::bundles::BundleRef;
    use crate::cases::{CaseRow, CaseText, Further, Stays};
    use crate::incidents::IncidentRow;
    use crate::table;

    fn incident(priority: Priority, status: Status) -> IncidentRow {
        IncidentRow {
            host_event_id: "core-01_1".to_owned(),
            kind: "event".to_owned(),
            is_off_box: true,
            serial_number: "SN1".to_owned(),
            event_type: "CHASSIS".to_owned(),
            event_type_group: String::new(),
            service_type: "reactive".to_owned(),
            synopsis: "FPC 2 offline, über".to_owned(),
            description: "d".repeat(300),
            priority,
            severity: Some(3),
            occurred: Timestamp::from_second(-5).unwrap(),
            detected: Timestamp::from_second(1_800_000_000).unwrap(),
            status,
            owner: "ann".to_owned(),
            repeats: 7,
            bundle: BundleRef::none(9),
        }
    }

    fn page_of(rows: &[IncidentRow]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            page::put(&mut bytes, at, &table::encode_bare(row).unwrap());
        }
        bytes
    }

    fn case(state: CaseState) -> Vec<u8> {
        let row = CaseRow {
            state,
            reaction: "acme-r3-1".to_owned(),
            policy: None,
            request: CaseText::default(),
            transaction_id: String::new(),
            case_id: String::new(),
            status: String::new(),
            previous_status: String::new(),
            link: String::new(),
            updated: Timestamp::UNIX_EPOCH,
            opened: Timestamp::UNIX_EPOCH,
            is_test: false,
            stays: Stays::default(),
            further: Further::default(),
        };
        table::encode(&row).unwrap()
    }

    #[test]
    fn every_incident_that_is_not_completed_counts_by_its_priority() {
        let statuses = [Status::Unassigned, Status::Assigned, Status::InProgress, Status::Completed];
        let rows: Vec<_> =
            Priority::ALL.into_iter().flat_map(|of| statuses.map(|status| incident(of, status))).collect();
        let found: Vec<_> = page::standings(&page_of(&rows)).collect();
        assert_eq!(found, rows.iter().map(|row| (row.priority, row.status)).collect::<Vec<_>>());
        let mut census = Census::default();
        census.add(b"iacme\0", &page_of(&rows));
        assert_eq!(census.open().map(|(_, count)| count).collect::<Vec<_>>(), [3; 4]);
        // One of them is completed.
        let before = page_of(&rows);
        let after = page_of(&[&[incident(Priority::Critical, Status::Completed)], &rows[1..]].concat());
        census.take_off(b"iacme\0", &before);
        census.add(b"iacme\0", &after);
        assert_eq!(census.open().collect::<Vec<_>>()[0], (Priority::Critical, 2));
        census.take_off(b"iacme\0", &after);
        assert_eq!(census, Census::default());
    }

    #[test]
    fn every_case_counts_by_where_it_stands() {
        let mut census = Census::default();
        for (at, state) in CaseState::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, at, "a word is stored by its place");
            (0..=at).for_each(|_| census.add(b"cacme\0", &case(state)));
        }
        census.add(b"xacme", &case(CaseState::Draft));
        let counts: Vec<_> = census.cases().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(census.and(&census).cases().last(), Some((CaseState::Reported, 18)));
    }
}

//! Rows of earlier versions, written anew in today's while the engine runs.
//!
//! A row is upgraded whenever it is read; here those are found that nobody reads. Each lane remembers in the default
//! tree up to which format it has gone through all of its rows.

use std::ops::Bound;

use linesman_domain::TABLES;
use linesman_domain::state::Writes;

use super::{DomainError, Error, FORMAT, Lane};

impl Lane {
    /// Whether rows of an earlier version may be among the lane's.
    ///
    /// # Errors
    /// sled failed.
    pub fn is_behind(&self) -> Result<bool, Error> {
        Ok(self.formats.get(&*self.name)?.is_none_or(|format| format != FORMAT))
    }

    /// Writes the rows that a store of an earlier format has not, and that are made of others: decisions need them all.
    ///
    /// The lane alone may call this, before it decides.
    ///
    /// # Errors
    /// sled failed, or a row cannot be read.
    pub fn complete(&self) -> Result<(), DomainError> {
        if self.is_behind()? {
            self.apply(&linesman_domain::reached::index(self)?)?;
        }
        Ok(())
    }

    /// Writes rows of earlier versions anew, looking at so many behind the key `after`; the key of the last one, or none
    /// behind the last of all. A row that is of no table, or cannot be read, is told and left as it is.
    ///
    /// The lane alone may call this: what is read here must not change before it is written.
    ///
    /// # Errors
    /// sled failed.
    pub fn upgrade(&self, after: &[u8], most: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut writes = Writes::default();
        let mut last = None;
        for row in self.range((Bound::Excluded(after), Bound::Unbounded)).take(most) {
            let (key, bytes) = row?;
            let table = TABLES.iter().find(|table| key.first() == Some(&table.letter()));
            match table.map(|table| table.upgraded(&key, &bytes)) {
                Some(Ok(None)) => {}
                Some(Ok(Some(upgraded))) => writes.rows.push((key.clone(), Some(upgraded))),
                Some(Err(error)) => {
                    let error = crate::logging::full(&error);
                    tracing::error!(error, "a row of an earlier version cannot be upgraded");
                }
                None => tracing::error!(key = %key.escape_ascii(), "a row of no table is left as it is"),
            }
            last = Some(key);
        }
        self.apply(&writes)?;
        metrics::counter!("linesman_rows_upgraded_total").increment(writes.rows.len() as u64);
        if last.is_none() {
            self.formats.insert(&*self.name, FORMAT)?;
            tracing::debug!(lane = &*self.name, "every row is of today's version");
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use linesman_domain::reached::{self, ReachedRow};
    use linesman_domain::{devices, organizations, table};
    use linesman_schemas::OrgName;

    use super::super::Store;
    use super::*;

    #[test]
    fn devices_of_an_earlier_format_are_found_by_serial_number_from_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let org: OrgName = "acme".parse().unwrap();
        let settings = linesman_schemas::command::DeviceSettings {
            address: Some("192.0.2.1".to_owned()),
            user: Some("ann".to_owned()),
            credentials: Some(linesman_schemas::command::CredentialsKind::Password),
            serial_number: Some("SN1".to_owned()),
            ..Default::default()
        };
        let row: ReachedRow = reached::row_of(None, &settings).unwrap();
        let owner = organizations::OrgRow::of_provider();
        let rows = [
            (organizations::key(&org).into_bytes(), table::encode(&owner).unwrap()),
            (reached::key(&org, "r1").into_bytes(), table::encode(&row).unwrap()),
        ];
        let rows = rows.into_iter().map(|(key, row)| (key, Some(row))).collect();
        let store = Store::open(&path).unwrap();
        store.lane(0).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
        store.db.insert("format", b"5").unwrap();
        store.db.insert("lane-0", b"5").unwrap();
        drop(store);
        let lane = Store::open(&path).unwrap().lane(0).unwrap();
        assert_eq!(reached::of_serial(&lane, &org, "SN1").unwrap(), None);
        lane.complete().unwrap();
        assert_eq!(reached::of_serial(&lane, &org, "SN1").unwrap().as_deref(), Some("r1"));
    }

    #[test]
    fn devices_of_an_earlier_format_are_found_by_host_name_from_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let org: OrgName = "acme".parse().unwrap();
        let row = devices::DeviceRow { host_name: "edge".to_owned(), ..devices::DeviceRow::unknown() };
        let owner = organizations::OrgRow::of_provider();
        let rows = [
            (organizations::key(&org).into_bytes(), table::encode(&owner).unwrap()),
            (devices::key(&org, "SN1").into_bytes(), table::encode(&row).unwrap()),
        ];
        let rows = rows.into_iter().map(|(key, row)| (key, Some(row))).collect();
        let store = Store::open(&path).unwrap();
        store.lane(0).unwrap().apply(&Writes { batch: 1, rows }).unwrap();
        store.db.insert("format", b"6").unwrap();
        store.db.insert("lane-0", b"6").unwrap();
        drop(store);
        let lane = Store::open(&path).unwrap().lane(0).unwrap();
        let called = |lane: &Lane| reached::of_host(lane, &org, "edge").collect::<Result<Vec<_>, _>>().unwrap();
        assert!(called(&lane).is_empty());
        lane.complete().unwrap();
        assert_eq!(called(&lane), ["SN1"]);
    }
}

//! Policy files that were read before: of a hundred thousand of which one has changed one is read, and checked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Error, Files, PolicyFile, Stamp, find, read_found, refuse_beyond, services};

/// See the module. A file without a fault that is as it was is taken from here; what else there is, is read.
#[derive(Debug, Default)]
pub struct Known(HashMap<PathBuf, (Stamp, PolicyFile)>);

impl Known {
    /// As [`super::read_all`]; what was read is known from then on, and what is gone is no more.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn read_all(&mut self, dir: &Path) -> Result<Files, Error> {
        let found = find(dir)?;
        let mut before = std::mem::take(&mut self.0);
        let mut policies = Vec::with_capacity(found.len());
        for found in found {
            let (path, stamp) = (found.path.clone(), found.stamp.clone());
            let known = before.remove(&path).filter(|(known, _)| *known == stamp && found.unseen.is_none());
            let file = known.map_or_else(|| read_found(dir, found), |(_, file)| file);
            if file.faults.is_empty() {
                self.0.insert(path, (stamp, file.clone()));
            }
            policies.push(file);
        }
        refuse_beyond(&mut policies);
        Ok(Files { policies, services: services::read(dir) })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_has_changed_is_read_and_the_rest_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let policy = "policy(#{ on: \"incident.detected\" });\nfn react(incident, org) { }\n";
        fs::create_dir(path("acme")).unwrap();
        for name in ["a.rhai", "acme/b.rhai", "c.rhai"] {
            fs::write(path(name), policy).unwrap();
        }
        fs::write(path("broken.rhai"), "policy(").unwrap();
        let mut known = Known::default();
        let said = |files: &Files| format!("{:?}", files.policies);
        let anew = || said(&super::super::read_all(dir.path()).unwrap());
        assert_eq!(said(&known.read_all(dir.path()).unwrap()), anew());
        assert_eq!(known.0.len(), 3, "what has a fault is read again");
        // As it stands there nobody reads it: what is known of it is told.
        known.0.get_mut(&path("a.rhai")).unwrap().1.text.push_str("// known\n");
        let found = known.read_all(dir.path()).unwrap();
        assert!(found.policies[0].text.ends_with("// known\n"), "{found:?}");

        fs::write(path("a.rhai"), format!("{policy}// other\n")).unwrap();
        fs::write(path("broken.rhai"), policy).unwrap();
        fs::remove_file(path("c.rhai")).unwrap();
        fs::rename(path("acme"), path("bolt")).unwrap();
        assert_eq!(said(&known.read_all(dir.path()).unwrap()), anew());
        assert_eq!(known.0.len(), 3);
        fs::remove_dir_all(dir.path()).unwrap();
        assert!(known.read_all(dir.path()).is_err());
        assert_eq!(known.0.len(), 3, "it may come back");
    }
}

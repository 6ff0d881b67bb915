//! At engine level 1: a rule book is one content, and whoever has the lanes sends it to all of them.

use linesman_domain::rule_book::BookRow;
use linesman_schemas::control::{Control, PoliciesSection, RuleBookRef};

use super::Error;
use super::policies::{Brought, Changes, Made, Policies};
use crate::log::books;
use crate::rules_dir::PolicyFile;

impl Policies {
    /// Sends the rule book of the files unless it is what all lanes have; with the policies of before where these are kept.
    pub(super) async fn bring_whole(&mut self, files: &[PolicyFile], keeps: bool) -> Result<Brought, Error> {
        let rows = self.rows()?;
        let newest = rows.iter().flatten().max_by_key(|row| row.version);
        let last = match newest {
            None => None,
            Some(row) => match self.books.fetch::<PoliciesSection>(&row.hash).await {
                Ok(policies) => Some(policies),
                // Only a broken file needs it.
                Err(_) if files.iter().all(|file| file.faults.is_empty()) => None,
                Err(error) => return Err(error.into()),
            },
        };
        let policies = match (keeps, &last) {
            (true, Some(last)) => {
                self.refuse_nothing();
                last.clone()
            }
            _ => {
                let policies = self.compose(files, last.as_ref());
                self.show(&policies.refused, files.iter().filter(|file| !file.faults.is_empty()).count());
                policies
            }
        };
        let (count, changes) = (policies.policies.len(), Changes::between(last.as_ref(), &policies));
        let (hash, content) = books::pack(&self.whole(policies))?;
        self.copies.keep_whole(&content);
        if rows.iter().all(|row| row.as_ref().is_some_and(|row| row.hash == hash)) {
            return Ok(Brought { made: Made::Whole(hash), sequences: Vec::new() });
        }
        self.books.put(&hash, &content).await?;
        let version = self.version(newest, &hash);
        changes.log(version, &hash, count);
        let control = Control::RuleBook(RuleBookRef { version, hash: hash.clone(), sections: Vec::new() });
        let mut sequences = Vec::new();
        for lane in 0..self.setup.lanes {
            sequences.push(self.setup.publish(format!("p.{lane}.ctl"), &control).await?);
        }
        Ok(Brought { made: Made::Whole(hash), sequences })
    }

    /// The version to send a rule book under. INVARIANT (one version, one rule book): one that may
    /// have reached a lane is never given to another rule book.
    fn version(&mut self, newest: Option<&BookRow>, hash: &str) -> u64 {
        let newest = newest.map_or(0, |row| row.version);
        let version = match &self.sent {
            Some((sent, of)) if of == hash && *sent > newest => *sent,
            Some((sent, _)) => newest.max(*sent) + 1,
            None => newest + 1,
        };
        self.sent = Some((version, hash.to_owned()));
        version
    }
}

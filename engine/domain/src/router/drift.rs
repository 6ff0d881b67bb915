//! What follows from groups that devices have otherwise than they were told, and from telling a device all of them again.

use linesman_schemas::OrgName;
use linesman_schemas::command::{DeviceUse, UseKind};
use linesman_schemas::device::GroupRead;

use crate::activations::drift;
use crate::activations::parts::{self, Goal};
use crate::activations::wanted::Scope;
use crate::follow::{Cause, Follow};
use crate::jobs::Work;
use crate::{Domain, Error, reached};

/// Of how many groups a device is told again at once; of more it is one after the other.
const AT_ONCE_MOST: usize = 50;

impl Domain {
    /// A group was read back from its device.
    pub(super) fn take_drift(&mut self, org: &OrgName, read: &GroupRead) -> Result<(), Error> {
        let Some(device) = reached::find(&self.desk, org, &read.device)? else {
            self.desk.tally.input("result", "unknown device");
            return Ok(());
        };
        let Some(found) = drift::take(&mut self.desk, self.services.shelf(), org, read)? else { return Ok(()) };
        let fired = match found.is_told {
            true => Some(found.tell(&mut self.desk, org, read)?),
            false => None,
        };
        if found.is_accepted {
            found.accept(&mut self.desk, org, read, self.books.row().version)?;
        }
        let words = found.words(read);
        if found.is_restored
            && let Some((activation, decided)) = found.restore(&mut self.desk, org)?
        {
            let told = Follow::React(Cause::Activation(activation.as_str().into()), decided);
            self.follow(org, &mut None, vec![told])?;
        }
        fired.map_or(Ok(()), |fired| self.judge(org, fired, device.saying(words)))
    }

    /// What somebody does on a device at once is done by the node that was asked; that a device is told all its groups again
    /// is done here.
    pub(super) fn used(&mut self, org: &OrgName, using: &DeviceUse) -> Result<(), Error> {
        if using.what != UseKind::Apply || !self.desk.is_at(drift::LEVEL) {
            return Ok(());
        }
        let mut told = Vec::new();
        for device in reached::called(&self.desk, &mut self.devices, org, &using.name)? {
            for group in parts::groups_of(self.desk.state(), org, &device) {
                let (_, group) = group?;
                let part = self.desk.read(&parts::key(&group.line, &group.activation))?;
                // What it is being told already, and what it is to lose, goes its way.
                let part = part.filter(|part| part.goal == Goal::On && part.reaction.is_none());
                told.extend(part.map(|part| (group.line, group.activation, part.name)));
            }
        }
        for (at, (line, activation, name)) in told.into_iter().enumerate() {
            let scope = Scope { again: Some(&name), only: Some(&activation), later: None, job: None };
            match at {
                0..AT_ONCE_MOST => self.render_lines(org, &[line], scope)?,
                _ => {
                    let work = Work::Render { place: linesman_schemas::Place::Below(line), again: Some(name) };
                    self.jobs.begin(&mut self.desk, work)?;
                }
            }
        }
        Ok(())
    }
}

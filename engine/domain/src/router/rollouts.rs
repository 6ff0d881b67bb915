//! What a rollout would break is found before it begins: subscriptions are on the other version as a trial.

use std::collections::BTreeSet;

use linesman_schemas::audit::Verdict;
use linesman_schemas::command::{Command, Rollout};
use linesman_schemas::{OrgName, Place};

use super::activations::not_all;
use crate::activations::sample::Sample;
use crate::activations::wanted::Scope;
use crate::commands::services::{self, Going};
use crate::commands::wrong::{add, once};
use crate::commands::{Answer, Wrong, held};
use crate::faults::Faults;
use crate::{Domain, Error, activations, hidden};

/// How many lines are rehearsed, of all that subscriptions are made for.
const LINES_MOST: usize = 400;

/// What a rollout would break.
struct Broken {
    /// For whoever asks.
    wrong: Vec<Wrong>,
    /// On record.
    recorded: Vec<String>,
    /// That not all was looked at.
    told: Option<String>,
}

impl Domain {
    /// Lets subscriptions go over to another version of their service, unless values or lines would be wrong by it and
    /// nobody says that they are to go over all the same.
    pub(super) fn roll_out(&mut self, org: &OrgName, command: &Command, rollout: &Rollout) -> Result<Answer, Error> {
        let going = match services::going(&self.desk, (&self.services, &self.jobs), rollout)? {
            Ok(going) => going,
            Err(refused) => return Ok(refused),
        };
        if !self.desk.is_at(activations::REHEARSED) || going.count == 0 {
            return services::begin(&mut self.desk, &mut self.jobs, rollout, going);
        }
        let Broken { wrong, recorded, told } = self.breaks(org, command, rollout, &going)?;
        if wrong.is_empty() || rollout.force {
            let answer = services::begin(&mut self.desk, &mut self.jobs, rollout, going)?;
            let answer = answer.warning(wrong.iter().map(Wrong::told));
            return Ok(match told {
                Some(told) => answer.of_some(&told),
                None => answer,
            });
        }
        let more = told.map(|told| format!("; {told}")).unwrap_or_default();
        let of = |all: &mut dyn Iterator<Item = String>| {
            format!("it would break what stands: {}{more}; with `force` they go over all the same", held::told(all))
        };
        let detail = of(&mut wrong.iter().map(Wrong::told));
        let recorded = of(&mut recorded.into_iter());
        let refused = Answer::refused(Verdict::Conflict, detail).recorded(recorded);
        Ok(refused.naming(wrong).cut(!more.is_empty()))
    }

    /// What would be wrong after a rollout and is not now.
    fn breaks(&mut self, org: &OrgName, command: &Command, rollout: &Rollout, going: &Going) -> Result<Broken, Error> {
        let goes_on = &|| true;
        let before = Faults::read(self.desk.state(), self.services.shelf(), &rollout.under, goes_on)?;
        let told_to = hidden::reach_of(&self.desk, &self.managers, &command.principal)?;
        self.desk.begin_trial();
        services::try_out(&mut self.desk, going)?;
        let after = Faults::read(self.desk.state(), self.services.shelf(), &rollout.under, goes_on)?;
        let sample = self.lines_of_all(going)?;
        let found = self.rehearse(&sample.lines, Scope::default(), told_to)?;
        self.desk.end_trial(false)?;
        let (lines, on_record) = self.named(&command.principal, found)?;
        let lines = once(lines.into_iter().zip(on_record).collect(), |(wrong, _)| wrong);
        // What is given may be hidden from some who read the record.
        let on_record =
            |wrong: &Wrong| Wrong { detail: "a value would be at fault".to_owned(), ..wrong.clone() }.told();
        let given = after.beyond(&before).into_iter().map(|wrong| (wrong.clone(), on_record(&wrong)));
        let mut all: Vec<(Wrong, String)> = given.collect();
        add(&mut all, lines, |(wrong, _)| wrong);
        let (wrong, recorded) = all.into_iter().unzip();
        let is_all = sample.is_all && !going.has_more();
        let told = match (is_all, before.is_all && after.is_all) {
            (true, true) => None,
            (true, false) => Some(format!("the first values of `{org}` were looked at, and there are more")),
            (false, _) => Some(not_all(sample.lines.len())),
        };
        Ok(Broken { wrong, recorded, told })
    }

    /// The lines of all places where subscriptions go over, the first so many.
    fn lines_of_all(&mut self, going: &Going) -> Result<Sample, Error> {
        let mut all = Sample { lines: Vec::new(), is_all: true };
        let places: BTreeSet<&Place> = going.first.iter().map(|(place, _)| place).collect();
        for place in places {
            if all.lines.len() >= LINES_MOST {
                all.is_all = false;
                break;
            }
            all.join(self.sample(place)?);
        }
        if all.lines.len() > LINES_MOST {
            all.lines.truncate(LINES_MOST);
            all.is_all = false;
        }
        Ok(all)
    }
}

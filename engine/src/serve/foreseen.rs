//! What other parameters of all would break is found before they are loaded: values that people have given, and what access
//! lines come to with them. They are refused as services that would break by them are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use linesman_domain::hidden::Reader;
use linesman_domain::preview::{Asked, Question, Sight, preview};
use linesman_domain::services::Catalog;
use linesman_domain::subscriptions;
use linesman_rules::{Code, Diagnostic};
use linesman_schemas::audit::Verdict;
use linesman_schemas::service::ServicesSection;

use super::Error;
use super::policies::Policies;
use super::services::Judged;
use crate::rules_dir::services::{FileFault, PARAMETERS};
use crate::store::Lane;

/// How long is looked.
const MOST: Duration = Duration::from_secs(5);
/// How many organizations are named.
const NAMED_MOST: usize = 5;

impl Policies {
    /// Refuses parameters of all by which values or lines would break, as far as that is found in time.
    pub(super) async fn foresee(&self, judged: &mut Judged) -> Result<(), Error> {
        let section = judged.section();
        if section.parameters == judged.last().parameters {
            return Ok(());
        }
        let lanes: Vec<Lane> =
            (0..self.setup.lanes).map(|lane| self.setup.store.lane(lane)).collect::<Result<_, _>>()?;
        // It decides as lanes do, which takes its time.
        let found = tokio::task::spawn_blocking(move || found(&lanes, section)).await;
        let (broken, is_all) = found.map_err(|error| Error::Broken(std::io::Error::other(error)))??;
        if !is_all {
            tracing::warn!("not all that other parameters of all would break was looked at: lines that fail tell so");
        }
        if !broken.is_empty() {
            let message = broken.join("; ");
            let help = "change the values first, or load it with `linesman service load --force`";
            let fault = Diagnostic::of_file(Code::Refused, message, Some(help));
            judged.files.refuse_parameters(FileFault { within: PARAMETERS.to_owned(), fault });
        }
        Ok(())
    }
}

/// What would break, of the first organizations where something does; and whether all was looked at.
fn found(lanes: &[Lane], section: ServicesSection) -> Result<(Vec<String>, bool), linesman_domain::Error> {
    let catalog = Arc::new(Catalog::of(section));
    let until = Instant::now() + MOST;
    let goes_on = || Instant::now() < until;
    let sight = Sight { sees: &|_| true, reader: Reader::of_provider() };
    let (mut broken, mut is_all) = (Vec::new(), true);
    for (lane, rows) in (0..).zip(lanes) {
        for organization in subscriptions::organizations(rows)? {
            if broken.len() >= NAMED_MOST || !goes_on() {
                return Ok((broken, false));
            }
            let (asked, directory) =
                (Asked::Services { catalog: Arc::clone(&catalog), is_forced: false }, Arc::default());
            let question = Question { lane, directory, organization, asked, now: Timestamp::now() };
            let preview = preview(Box::new(rows.clone()), question, &sight, &goes_on)?;
            is_all &= preview.is_complete;
            if preview.verdict != Verdict::Done {
                broken.push(preview.detail);
            }
        }
    }
    Ok((broken, is_all))
}

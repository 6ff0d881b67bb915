//! Crashes under a clock that is wrong, and beside bytes that are not what was written.

use linesman::log::streams::{self, lane_of};
use linesman_tests::{Flipped, LANES};

use super::super::verified::verify;
use super::{BUNDLES, Crash, ORGANIZATIONS, STAFF_STEPS, Site};

/// By how many seconds the server's clock is wrong in a round.
const SKEWS: [i64; 2] = [3_600, -3_600];
/// By how many for a few messages, and for how many.
const JUMP: (i64, u64) = (365 * 86_400, 3);

impl Site {
    /// Has the server's clock be wrong, for as long as an engine lives or for a few messages, and kills that amid the load.
    pub(super) async fn set_wrong(&mut self, crash: Crash) {
        let mut engine = self.start().await;
        let client = engine.nats_as_engine().await.unwrap();
        engine.kill().unwrap();
        // Whatever was decided was decided by the right clock.
        let from = streams::identity(&client).await.unwrap().last + 1;
        let (seconds, until) = match crash {
            Crash::Jump => (JUMP.0, (from + JUMP.1).to_string()),
            _ => (SKEWS[usize::try_from(self.random.below(SKEWS.len() as u64)).unwrap()], String::new()),
        };
        let before = self.skews.clone();
        self.skews = format!("{before} {from}..{until}:{seconds}");
        let mut engine = self.start().await;
        let (client, api) = (engine.nats_as_engine().await.unwrap(), engine.api().unwrap());
        let most = BUNDLES * ORGANIZATIONS.len();
        let killing = async {
            self.load.publish(&client, most).await;
            engine.kill().unwrap();
        };
        let ((), worked) = tokio::join!(killing, self.staff.work(&api, STAFF_STEPS));
        worked.unwrap();
        if until.is_empty() {
            let until = streams::identity(&client).await.unwrap().last + 1;
            self.skews = format!("{before} {from}..{until}:{seconds}");
        }
    }

    /// Flips bytes of a stream while nobody runs: it is told, what comes goes on, and they are put back. A server that is killed
    /// over damage cuts its file off there, so this one ends well.
    pub(super) async fn damage(&mut self, stream: &str) {
        let mut engine = self.start().await;
        self.load.publish_all(&engine.nats().await.unwrap()).await;
        self.load.wait_for_incidents(&engine).await.unwrap();
        assert!(engine.terminate().await.unwrap().0.success(), "{}", engine.log_tail());
        let input = format!("p.{}.acme.jmb", lane_of("acme", LANES));
        let place = if stream == "IN" { (&*input, 200) } else { ("acme-3-", 0) };
        let flipped = Flipped::in_stream(&self.world.data(), stream, place).unwrap().unwrap();
        let mut engine = self.start().await;
        let (code, round) = verify(&self.world, &[]).await;
        let told = round["faults"].as_array().unwrap();
        assert!(code == Some(1) && told.iter().all(|fault| fault["stream"] == stream), "{round}");
        for org in ORGANIZATIONS {
            self.load.add(org, BUNDLES);
        }
        self.load.publish_all(&engine.nats().await.unwrap()).await;
        self.load.wait_for_incidents(&engine).await.unwrap();
        assert!(engine.terminate().await.unwrap().0.success(), "{}", engine.log_tail());
        flipped.mend().unwrap();
    }
}

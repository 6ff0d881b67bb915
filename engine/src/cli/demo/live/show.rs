//! What is shown, and what whoever watches wants: the board, the screen, the keys.

use std::time::Duration;

use anyhow::ensure;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, sleep_until};

use super::board::{Board, Due, Engine, Return};
use super::terminal::{Key, Terminal};
use super::{News, screen, sent};

/// How often the screen is drawn though nothing was told, and how soon after it was told something.
const DRAW_EVERY: Duration = Duration::from_millis(250);
const DRAW_AFTER: Duration = Duration::from_millis(60);
/// How many things before it comes the kill is announced, and how many seconds that are.
const DOOMED_BEFORE: usize = 5;
const DOOMED_S: u64 = 2;
/// How long the log may have a problem without its incident.
const DECIDED_WITHIN: Duration = Duration::from_secs(60);

/// What the show tells others.
pub(super) struct Orders {
    pub(super) kill: mpsc::UnboundedSender<()>,
    pub(super) dues: mpsc::UnboundedSender<Due>,
    pub(super) is_paused: watch::Sender<bool>,
}

/// The terminal, and what it shows.
pub(super) struct Show {
    terminal: Terminal,
    keys: mpsc::UnboundedReceiver<Key>,
    resized: Signal,
    board: Board,
    began: Instant,
    /// At which thing of the first round the engine is killed.
    kill_at: usize,
    /// What the log had taken in when it was.
    at_kill: u64,
}

impl Show {
    /// On a terminal. `look`: where whoever watches looks next.
    ///
    /// # Errors
    /// It cannot be listened to.
    pub(super) fn new(terminal: Terminal, look: Vec<String>) -> anyhow::Result<Self> {
        let (keys, resized) = (terminal.keys()?, signal(SignalKind::window_change())?);
        let mut board = Board::new();
        board.look = look;
        Ok(Self { terminal, keys, resized, board, began: Instant::now(), kill_at: sent::kill_at(), at_kill: 0 })
    }

    /// Shows what is told until whoever watches has enough.
    ///
    /// # Errors
    /// Something was lost or doubled; the terminal takes nothing.
    pub(super) async fn go_on(
        &mut self,
        news: &mut mpsc::UnboundedReceiver<News>,
        orders: &Orders,
    ) -> anyhow::Result<()> {
        let mut draw = interval(DRAW_EVERY);
        let mut due: Option<Instant> = None;
        loop {
            tokio::select! {
                key = self.keys.recv() => match key {
                    Some(key) if self.does(key, orders) => {}
                    // Also where nobody can press any more.
                    _ => return Ok(()),
                },
                Some(news) = news.recv() => {
                    self.take(news, orders);
                    due.get_or_insert_with(|| Instant::now() + DRAW_AFTER);
                    continue;
                }
                _ = self.resized.recv() => {}
                _ = draw.tick() => {}
                () = sleep_until(due.unwrap_or(self.began)), if due.is_some() => {}
            }
            due = None;
            self.board.elapsed = self.began.elapsed();
            self.proves()?;
            self.draw()?;
        }
    }

    /// Whether the demo goes on.
    fn does(&mut self, key: Key, orders: &Orders) -> bool {
        match key {
            Key::Quit => return false,
            Key::Help => (self.board.is_help, self.board.help_page) = (!self.board.is_help, 0),
            Key::Next => {
                let (width, height) = self.terminal.size();
                let last = screen::help_pages(&self.board, width, height).saturating_sub(1);
                self.board.help_page = (self.board.help_page + 1).min(last);
            }
            Key::Back => self.board.help_page = self.board.help_page.saturating_sub(1),
            Key::Pause => {
                self.board.is_paused = !self.board.is_paused;
                orders.is_paused.send_replace(self.board.is_paused);
            }
        }
        true
    }

    fn take(&mut self, news: News, orders: &Orders) {
        let board = &mut self.board;
        match news {
            News::Sent { org, what, name, id, number } => {
                board.sent(&org, what, &name, id.as_deref());
                match number {
                    Some(number) if number + DOOMED_BEFORE == self.kill_at => board.engine = Engine::Doomed(DOOMED_S),
                    // Whoever kills it tells.
                    Some(number) if number == self.kill_at => drop(orders.kill.send(())),
                    _ => {}
                }
            }
            News::Elsewhere { org, name } => board.went(&org, "bundle", &name),
            News::Heard { subject, event } => {
                if let Some(due) = board.heard(&subject, &event) {
                    // Where nobody works any more the demo is over.
                    let _ = orders.dues.send(due);
                }
            }
            News::AtSupport { cases, twice } => board.at_support = (cases, twice),
            News::Ready => board.engine = Engine::Running,
            News::Killed => (board.engine, self.at_kill) = (Engine::Killed, board.ledger.bundles()),
            News::Back { away } => {
                let meanwhile = board.ledger.bundles() - self.at_kill;
                (board.engine, board.back) = (Engine::Running, Some(Return { away, meanwhile }));
            }
        }
    }

    /// Nothing is lost and nothing doubled.
    fn proves(&self) -> anyhow::Result<()> {
        let Board { ledger, at_support: (_, twice), elapsed, .. } = &self.board;
        ensure!(ledger.doubled() == 0, "{} incidents came twice", ledger.doubled());
        ensure!(*twice == 0, "{twice} cases were opened twice");
        if let Some(id) = ledger.overdue(elapsed.saturating_sub(DECIDED_WITHIN)) {
            anyhow::bail!("the bundle `{id}` is lost: no incident has come of it in {} s", DECIDED_WITHIN.as_secs());
        }
        Ok(())
    }

    fn draw(&self) -> anyhow::Result<()> {
        ensure!(!self.terminal.is_given_back(), "a part of the demo panicked");
        let (width, height) = self.terminal.size();
        self.terminal.show(&screen::lines(&self.board, width, height))
    }

    /// What it came to, for whoever has ended it.
    pub(super) fn told(&self) -> String {
        let (ledger, sum) = (&self.board.ledger, self.board.sum());
        let kill = match &self.board.back {
            Some(back) => format!("Its engine was killed once, and was back after {:.1} s.", back.away.as_secs_f64()),
            None => "Its engine was not killed yet.".to_owned(),
        };
        format!(
            "The demo has published {} bundles, of these {} problems, {} of them under way, none lost, none twice. {kill}\n\
             {} cases at the support system, none twice; {} of them closed, {} withheld by filter levels.",
            ledger.bundles(),
            ledger.problems(),
            ledger.awaited(),
            self.board.at_support.0,
            sum.closed,
            sum.withheld,
        )
    }
}

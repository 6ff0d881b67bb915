//! What of messages' times is believed, and that what falls due goes on meanwhile.

use jiff::SignedDuration;
use linesman_schemas::Principal;
use linesman_schemas::control::{ClockConfirmed, ClockReading};

use super::*;
use crate::clock::{self, Doubt};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A lane under a server and an engine, each with a clock of its own.
struct World {
    lane: Lane,
    /// What time it is.
    right: Timestamp,
    /// How far the server's clock is ahead.
    server: SignedDuration,
    /// How far the engine's is.
    engine: SignedDuration,
    /// Since when, by the steady clock, and where the lane's clock has stood; none of an engine that has just begun.
    steady: Option<(Timestamp, Timestamp)>,
    /// How many readings were asked for.
    asked: usize,
}

impl World {
    fn new() -> Self {
        Self::of(Lane::with(&[("open", OPEN_CASE)]))
    }

    fn of(lane: Lane) -> Self {
        let right = lane.now;
        let (server, engine) = (SignedDuration::ZERO, SignedDuration::ZERO);
        Self { lane, right, server, engine, steady: Some((right, right)), asked: 0 }
    }

    fn wait(&mut self, passed: SignedDuration) {
        self.right = self.right.checked_add(passed).unwrap();
    }

    fn clock(&self) -> Timestamp {
        self.lane.domain.position().now
    }

    /// How far the lane's clock is ahead of what time it is, in seconds.
    fn wrong_by(&self) -> i64 {
        self.clock().duration_since(self.right).as_secs()
    }

    fn doubt(&self) -> Option<Doubt> {
        self.lane.domain.doubt()
    }

    fn reading(&self) -> ClockReading {
        let lane = match self.steady {
            Some((since, stood)) => stood.checked_add(self.right.duration_since(since)).unwrap(),
            None => self.clock(),
        };
        ClockReading { at: self.right.checked_add(self.engine).unwrap(), lane }
    }

    /// A message of the lane's: what it asks of the time is told before, and in its own turn.
    fn hear(&mut self, org: &str, kind: &str, bytes: &[u8], content: Content<'_>) {
        self.lane.now = self.right.checked_add(self.server).unwrap();
        let (sequence, time) = (self.lane.sequence + 1, self.lane.now);
        let input = Input { sequence, time, sha256: [7; 32], org, kind, bytes, content };
        let asks = self.lane.domain.asks_time(&input);
        let reading = self.reading();
        if asks {
            self.asked += 1;
            self.lane.domain.read_ahead(sequence + 1, reading);
        }
        self.lane.decide(org, kind, bytes, input.content);
        self.lane.commit();
        if asks {
            self.lane.decide("", "ctl", b"", Content::Clock(reading));
            self.lane.commit();
        }
        self.lane.work();
        self.steady = self.steady.map(|_| (self.right, self.clock()));
    }

    /// The same problem of a device again.
    fn bundle(&mut self) {
        let bundle = bundle("a", 1, "High");
        self.hear("acme", "jmb", bundle.as_bytes(), Content::decode("jmb", bundle.as_bytes()));
    }

    fn tick(&mut self) {
        let reading = self.reading();
        self.hear("", "ctl", b"", Content::Clock(reading));
    }

    /// Somebody confirms a time, so far from the server's.
    fn confirm(&mut self, off: SignedDuration) {
        let time = self.right.checked_add(self.server).unwrap().checked_add(off).unwrap();
        let confirmed = ClockConfirmed { time, by: Principal::admin(), node: "here".to_owned() };
        self.hear("", "ctl", b"", Content::ClockConfirmed(Box::new(confirmed)));
    }

    /// What became of each confirmation.
    fn confirmed(&self) -> Vec<String> {
        let told = self.lane.on("_provider.audit.confirm-clock");
        told.iter().map(|event| event.data["verdict"].as_str().unwrap().to_owned()).collect()
    }

    fn incidents(&self) -> usize {
        self.lane.on("acme.trigger.incident.detected").len()
    }
}

#[test]
fn a_message_a_year_ahead_forgets_nothing_and_stops_nothing() {
    let mut world = World::new();
    world.bundle();
    world.wait(HOUR);
    world.server = YEAR;
    world.bundle();
    assert_eq!(world.doubt().map(|doubt| doubt.ahead.as_hours()), Some(365 * 24));
    assert_eq!(world.wrong_by(), 0, "the steady clock has seen the hour");
    world.server = SignedDuration::ZERO;
    for _ in 0..10 {
        world.wait(SignedDuration::from_secs(20));
        world.bundle();
    }
    assert_eq!((world.incidents(), world.doubt(), world.wrong_by()), (1, None, 0));
    let incident = world.lane.domain.incident(&"acme-1".parse().unwrap()).unwrap().unwrap();
    assert_eq!(incident.row.repeats, 11);
    // What is tried again is due by what time it is.
    world.lane.report(&failed("unavailable", None));
    let (_, row) = world.lane.pending().pop().unwrap();
    assert!(row.not_before.duration_since(world.right) < HOUR, "{row:?}");
}

#[test]
fn below_the_level_it_is_believed_as_ever() {
    let mut lane = Lane::with_at(13, &[]);
    lane.now = lane.now.checked_add(YEAR).unwrap();
    let input = Input {
        sequence: lane.sequence + 1,
        time: lane.now,
        sha256: [7; 32],
        org: "",
        kind: "ctl",
        bytes: b"",
        content: Content::Tick,
    };
    assert!(!lane.domain.asks_time(&input));
    lane.decide("", "ctl", b"", Content::Clock(ClockReading { at: Timestamp::MIN, lane: Timestamp::MIN }));
    lane.commit();
    assert_eq!(lane.domain.position().now, lane.now);
    assert_eq!((lane.on("_provider.dead.command-undecodable").len(), lane.row(&clock::key())), (1, None));
}

#[test]
fn silence_is_confirmed_before_it_counts() {
    for engine in [SignedDuration::ZERO, -YEAR, YEAR] {
        let mut world = World::new();
        world.bundle();
        // The steady clock has seen it, whatever the engine's time of day is.
        (world.engine, world.steady) = (engine, Some((world.right, world.clock())));
        for (number, silence) in [HOUR, HOUR * 72, SignedDuration::from_mins(6)].into_iter().enumerate() {
            world.wait(silence);
            world.bundle();
            assert_eq!((world.asked, world.doubt(), world.wrong_by()), (number + 1, None, 0), "{engine}");
        }
        world.wait(SignedDuration::from_mins(5));
        world.bundle();
        assert_eq!((world.asked, world.wrong_by()), (3, 0), "what is within the bound is not asked for");
    }
}

#[test]
fn a_night_that_publishers_went_on_in_is_confirmed_by_the_morning() {
    let mut lane = Lane::with(&[]);
    let evening = lane.now;
    let input = |sequence, time| Input {
        sequence,
        time,
        sha256: [7; 32],
        org: "",
        kind: "ctl",
        bytes: b"",
        content: Content::Tick,
    };
    let times: Vec<_> = (1..=20).map(|number| evening.checked_add(HOUR * number / 2).unwrap()).collect();
    // The engine has just begun: its steady clock has seen nothing.
    let reading = ClockReading { at: evening.checked_add(HOUR * 11).unwrap(), lane: evening };
    assert!(lane.domain.asks_time(&input(lane.sequence + 1, times[0])));
    lane.domain.read_ahead(lane.sequence + 30, reading);
    for time in times {
        assert!(!lane.domain.asks_time(&input(lane.sequence + 1, time)), "it is known");
        lane.now = time;
        lane.decide("", "ctl", b"", Content::Tick);
        assert_eq!((lane.domain.position().now, lane.domain.doubt()), (time, None));
    }
    // A message beyond the reading was never asked about.
    lane.sequence += 40;
    let later = lane.now.checked_add(HOUR).unwrap();
    assert!(lane.domain.asks_time(&input(lane.sequence, later)));
}

#[test]
fn a_server_that_is_ahead_for_good_stops_nothing() {
    for has_just_begun in [false, true] {
        let mut world = World::new();
        world.bundle();
        world.server = YEAR;
        if has_just_begun {
            // It knows nothing but its time of day.
            world.steady = None;
        }
        for minutes in [1, 4, 30, 4, 1, 600, 2] {
            world.wait(SignedDuration::from_mins(minutes));
            world.bundle();
            world.tick();
            assert_eq!(world.wrong_by(), 0, "after {minutes} minutes");
        }
        assert_eq!(world.doubt().map(|doubt| doubt.ahead.as_hours()), Some(365 * 24));
        assert_eq!(world.incidents(), 1);
        // Set right.
        world.server = SignedDuration::ZERO;
        world.wait(SignedDuration::from_mins(30));
        world.bundle();
        assert_eq!((world.doubt(), world.wrong_by()), (None, 0));
    }
}

#[test]
fn a_server_that_is_behind_stops_nothing() {
    let mut world = World::new();
    world.bundle();
    world.server = HOUR * -3;
    world.bundle();
    world.tick();
    for _ in 0..60 {
        world.wait(SignedDuration::from_mins(4));
        world.bundle();
    }
    let doubt = world.doubt().unwrap();
    assert_eq!((doubt.ahead.as_hours(), doubt.is_slow, world.wrong_by()), (-3, false, 0));
    world.wait(HOUR * 2);
    world.tick();
    assert_eq!(world.wrong_by(), 0, "a gap is confirmed by the engine's clocks");
    world.server = SignedDuration::ZERO;
    world.wait(SignedDuration::from_mins(1));
    world.bundle();
    assert_eq!((world.doubt(), world.wrong_by()), (None, 0));
}

#[test]
fn three_hours_ahead_for_four_seconds_stand_nothing_still() {
    let mut world = World::new();
    world.bundle();
    // A machine whose hardware clock runs in local time: both are ahead, until NTP is there.
    (world.server, world.engine, world.steady) = (HOUR * 3, HOUR * 3, None);
    world.bundle();
    assert_eq!((world.doubt(), world.wrong_by()), (None, 3 * 3_600), "two clocks have said so");
    world.lane.report(&failed("unavailable", None));
    let (_, row) = world.lane.pending().pop().unwrap();
    (world.server, world.engine) = (SignedDuration::ZERO, SignedDuration::ZERO);
    world.wait(SignedDuration::from_secs(4));
    world.tick();
    let doubt = world.doubt().unwrap();
    assert!(doubt.is_slow && doubt.ahead < HOUR * -2, "{doubt:?}");
    // What was armed meanwhile is due soon, not in three hours.
    world.wait(row.not_before.duration_since(world.clock()) * 2);
    world.tick();
    assert!(row.not_before <= world.clock());
    let mut before = world.clock();
    for _ in 0..6 * 15 {
        world.wait(SignedDuration::from_mins(4));
        world.bundle();
        assert!(world.clock() > before, "it never stands");
        before = world.clock();
    }
    assert_eq!((world.doubt(), world.wrong_by()), (None, 0), "after six hours it is gone");
}

#[test]
fn a_server_three_hours_ahead_for_four_seconds_is_not_believed() {
    let mut world = World::new();
    world.bundle();
    world.server = HOUR * 3;
    for _ in 0..4 {
        world.wait(SignedDuration::from_secs(1));
        world.bundle();
        assert!(world.doubt().is_some());
    }
    world.server = SignedDuration::ZERO;
    world.wait(SignedDuration::from_secs(1));
    world.bundle();
    assert_eq!((world.doubt(), world.wrong_by(), world.asked), (None, 0, 1));
}

#[test]
fn an_engine_whose_clock_was_wrong_confirms_the_server_once_it_is_set() {
    let mut world = World::new();
    world.bundle();
    // It begins behind by a day after a night.
    (world.engine, world.steady) = (HOUR * -24, None);
    world.wait(HOUR * 9);
    world.bundle();
    assert_eq!(world.wrong_by(), -9 * 3_600, "nobody confirms it");
    world.engine = SignedDuration::ZERO;
    world.tick();
    assert_eq!((world.doubt(), world.wrong_by()), (None, 0));
}

#[test]
fn it_is_the_same_decided_again_with_the_state_closed_after_every_input() {
    let run = |reopens| {
        let mut world = World::new();
        world.lane.reopens = reopens;
        for (server, engine, minutes) in
            [(0, 0, 60), (8_760, 0, 1), (8_760, 0, 4), (3, 3, 1), (0, 0, 1), (0, 0, 90), (-5, 0, 4), (-5, 0, 60)]
        {
            (world.server, world.engine) = (HOUR * server, HOUR * engine);
            world.wait(SignedDuration::from_mins(minutes));
            world.bundle();
            world.tick();
        }
        (world.server, world.engine) = (YEAR, YEAR);
        world.steady = None;
        world.tick();
        world.confirm(HOUR);
        world.confirm(SignedDuration::ZERO);
        (world.clock(), world.lane.domain.position().digest, world.lane.row(&clock::key()))
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn two_clocks_a_year_ahead_are_believed_once_somebody_confirms_it() {
    let mut world = World::new();
    world.bundle();
    // One machine, whose clock is set to another year.
    (world.server, world.engine, world.steady) = (YEAR, YEAR, None);
    for minutes in [1, 4, 30, 600] {
        world.wait(SignedDuration::from_mins(minutes));
        world.bundle();
        world.tick();
        assert_eq!(world.incidents(), 1, "nothing is forgotten");
        let doubt = world.doubt().unwrap();
        assert!(doubt.is_far(level::NEWEST) && !doubt.is_far(15), "{doubt:?}");
    }
    assert!(world.wrong_by().abs() < 120, "it goes on by what passes: {}", world.wrong_by());
    // Of another time than the server's nothing is said.
    world.confirm(HOUR);
    assert!(world.doubt().is_some());
    world.confirm(SignedDuration::from_mins(1));
    assert_eq!((world.doubt(), world.wrong_by()), (None, YEAR.as_secs()));
    assert_eq!(world.confirmed(), ["conflict", "done"]);
    let record = &world.lane.on("_provider.audit.confirm-clock")[1].data;
    assert_eq!(record["new"]["time"], json!(world.clock()));
    assert_eq!((&record["node"], &record["place"]), (&json!("here"), &json!("/")));
}

#[test]
fn a_week_of_silence_needs_nobody_and_more_does_where_nothing_steady_has_seen_it() {
    let mut world = World::new();
    world.bundle();
    world.steady = None;
    world.wait(HOUR * (24 * 7 - 1));
    world.bundle();
    assert_eq!((world.doubt(), world.wrong_by()), (None, 0));
    world.wait(HOUR * (24 * 8));
    world.bundle();
    world.tick();
    assert_eq!(world.wrong_by(), -8 * 24 * 3_600);
    assert!(world.doubt().unwrap().is_far(level::NEWEST));
    world.confirm(SignedDuration::ZERO);
    assert_eq!((world.doubt(), world.wrong_by()), (None, 0));
    // An engine that has been at work all the while.
    world.steady = Some((world.right, world.clock()));
    world.wait(HOUR * (24 * 30));
    world.bundle();
    assert_eq!((world.doubt(), world.wrong_by()), (None, 0));
    // What the server's clock alone says is confirmed too.
    world.server = YEAR;
    world.bundle();
    assert!(world.doubt().is_some());
    world.confirm(SignedDuration::ZERO);
    assert_eq!((world.doubt(), world.wrong_by()), (None, YEAR.as_secs()));
}

#[test]
fn a_time_that_is_behind_the_lanes_is_not_confirmed() {
    let mut world = World::new();
    world.bundle();
    world.server = HOUR * -3;
    world.confirm(SignedDuration::ZERO);
    assert_eq!((world.wrong_by(), world.confirmed()), (0, vec!["conflict".to_owned()]));
}

#[test]
fn below_the_level_two_clocks_that_agree_are_believed_whatever_they_say() {
    let mut world = World::of(Lane::with_at(15, &[("open", OPEN_CASE)]));
    world.bundle();
    (world.server, world.engine, world.steady) = (YEAR, YEAR, None);
    world.bundle();
    assert_eq!((world.doubt(), world.wrong_by()), (None, YEAR.as_secs()));
    world.confirm(SignedDuration::ZERO);
    assert_eq!(world.lane.on("_provider.dead.command-undecodable").len(), 1);
    assert!(world.confirmed().is_empty());
}

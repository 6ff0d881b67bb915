//! How soon somebody is let in again, and who is locked out.

use super::*;

const NEAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn far(number: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, number])
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// Fails as soon as it is let in; the seconds waited before.
fn fail(doors: &Arc<Doors>, now: &mut i64, login: &str, source: IpAddr) -> (u64, Failed) {
    let mut waited = 0;
    loop {
        match doors.enter(at(*now), login, source) {
            Ok(attempt) => return (waited, attempt.failed(at(*now))),
            Err(Wait { retry_after_s }) => {
                assert!(
                    doors.enter(at(*now + retry_after_s as i64 - 1), login, source).is_err(),
                    "not a second earlier"
                );
                *now += retry_after_s as i64;
                waited += retry_after_s;
            }
        }
    }
}

#[test]
fn three_are_free_then_the_wait_doubles_and_the_tenth_locks() {
    for login in ["acme/ann", "nobody/knows"] {
        let (doors, mut now) = (Doors::new(), 0);
        let fails: Vec<_> = (0..10).map(|_| fail(&doors, &mut now, login, far(1))).collect();
        let waits: Vec<u64> = fails.iter().map(|(waited, _)| *waited).collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60]);
        let locked: Vec<_> = fails.iter().filter_map(|(_, failed)| failed.login).collect();
        assert_eq!(locked, [Locked { failures: 10, until: at(now + 15 * 60) }]);
        // Neither another address nor patience of a minute helps, and refusals do not lengthen it.
        assert_eq!(doors.enter(at(now), login, far(2)).unwrap_err(), Wait { retry_after_s: 900 });
        assert_eq!(doors.enter(at(now + 899), login, far(3)).unwrap_err(), Wait { retry_after_s: 1 });
        let after = doors.enter(at(now + 900), login, far(1)).unwrap();
        assert_eq!(after.failed(at(now + 900)), Failed::default());
        assert!(doors.enter(at(now), "acme/bea", far(1)).is_ok(), "others are let in");
    }
}

#[test]
fn who_gets_in_begins_anew() {
    let (doors, mut now) = (Doors::new(), 0);
    for _ in 0..4 {
        fail(&doors, &mut now, "bob", far(1));
    }
    doors.enter(at(now + 2), "bob", far(1)).unwrap().passed();
    now += 2;
    let waits: Vec<u64> = (0..4).map(|_| fail(&doors, &mut now, "bob", far(1)).0).collect();
    assert_eq!(waits, [0, 0, 0, 1]);
    // So does who has another password.
    doors.forget("bob");
    assert_eq!(fail(&doors, &mut now, "bob", far(1)).0, 0);
}

#[test]
fn many_at_once_have_no_more_tries() {
    let doors = Doors::new();
    let inside: Vec<_> = (0..3).map(|_| doors.enter(at(0), "bob", far(1)).unwrap()).collect();
    assert_eq!(doors.enter(at(0), "bob", far(2)).unwrap_err(), Wait { retry_after_s: 1 });
    // An attempt that came to nothing was none.
    drop(inside);
    assert!(doors.enter(at(0), "bob", far(1)).is_ok());
    assert_eq!(doors.table().logins.get(&(doors.hash("bob"), Side::Street)).map(|door| door.failures), None);
}

#[test]
fn a_place_is_locked_whatever_logins_are_tried_there() {
    let (doors, mut now) = (Doors::new(), 0);
    let mut locked = Vec::new();
    for number in 0..100 {
        locked.extend(fail(&doors, &mut now, &format!("acme/{number}"), far(1)).1.source);
        // Of no use to it: that it has a login of its own.
        if let Ok(attempt) = doors.enter(at(now), "acme/own", far(1)) {
            attempt.passed();
        }
    }
    assert_eq!(locked, [Locked { failures: 100, until: at(now + 900) }]);
    assert_eq!(doors.enter(at(now), "bob", far(1)).unwrap_err(), Wait { retry_after_s: 900 });
    assert!(doors.enter(at(now), "bob", far(2)).is_ok());
    assert!(doors.enter(at(now), "bob", NEAR).is_ok());
}

#[test]
fn the_machine_itself_is_no_place_and_has_a_door_of_its_own() {
    for login in ["admin", "acme/ann"] {
        let (doors, mut now) = (Doors::new(), 0);
        for _ in 0..10 {
            fail(&doors, &mut now, login, far(1));
        }
        assert!(doors.enter(at(now), login, far(2)).is_err());
        for number in 0..200 {
            fail(&doors, &mut now, &format!("acme/{number}"), NEAR);
        }
        let locked = Logged { failures: 10, last: at(now), locked_until: Some(at(now + 900)), ..Logged::default() };
        for source in [NEAR, "::1".parse().unwrap(), "::ffff:127.0.0.1".parse().unwrap()] {
            assert!(doors.enter(at(now), login, source).is_ok(), "{login} {source}");
            // Nor is it after a restart.
            assert!(Doors::new().enter_logged(at(now), login, source, locked).is_ok(), "{login} {source}");
        }
        // Whoever comes in there is let in elsewhere too, as whoever comes in anywhere.
        for _ in 0..10 {
            fail(&doors, &mut now, login, far(1));
        }
        assert!(doors.enter(at(now), login, far(2)).is_err());
        doors.enter(at(now), login, NEAR).unwrap().passed();
        assert!(doors.enter(at(now), login, far(2)).is_ok());
    }
}

#[test]
fn who_has_an_ipv6_address_has_one_door() {
    let place = |text: &str| place(text.parse().unwrap());
    assert_eq!(place("2001:db8:1:2:aaaa::1"), place("2001:db8:1:2:bbbb::2"));
    assert_ne!(place("2001:db8:1:2::1"), place("2001:db8:1:3::1"));
    assert_eq!(place("::ffff:192.0.2.7"), place("192.0.2.7"));
}

#[test]
fn a_clock_that_goes_back_locks_nobody_out_for_longer() {
    let (doors, mut now) = (Doors::new(), 1_000_000);
    for _ in 0..10 {
        fail(&doors, &mut now, "bob", far(1));
    }
    assert_eq!(doors.enter(at(0), "bob", far(1)).unwrap_err(), Wait { retry_after_s: 900 });
}

#[test]
fn what_was_known_before_is_known_and_memory_is_bounded() {
    let doors = Doors::new();
    *doors.table() = Table::of(2);
    let bob = Logged { failures: 10, last: at(0), ..Logged::default() };
    assert_eq!(doors.enter_logged(at(100), "bob", far(1), bob).unwrap_err(), Wait { retry_after_s: 800 });
    // The lock is told, and not yet what led to it.
    let told = Logged { failures: 1, last: at(0), locked_until: Some(at(900)), ..Logged::default() };
    assert_eq!(doors.enter_logged(at(100), "bob", far(1), told).unwrap_err(), Wait { retry_after_s: 800 });
    doors.enter_logged(at(900), "bob", far(1), told).unwrap().failed(at(900));
    for number in 0..10 {
        doors.enter(at(0), &format!("acme/{number}"), far(number)).unwrap().failed(at(0));
    }
    assert!(doors.enter(at(100), "bob", far(1)).is_ok());
}

#[test]
fn a_login_or_a_password_that_the_log_has_forgets_what_failed_before() {
    let (doors, mut now) = (Doors::new(), 0);
    for _ in 0..10 {
        fail(&doors, &mut now, "bob", far(1));
    }
    // The log still tells of four, from before: what is known here counts.
    let before = Logged { failures: 4, last: at(now), ..Logged::default() };
    assert_eq!(doors.enter_logged(at(now), "bob", far(1), before).unwrap_err(), Wait { retry_after_s: 900 });
    // He was given another password behind input 7, wherever that was asked for.
    let anew = Logged { since: 7, ..Logged::default() };
    let trying = doors.enter_logged(at(now), "bob", far(1), anew).unwrap();
    // He came in meanwhile: what was tried before is not held against him.
    doors.enter_logged(at(now), "bob", far(1), anew).unwrap().passed();
    let later = Logged { since: 9, ..Logged::default() };
    doors.enter_logged(at(now), "bob", far(1), later).unwrap().failed(at(now));
    assert_eq!(trying.failed(at(now)), Failed::default());
    assert_eq!(doors.table().logins.get(&(doors.hash("bob"), Side::Street)).map(|door| door.failures), Some(1));
}

#[test]
fn who_has_come_in_is_let_in_before_the_log_has_it() {
    let (doors, mut now) = (Doors::new(), 0);
    for _ in 0..9 {
        fail(&doors, &mut now, "bob", far(1));
    }
    let logged = Logged { failures: 9, last: at(now), ..Logged::default() };
    doors.enter_logged(at(now + 60), "bob", far(1), logged).unwrap().passed();
    assert!(doors.enter_logged(at(now + 60), "bob", far(1), logged).is_ok());
}

#[test]
fn the_machine_guesses_at_no_login_without_bound() {
    for login in ["admin", "acme/ann"] {
        let (doors, mut now) = (Doors::new(), 0);
        let fails: Vec<_> = (0..40).map(|_| fail(&doors, &mut now, login, NEAR)).collect();
        let waits: Vec<_> = fails.iter().map(|(waited, _)| *waited).collect();
        assert_eq!(waits[..11], [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(waits[11..].iter().all(|waited| *waited == 60), "{waits:?}");
        // That it is locked to others is told once.
        let locked: Vec<_> =
            fails.iter().filter_map(|(_, failed)| failed.login).map(|locked| locked.failures).collect();
        assert_eq!(locked, [10]);
        assert_eq!(doors.enter(at(now), login, far(1)).unwrap_err(), Wait { retry_after_s: 900 });
        // As a place it is never locked, however much was tried from it.
        for number in 0..500 {
            assert_eq!(fail(&doors, &mut now, &format!("acme/{number}"), NEAR).1, Failed::default());
        }
        assert!(doors.enter(at(now), "acme/bea", NEAR).is_ok());
    }
}

#[test]
fn nobody_takes_all_places_with_logins_of_which_each_is_new() {
    for source in [NEAR, far(1)] {
        let doors = Doors::new();
        let mut inside: Vec<_> =
            (0..TOGETHER).map(|number| doors.enter(at(0), &format!("acme/{number}"), source).unwrap()).collect();
        assert_eq!(doors.enter(at(0), "acme/own", source).unwrap_err(), Wait { retry_after_s: 1 });
        assert!(doors.enter(at(0), "acme/own", far(2)).is_ok(), "others are let in");
        inside.pop();
        assert!(doors.enter(at(0), "acme/own", source).is_ok());
        // Failed or not, who has left is not counted any more.
        for attempt in inside {
            attempt.failed(at(0));
        }
        assert_eq!(doors.table().sources.get(&HOUSE).map(|door| door.trying), None);
    }
}

//! What becomes of groups.

use linesman_connectors::Connector as _;
use linesman_schemas::reaction::{Action, Configure, Device, Task};

use crate::world::{World, device, done, put, task};

#[tokio::test]
async fn a_group_is_put_replaced_and_removed() {
    let world = World::new();
    assert_eq!(world.shown(), "");
    done(world.put(1, "linesman-b", "interfaces {\n    ge-0/0/1 {\n        disable;\n    }\n}\n").await);
    done(world.put(2, "linesman-a", "system { services { ssh; } }").await);
    let both = "groups {\n    linesman-a {\n        system { services { ssh; } }\n    }\n    linesman-b {\n        \
                interfaces {\n            ge-0/0/1 {\n                disable;\n            }\n        }\n    }\n}\n\
                apply-groups [ linesman-a linesman-b ];\n";
    assert_eq!(world.shown(), both);
    done(world.put(3, "linesman-b", "").await);
    done(world.remove(4, "linesman-a").await);
    assert_eq!(world.shown(), "groups {\n    linesman-b {\n    }\n}\napply-groups [ linesman-b ];\n");
    done(world.remove(5, "linesman-b").await);
    done(world.remove(6, "linesman-b").await);
    assert_eq!(world.shown(), "");
}

#[tokio::test]
async fn a_device_that_was_known_by_its_host_name_keeps_what_it_has_under_its_serial_number() {
    let world = World::new();
    let of = |number, group, serial_number: &str, host_name: Option<&str>| {
        let device = Device { host_name: host_name.map(str::to_owned), ..device(serial_number) };
        let peer = device.peer();
        let action = Action::Configure(Box::new(Configure {
            device,
            group: String::from(group),
            change: put("a;"),
            approved: None,
            is_restore: false,
        }));
        Task { peer, action, ..task(number, group, put("a;")) }
    };
    done(world.devices.carry_out(&of(1, "g", "edge", None)).await);
    done(world.devices.carry_out(&of(2, "h", "JN1", Some("edge"))).await);
    assert!(world.shown().contains("apply-groups [ g h ];"), "{}", world.shown());
    assert!(!world.dir.path().join("acme").join("edge").exists());
}

#[tokio::test]
async fn the_order_in_which_groups_came_does_not_show() {
    let (one, other) = (World::new(), World::new());
    for number in 0..50 {
        done(one.put(number, &format!("g{number}"), "a;").await);
        done(other.put(number, &format!("g{}", 49 - number), "a;").await);
    }
    done(other.put(50, "gone", "b;").await);
    done(other.remove(51, "gone").await);
    assert_eq!(one.shown(), other.shown());
}

#[tokio::test]
async fn what_was_done_is_not_done_again_by_the_same_reaction() {
    let mut world = World::new();
    for _ in 0..2 {
        done(world.put(1, "g", "a;").await);
    }
    done(world.remove(2, "g").await);
    // The echo of the first, before and after a restart.
    done(world.put(1, "g", "a;").await);
    world.restart();
    done(world.put(1, "g", "a;").await);
    assert_eq!(world.shown(), "");
    done(world.put(3, "g", "a;").await);
    world.restart();
    done(world.remove(2, "g").await);
    assert_eq!(world.shown(), "groups {\n    g {\n        a;\n    }\n}\napply-groups [ g ];\n");
}

#[tokio::test]
async fn what_is_remembered_as_done_is_bounded() {
    let mut world = World::new();
    for number in 0..2_500 {
        done(world.remove(number, "g").await);
    }
    let lines = || std::fs::read_to_string(world.folder().join("done.log")).unwrap().lines().count();
    assert!((1_024..=2_048).contains(&lines()), "{}", lines());
    world.restart();
    done(world.put(2_400, "g", "a;").await);
    assert_eq!(world.shown(), "", "a late reaction is still known");
    done(world.put(1, "g", "a;").await);
    assert_ne!(world.shown(), "", "the first is forgotten");
}

#[tokio::test]
async fn devices_have_groups_of_their_own() {
    let world = World::new();
    done(world.put(1, "g", "a;").await);
    let mut strange = task(1, "g", put("b;"));
    let linesman_schemas::reaction::Action::Configure(configure) = &mut strange.action else { panic!() };
    configure.device = device("../JN1");
    strange.peer = configure.device.peer();
    done(world.devices.carry_out(&strange).await);
    let shown = |serial_number| {
        linesman_connectors::device::standin::configuration(world.dir.path(), &device(serial_number)).unwrap()
    };
    assert_eq!(shown("JN1"), "groups {\n    g {\n        a;\n    }\n}\napply-groups [ g ];\n");
    assert_eq!(shown("../JN1"), "groups {\n    g {\n        b;\n    }\n}\napply-groups [ g ];\n");
    assert!(world.dir.path().join("acme").join(":2e:2e:2fJN1").join("g.conf").exists());
}

//! The token: one for all, renewed when it ends or is refused.

use std::time::Duration;

use futures_util::future::join_all;
use linesman_connectors::Connector as _;
use linesman_schemas::outcome::FailureClass;
use serde_json::json;

use crate::world::{World, done, failure, submit};

#[tokio::test]
async fn a_token_serves_until_it_is_refused_and_is_then_renewed_once() {
    let world = World::new().await;
    let jss = world.jss();
    done(jss.carry_out(&submit(1)).await);
    done(jss.carry_out(&submit(2)).await);
    assert_eq!(world.requests().await, [1, 2, 0]);

    world.control(json!({ "revoke_tokens": true })).await;
    let attempted = jss.carry_out(&submit(3)).await;
    assert_eq!(attempted.requests, 3);
    done(attempted);
    assert_eq!(world.requests().await, [2, 4, 0]);

    world.control(json!({ "status": 401, "only": "createSR" })).await;
    let attempted = jss.carry_out(&submit(4)).await;
    assert_eq!(attempted.requests, 3);
    let failure = failure(attempted);
    assert_eq!(failure.class, FailureClass::Unauthorized);
    assert_eq!(failure.message, "answered with HTTP 401: told-to-fail: the stand-in has been told to fail");
    assert_eq!(world.requests().await, [3, 6, 0]);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let world = World::new().await;
    world.control(json!({ "token_life_s": 1 })).await;
    let jss = world.jss();
    let renewed = async {
        let mut number = 0;
        while world.requests().await[0] < 2 {
            number += 1;
            done(jss.carry_out(&submit(number)).await);
        }
        number
    };
    let calls = tokio::time::timeout(Duration::from_secs(10), renewed).await.unwrap();
    // No call met a token that had ended: each made one request of its own.
    assert_eq!(world.requests().await[1], calls);
}

#[tokio::test]
async fn tasks_at_the_same_time_share_one_token_request() {
    let world = World::new().await;
    let jss = world.jss();
    let tasks: Vec<_> = (1..=8).map(submit).collect();
    for attempted in join_all(tasks.iter().map(|task| jss.carry_out(task))).await {
        done(attempted);
    }
    assert_eq!(world.requests().await, [1, 8, 0]);
}

#[tokio::test]
async fn tasks_at_the_same_time_share_a_failed_token_request_too() {
    let world = World::new().await;
    world.control(json!({ "status": 503, "retry_after_s": 9, "only": "token" })).await;
    let jss = world.jss();
    let tasks: Vec<_> = (1..=8).map(submit).collect();
    let attempts = join_all(tasks.iter().map(|task| jss.carry_out(task))).await;
    assert_eq!(attempts.iter().map(|attempted| attempted.requests).sum::<u32>(), 1);
    for attempted in attempts {
        let failure = failure(attempted);
        assert_eq!((failure.class, failure.retry_after_s), (FailureClass::Unavailable, Some(9)));
    }
    assert_eq!(world.requests().await, [1, 0, 0]);
    // The next one asks again.
    world.control(json!({})).await;
    done(jss.carry_out(&submit(1)).await);
}

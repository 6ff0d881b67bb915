//! A suspended organization takes part again as it is, whatever becomes of the way to the upstream.

use linesman_tests::{Upstream, World, run};
use serde_json::{Value, json};

#[tokio::test]
async fn a_suspended_organization_takes_part_again_and_nothing_else_is_changed() {
    let world = World::new().unwrap();
    let upstream = Upstream::start(&world.path("upstream")).await.unwrap();
    let mut engine = world.start(Some(&upstream)).await.unwrap();
    let data = world.data();
    let linesman = async |args: &[&str]| run(&[args, &["--data-dir", data.to_str().unwrap()]].concat()).await.unwrap();
    assert_eq!(linesman(&["org", "set", "bolt", "--upload", "false", "--alias", "B"]).await.code, Some(0));
    let before = engine.get("/api/v1/organizations/bolt").await.unwrap();
    assert_eq!(linesman(&["org", "suspend", "bolt"]).await.code, Some(0));
    // The way that does not lead on says what does.
    let tried = linesman(&["org", "test", "bolt"]).await;
    assert_eq!(tried.code, Some(1), "{}{}", tried.stdout, tried.stderr);
    assert!(tried.stderr.contains("let it take part again: `linesman org activate` with its name"), "{}", tried.stderr);
    let activated = linesman(&["org", "activate", "bolt"]).await;
    assert_eq!((activated.code, &*activated.stderr), (Some(0), ""), "{}", activated.stdout);
    let after = engine.get("/api/v1/organizations/bolt").await.unwrap();
    let settings = |row: &Value| ["standing", "upload", "alias", "filter_level"].map(|name| row[name].clone());
    assert_eq!(settings(&after), settings(&before));
    assert_eq!((&after["standing"], &after["upload"]), (&json!("active"), &json!(false)));
    // Where the way is barred it takes part all the same.
    assert_eq!(linesman(&["org", "set", "bolt", "--filter-level", "Do not send"]).await.code, Some(0));
    assert_eq!(linesman(&["org", "suspend", "bolt"]).await.code, Some(0));
    let barred = linesman(&["org", "activate", "bolt"]).await;
    assert_eq!(barred.code, Some(1));
    assert!(barred.stderr.contains("`bolt` takes part, and the way to the upstream is not free"), "{}", barred.stderr);
    let after = engine.get("/api/v1/organizations/bolt").await.unwrap();
    assert_eq!((&after["standing"], &after["filter_level"]), (&json!("active"), &json!("Do not send")));
    let nobody = linesman(&["org", "activate", "nobody"]).await;
    assert!(nobody.stderr.contains("there is no organization `nobody`"), "{}", nobody.stderr);
    assert!(engine.stop().await.unwrap().success());
}

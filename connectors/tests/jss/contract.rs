//! The written contract against what is served.

use linesman_connectors::tls;
use serde_json::json;

use crate::world::World;

const CONTRACT: &str = include_str!("../../../schemas/openapi-upstream.yaml");

/// The paths of the document: the keys of its second level that begin with `/`.
fn paths() -> Vec<&'static str> {
    CONTRACT
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|key| key.starts_with('/'))
        .collect()
}

#[tokio::test]
async fn every_path_of_the_contract_is_served_and_counted() {
    let world = World::new().await;
    let client = tls::http_client(Some(world.standin.ca_path())).unwrap().build().unwrap();
    assert_eq!(paths(), ["/oauth2/token", "/case/v1/createSR", "/case/v1/updateSR", "/case/v1/querySR"]);
    for path in paths() {
        let answer = client.post(format!("{}{path}", world.standin.url())).send().await.unwrap();
        assert!([400, 403].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
    }
    assert_eq!(world.count().await["requests"], json!({ "token": 1, "createSR": 1, "updateSR": 1, "querySR": 1 }));
}

//! The written contract against what is served.

use linesman_connectors::tls;
use serde_json::Value;

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
    let (messages, upload) = ("/case/v1/intelligence", "/case/v1/uploads/{upload}");
    assert_eq!(
        paths(),
        [
            "/oauth2/token",
            "/case/v1/createSR",
            "/case/v1/updateSR",
            "/case/v1/querySR",
            messages,
            "/case/v1/uploads",
            upload
        ]
    );
    for path in paths().into_iter().filter(|path| ![upload, messages].contains(path)) {
        let answer = client.post(format!("{}{path}", world.standin.url())).send().await.unwrap();
        assert!([400, 403].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
    }
    let url = format!("{}{}", world.standin.url(), upload.replace("{upload}", "U-1"));
    let messages = format!("{}{messages}", world.standin.url());
    for request in [client.get(messages), client.get(&url), client.patch(&url)] {
        assert_eq!(request.send().await.unwrap().status(), 403);
    }
    let each =
        ["token", "createSR", "updateSR", "querySR", "intelligence", "openUpload", "queryUpload", "appendUpload"];
    assert_eq!(world.count().await["requests"], each.map(|endpoint| (endpoint, 1)).into_iter().collect::<Value>());
}

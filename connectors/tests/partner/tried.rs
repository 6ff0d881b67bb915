//! The way to a partner, tried out step by step.

use linesman_connectors::Connector as _;
use linesman_connectors::partner::Partner;
use linesman_connectors::tls::{self, Fingerprint, Trust};
use linesman_connectors::upstream::probe::{self, Step, Trial};

use crate::scripted::*;

/// What is done with whoever only looks at the certificate.
fn nothing() -> Reply {
    Box::new(|_| {})
}

/// The words of the steps that were done, and how the last of them ended.
async fn tried(partner: &Partner) -> (Vec<&'static str>, Result<String, String>) {
    let steps = partner.probe().await;
    let (last, before) = steps.split_last().unwrap();
    assert!(before.iter().all(|step| step.found.is_ok()), "{steps:?}");
    (steps.iter().map(|step| step.trial.as_str()).collect(), last.found.clone())
}

#[tokio::test]
async fn each_step_says_what_it_has_found() {
    let server = Scripted::new(vec![nothing(), registered()]);
    let steps = server.partner().probe().await;
    assert_eq!(steps.iter().map(|step| step.trial).collect::<Vec<_>>(), Trial::ALL);
    let found = |trial: Trial| {
        let step: &Step = steps.iter().find(|step| step.trial == trial).unwrap();
        step.found.clone().unwrap()
    };
    assert_eq!(found(Trial::Name), "`127.0.0.1` is 127.0.0.1");
    assert_eq!(found(Trial::Connection), format!("{} takes connections", server.host()));
    assert_eq!(found(Trial::Tls), "TLS 1.3");
    assert!(found(Trial::Certificate).starts_with("`sha256:"), "{steps:?}");
    assert_eq!(found(Trial::Login), "the user `acme` is known");
    assert_eq!(found(Trial::Organization), "known as `acme` at the partner `hub`");
    assert_eq!(found(Trial::Pace), "1000 requests a second");
    assert_eq!(found(Trial::Clock), "the other side does not say what time it is");
    assert_eq!(server.heard(), "", "nothing is said to whom is looked at");
    assert!(server.heard().starts_with("POST /partner/v1/registration "));
}

#[tokio::test]
async fn nothing_is_done_behind_the_step_that_fails() {
    let server = Scripted::new(vec![nothing(), problem(401, "", "the user or the password is wrong")]);
    let (done, last) = tried(&server.partner()).await;
    assert_eq!(done, ["name", "connection", "tls", "certificate", "login"]);
    assert!(last.unwrap_err().contains("the user or the password is wrong"));

    let server = Scripted::new(vec![nothing(), problem(403, "", "`acme` is suspended by the partner")]);
    let (done, last) = tried(&server.partner()).await;
    assert_eq!(done, ["name", "connection", "tls", "certificate", "login", "organization"]);
    assert!(last.unwrap_err().contains("`acme` is suspended by the partner"));

    let server = Scripted::new(vec![nothing()]);
    let other = Fingerprint::of(b"another");
    let (done, last) = tried(&Partner::new(&settings(server.url(), Trust::Pinned(other))).unwrap()).await;
    assert_eq!(done, ["name", "connection", "tls", "certificate"]);
    let reason = last.unwrap_err();
    assert!(reason.contains("it is not the certificate that is pinned"), "{reason}");
    assert!(reason.ends_with(&format!(", and `{other}` is pinned")), "{reason}");
    assert_eq!(server.heard(), "");
    assert!(server.has_ended(), "it heard something");

    // A port that nobody listens at.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (done, last) =
        tried(&Partner::new(&settings(&format!("https://{closed}"), Trust::Pinned(other))).unwrap()).await;
    assert_eq!(done, ["name", "connection"]);
    assert!(last.unwrap_err().starts_with(&format!("{closed} cannot be reached: ")));
}

#[tokio::test]
async fn a_certificate_is_shown_whether_or_not_it_is_believed() {
    let server = Scripted::new(vec![nothing(), nothing()]);
    let believed = probe::look(server.url(), &server.settings().way.trust, None).await.unwrap();
    assert_eq!(believed.fault, None);
    let pinned = Trust::Pinned(Fingerprint::of(b"another"));
    let other = probe::look(server.url(), &pinned, None).await.unwrap();
    assert_eq!(other.fingerprint, believed.fingerprint);
    assert_eq!(tls::in_words(&other.fault.unwrap()), "it is not the certificate that is pinned");
    assert_eq!((believed.subject.as_str(), believed.version), ("CN=Linesman", "TLS 1.3"));
    assert!(believed.issuer.starts_with("CN=Linesman CA "));
    for heard in [server.heard(), server.heard()] {
        assert_eq!(heard, "");
    }
    let wrong = probe::look("http://partner.example", &pinned, None).await.unwrap_err();
    assert_eq!(wrong, "`http://partner.example` is not an address of the form `https://host[:port][/path]`");
}

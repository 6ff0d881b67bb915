//! Which certificate of a partner is believed: what is not, is refused with its reason, and nothing is sent before.

use std::path::PathBuf;
use std::sync::Arc;

use linesman_connectors::Connector as _;
use linesman_connectors::partner::Partner;
use linesman_connectors::tls::{Fingerprint, Trust};
use linesman_schemas::cause::Cause;
use linesman_schemas::outcome::FailureClass;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

use crate::scripted::*;

/// A certificate with its key.
struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Identity {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    fn config(&self) -> Arc<ServerConfig> {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(linesman_connectors::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key);
        Arc::new(config.unwrap())
    }
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

fn expired(name: &str) -> CertificateParams {
    let mut params = params(name);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    params
}

fn self_signed(params: &CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity { pem: certificate.pem(), certificate: certificate.into(), key }
}

/// An authority, the file of its certificate, and what it issues.
struct Issuing {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Issuing {
    fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(dir.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { dir, issuer: Issuer::new(params, key) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    fn trust(&self) -> Trust {
        Trust::Authority(self.path())
    }

    fn issue(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { pem: certificate.pem(), certificate: certificate.into(), key }
    }
}

/// Comes to a partner of that identity, believing `trust`: the failure's words, behind whom they speak of. What the
/// partner heard is looked at.
async fn refused(identity: &Identity, trust: Trust) -> String {
    let server = Server::new(identity.config(), vec![registered(), receipt()]);
    let partner = Partner::new(&settings(server.url(), trust)).unwrap();
    let failure = failure(partner.carry_out(&submit(1)).await);
    assert_eq!((failure.class, failure.cause()), (FailureClass::Unavailable, Cause::Tls));
    assert!(server.has_ended(), "it heard something");
    let start = format!("the certificate of `{}` does not validate against ", server.host());
    failure.message.strip_prefix(&start).unwrap().to_owned()
}

async fn believed(identity: &Identity, trust: Trust) -> Partner {
    let server = Server::new(identity.config(), vec![registered(), receipt()]);
    let partner = Partner::new(&settings(server.url(), trust)).unwrap();
    done(partner.carry_out(&submit(1)).await);
    partner
}

#[tokio::test]
async fn one_of_another_authority_is_refused() {
    let (ours, theirs) = (Issuing::new("ours"), Issuing::new("theirs"));
    let identity = theirs.issue(&params("127.0.0.1"));
    let expected = format!(
        "the file `{}` (setting `ca`): its issuer is not among those that are believed; its SHA-256 is `{}`",
        ours.path().display(),
        identity.fingerprint()
    );
    assert_eq!(refused(&identity, ours.trust()).await, expected);
    believed(&identity, theirs.trust()).await;
    // One that calls itself as ours does is another all the same.
    let imposter = Issuing::new("ours").issue(&params("127.0.0.1"));
    let said = refused(&imposter, ours.trust()).await;
    assert!(said.contains("(setting `ca`): the issuer it names has not signed it; its SHA-256"), "{said}");
}

#[tokio::test]
async fn one_of_another_name_is_refused() {
    let authority = Issuing::new("ours");
    let identity = authority.issue(&params("partner.example"));
    let expected = format!(
        "the file `{}` (setting `ca`): it is not for `127.0.0.1`; its SHA-256 is `{}`",
        authority.path().display(),
        identity.fingerprint()
    );
    assert_eq!(refused(&identity, authority.trust()).await, expected);
}

#[tokio::test]
async fn one_that_has_ended_is_refused() {
    let authority = Issuing::new("ours");
    let identity = authority.issue(&expired("127.0.0.1"));
    let ended = format!("it was valid until 2021-01-01T00:00:00Z only; its SHA-256 is `{}`", identity.fingerprint());
    let by_authority = format!("the file `{}` (setting `ca`): {ended}", authority.path().display());
    assert_eq!(refused(&identity, authority.trust()).await, by_authority);
    let pinned = Trust::Pinned(identity.fingerprint());
    assert_eq!(refused(&identity, pinned).await, format!("the setting `fingerprint`: {ended}"));
}

#[tokio::test]
async fn one_that_nobody_has_issued_is_refused_unless_it_is_pinned() {
    let authority = Issuing::new("ours");
    let identity = self_signed(&params("127.0.0.1"));
    let expected = format!(
        "the file `{}` (setting `ca`): its issuer is not among those that are believed; its SHA-256 is `{}`",
        authority.path().display(),
        identity.fingerprint()
    );
    assert_eq!(refused(&identity, authority.trust()).await, expected);
    believed(&identity, Trust::Pinned(identity.fingerprint())).await;

    // As OpenSSL makes them: an authority's own, also where it is believed as one.
    let mut params = params("127.0.0.1");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let identity = self_signed(&params);
    let path = authority.dir.path().join("own.pem");
    std::fs::write(&path, &identity.pem).unwrap();
    let said = refused(&identity, Trust::Authority(path)).await;
    assert!(said.contains("`): it is an authority's own, which only a fingerprint can name; its SHA-256"), "{said}");
    believed(&identity, Trust::Pinned(identity.fingerprint())).await;
}

#[tokio::test]
async fn one_that_is_pinned_counts_whatever_its_name_and_no_other_does() {
    let (pinned, other) = (self_signed(&params("elsewhere.example")), self_signed(&params("127.0.0.1")));
    let trust = Trust::Pinned(pinned.fingerprint());
    believed(&pinned, trust.clone()).await;
    let expected = format!(
        "the setting `fingerprint`: it is not the certificate that is pinned; its SHA-256 is `{}`, and `{}` is pinned",
        other.fingerprint(),
        pinned.fingerprint()
    );
    assert_eq!(refused(&other, trust).await, expected);
}

#[tokio::test]
async fn who_shows_the_pinned_certificate_must_have_its_key() {
    let pinned = self_signed(&params("127.0.0.1"));
    let thief = KeyPair::generate().unwrap();
    let key = PrivatePkcs8KeyDer::from(thief.serialize_der()).into();
    let provider = linesman_connectors::tls::provider();
    let signing = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let stolen = rustls::sign::CertifiedKey::new(vec![pinned.certificate.clone()], signing);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(stolen)));
    let server = Server::new(Arc::new(config), vec![registered()]);
    let partner = Partner::new(&settings(server.url(), Trust::Pinned(pinned.fingerprint()))).unwrap();
    assert_eq!(failure(partner.carry_out(&submit(1)).await).class, FailureClass::Unavailable);
    assert!(server.has_ended(), "it heard something");
}

#[tokio::test]
async fn the_end_of_the_certificate_is_known_believed_or_not() {
    let mut ending = params("127.0.0.1");
    ending.not_after = date_time_ymd(2040, 1, 2);
    let identity = self_signed(&ending);
    let partner = believed(&identity, Trust::Pinned(identity.fingerprint())).await;
    assert_eq!(partner.certificate().unwrap().ends.unwrap().to_string(), "2040-01-02T00:00:00Z");

    let server = Server::new(identity.config(), vec![registered()]);
    let other = Trust::Pinned(Fingerprint::of(b"another"));
    let partner = Partner::new(&settings(server.url(), other)).unwrap();
    assert_eq!(partner.certificate(), None);
    failure(partner.carry_out(&submit(1)).await);
    assert_eq!(partner.certificate().unwrap().ends.unwrap().to_string(), "2040-01-02T00:00:00Z");
}

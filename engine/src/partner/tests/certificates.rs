//! Who comes by a certificate instead of a password.

use linesman_connectors::tls::{self, Fingerprint};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::super::BOUNDS_HERE;
use super::fixture::{Fixture, Known, problem};

pub(super) const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

/// A certificate of a client, its key, and what lies between it and its authority.
pub(super) struct Made {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: KeyPair,
    pub(super) between: Vec<CertificateDer<'static>>,
}

impl Made {
    /// All that is shown of it.
    pub(super) fn chain(&self) -> Vec<CertificateDer<'static>> {
        std::iter::once(&self.certificate).chain(&self.between).cloned().collect()
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }
}

fn params() -> CertificateParams {
    CertificateParams::new(vec!["acme".to_owned()]).unwrap()
}

fn self_signed(params: &CertificateParams) -> Made {
    let key = KeyPair::generate().unwrap();
    Made { certificate: params.self_signed(&key).unwrap().into(), key, between: Vec::new() }
}

/// What a client that shows `own`, signed for by `key`, is answered: the status, and what it says where it is no.
pub(super) async fn asked(
    partner: &Fixture,
    version: &'static SupportedProtocolVersion,
    own: &Made,
    login: Option<(&str, &str)>,
) -> (u16, String) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(partner.ca()).unwrap()).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.key.serialize_der()).into();
    let config = ClientConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(own.chain(), key)
        .unwrap();
    let client = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().unwrap();
    let request = client.get(format!("https://{}/partner/v1/cases", partner.listening.overview().address()));
    let request = match login {
        Some((user, password)) => request.basic_auth(user, Some(password)),
        None => request,
    };
    let answer = request.send().await.unwrap();
    match answer.status().as_u16() {
        200 => (200, answer.text().await.unwrap()),
        _ => {
            let (status, detail, _) = problem(answer).await;
            (status, detail)
        }
    }
}

#[tokio::test]
async fn a_certificate_lets_in_whose_it_is_and_any_other_is_answered_like_none() {
    let (acme, bolt, nobody) = (self_signed(&params()), self_signed(&params()), self_signed(&params()));
    let mut ended = params();
    (ended.not_before, ended.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let over = self_signed(&ended);
    // As an authority of somebody else's issues them, under the same name.
    let mut of_authority = CertificateParams::default();
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(of_authority, KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let certificate = params().signed_by(&key, &issuer).unwrap().into();
    let issued = Made { certificate, key, between: Vec::new() };

    let known = [("acme", acme.fingerprint()), ("bolt", bolt.fingerprint()), ("dory", over.fingerprint())];
    let known = Known { certificates: known.to_vec(), ..Known::default() };
    let partner = Fixture::knowing(BOUNDS_HERE, 1000, &known).await;
    partner.reported("acme", 1, 1, Vec::new());
    for version in VERSIONS {
        let (status, cases) = asked(&partner, version, &acme, None).await;
        assert!(status == 200 && cases.contains("T-acme-1"), "{cases}");
        let (status, cases) = asked(&partner, version, &bolt, None).await;
        assert!(status == 200 && !cases.contains("acme"), "{cases}");
        let needed = (401, "a user and a password are needed (HTTP Basic)".to_owned());
        for other in [&nobody, &issued, &over] {
            assert_eq!(asked(&partner, version, other, None).await, needed);
        }
        // Who says a password comes by that: whatever certificate is beside it changes nothing.
        let (status, cases) = asked(&partner, version, &acme, Some(("bolt", "bolt's own"))).await;
        assert!(status == 200 && !cases.contains("acme"), "{cases}");
        let wrong = asked(&partner, version, &acme, Some(("acme", "wrong"))).await;
        assert_eq!(wrong, (401, "the user or the password is wrong".to_owned()));
    }
}

#[tokio::test]
async fn who_shows_a_certificate_must_have_its_key() {
    let acme = self_signed(&params());
    let partner = Fixture::knowing(
        BOUNDS_HERE,
        1000,
        &Known { certificates: vec![("acme", acme.fingerprint())], ..Known::default() },
    )
    .await;
    let key = PrivatePkcs8KeyDer::from(KeyPair::generate().unwrap().serialize_der()).into();
    let signing = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    let stolen = rustls::sign::CertifiedKey::new(vec![acme.certificate.clone()], signing);
    for version in VERSIONS {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(partner.ca()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(std::sync::Arc::new(rustls::sign::SingleCertAndKey::from(stolen.clone())));
        let client = reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().unwrap();
        let request = client.get(format!("https://{}/partner/v1/cases", partner.listening.overview().address()));
        assert!(request.send().await.is_err(), "the handshake fails");
    }
}

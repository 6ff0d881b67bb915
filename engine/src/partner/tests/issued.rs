//! Who comes by a certificate that an authority has issued, named by its subject.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use linesman_connectors::tls::{ClientAuthorities, ShownChain};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd,
};

use super::super::BOUNDS_HERE;
use super::super::certificates::Certificates;
use super::super::customers::customer;
use super::super::section::Clients;
use super::certificates::{Made, VERSIONS, asked};
use super::fixture::{Fixture, Known};
use crate::config::Login;
use crate::logging::full;

type Issuer = CertifiedIssuer<'static, KeyPair>;

const NEEDED: &str = "a user and a password are needed (HTTP Basic)";
/// Whose certificate was revoked.
const REVOKED: u64 = 7;

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&[(DnType::CommonName, name)]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn root(name: &str) -> Issuer {
    CertifiedIssuer::self_signed(authority(name), KeyPair::generate().unwrap()).unwrap()
}

fn named(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    parts.iter().for_each(|(kind, value)| name.push(kind.clone(), *value));
    name
}

/// What a certificate of a client says, as authorities issue them: `CN=<name>,O=Acme Corp`.
fn client(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&[(DnType::OrganizationName, "Acme Corp"), (DnType::CommonName, name)]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn with(params: CertificateParams, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = params;
    change(&mut params);
    params
}

fn issued(by: &Issuer, params: &CertificateParams) -> Made {
    let key = KeyPair::generate().unwrap();
    Made { certificate: params.signed_by(&key, by).unwrap().into(), key, between: Vec::new() }
}

/// An authority, what it has issued to whom, and what comes of each.
struct World {
    _dir: tempfile::TempDir,
    clients: Clients,
    /// Who is let in, as which organization.
    right: Vec<(&'static str, Made)>,
    /// Who is not, and why.
    wrong: Vec<(&'static str, Made)>,
}

fn write(path: PathBuf, text: &str) -> PathBuf {
    std::fs::write(&path, text).unwrap();
    path
}

fn revocations(dir: &Path, by: &[&Issuer]) -> PathBuf {
    let list = |issuer: &Issuer| {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(3000, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(REVOKED),
                revocation_time: date_time_ymd(2020, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(issuer).unwrap().pem().unwrap()
    };
    write(dir.join("revoked.pem"), &by.iter().map(|issuer| list(issuer)).collect::<String>())
}

/// `acme` by its subject, `bolt` by a DNS name.
const SUBJECTS: [(&str, &str); 2] = [("acme", "CN=acme,O=Acme Corp"), ("bolt", "DNS:Bolt.example")];

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ca, other, below) = (root("customers"), root("customers"), authority("between"));
        let between = CertifiedIssuer::signed_by(below, KeyPair::generate().unwrap(), &ca).unwrap();
        let second = root("second");
        let authorities = write(dir.path().join("ca.pem"), &format!("{}{}", ca.pem(), second.pem()));
        let crl = revocations(dir.path(), &[&ca, &between, &second]);
        let dns = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            with(CertificateParams::new(names).unwrap(), |params| {
                params.distinguished_name = client("x").distinguished_name;
            })
        };
        let for_clients = |params: CertificateParams| {
            with(params, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
        };
        let right = vec![
            ("acme", issued(&ca, &client("acme"))),
            ("acme", issued(&second, &client("acme"))),
            ("acme", Made { between: vec![between.der().clone()], ..issued(&between, &client("acme")) }),
            ("bolt", issued(&ca, &for_clients(dns(&["elsewhere.example", "BOLT.example"])))),
        ];
        let acme_and_bolt = with(for_clients(dns(&["bolt.example"])), |params| {
            params.distinguished_name = client("acme").distinguished_name;
        });
        let reversed = with(client("acme"), |params| {
            params.distinguished_name = named(&[(DnType::CommonName, "acme"), (DnType::OrganizationName, "Acme Corp")]);
        });
        let pasted = with(client(""), |params| {
            params.distinguished_name = named(&[(DnType::CommonName, "acme,O=Acme Corp")]);
        });
        let longer = with(client("acme"), |params| {
            params.distinguished_name.push(DnType::CountryName, "US");
        });
        let self_signed = KeyPair::generate().unwrap();
        let own = Made {
            certificate: client("acme").self_signed(&self_signed).unwrap().into(),
            key: self_signed,
            between: Vec::new(),
        };
        let not_believed = "its issuer is not among those that are believed";
        let wrong = vec![
            (
                "it was valid until 2021-01-01T00:00:00Z only",
                issued(&ca, &with(client("acme"), |params| params.not_after = date_time_ymd(2021, 1, 1))),
            ),
            (
                "it is valid from 3000-01-01T00:00:00Z on only",
                issued(&ca, &with(client("acme"), |params| params.not_before = date_time_ymd(3000, 1, 1))),
            ),
            // Of the same name, and another key.
            ("the issuer it names has not signed it", issued(&other, &client("acme"))),
            (not_believed, issued(&root("another"), &client("acme"))),
            // What lies between is not shown.
            (not_believed, issued(&between, &client("acme"))),
            (not_believed, own),
            ("`CN=acme2,O=Acme Corp`", issued(&ca, &client("acme2"))),
            ("`CN=Acme,O=Acme Corp`", issued(&ca, &client("Acme"))),
            ("`CN=acme\\ ,O=Acme Corp`", issued(&ca, &client("acme "))),
            ("`O=Acme Corp,CN=acme`", issued(&ca, &reversed)),
            ("`CN=acme\\,O=Acme Corp`", issued(&ca, &pasted)),
            ("`C=US,CN=acme,O=Acme Corp`", issued(&ca, &longer)),
            ("`DNS:*.example`", issued(&ca, &for_clients(dns(&["*.example", "bolt.example.test"])))),
            ("several organizations: `acme`, `bolt`", issued(&ca, &acme_and_bolt)),
            (
                "does not name `clientAuth`",
                issued(&ca, &with(client("acme"), |params| params.extended_key_usages = Vec::new())),
            ),
            (
                "allows server authentication",
                issued(
                    &ca,
                    &with(client("acme"), |params| {
                        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
                    }),
                ),
            ),
            (
                "it is revoked",
                issued(&ca, &with(client("acme"), |params| params.serial_number = Some(SerialNumber::from(REVOKED)))),
            ),
        ];
        Self { _dir: dir, clients: Clients { authorities, revocations: Some(crl) }, right, wrong }
    }
}

#[tokio::test]
async fn a_certificate_of_the_authority_lets_in_whose_name_it_has_and_any_other_is_answered_like_none() {
    let World { _dir, clients, right, wrong } = World::new();
    let known = Known { subjects: SUBJECTS.to_vec(), clients: Some(clients), ..Known::default() };
    let partner = Fixture::knowing(BOUNDS_HERE, 1000, &known).await;
    partner.reported("acme", 1, 1, Vec::new());
    for version in VERSIONS {
        for (whose, own) in &right {
            let (status, cases) = asked(&partner, version, own, None).await;
            assert_eq!((status, cases.contains("T-acme-1")), (200, *whose == "acme"), "{whose}: {cases}");
        }
        for (why, own) in &wrong {
            assert_eq!(asked(&partner, version, own, None).await, (401, NEEDED.to_owned()), "{why}");
        }
        // Who says a password comes by that.
        let (status, cases) = asked(&partner, version, &right[0].1, Some(("bolt", "bolt's own"))).await;
        assert!(status == 200 && !cases.contains("acme"), "{cases}");
    }
}

#[test]
fn the_log_has_why_a_certificate_lets_nobody_in() {
    let World { _dir, clients, right, wrong } = World::new();
    let open = || Some(ClientAuthorities::open(&clients.authorities, clients.revocations.as_deref()).unwrap());
    let known = SUBJECTS.map(|(name, subject)| {
        let login = Login { password: None, certificate: None, subject: Some(subject.parse().unwrap()) };
        (login, Arc::new(customer(name.parse().unwrap(), None, (NonZeroU32::MIN, NonZeroU32::MIN, NonZeroU32::MIN))))
    });
    let certificates = Certificates::of(known.iter().map(|(login, customer)| (login, customer)), open());
    for (why, own) in &wrong {
        let chain = ShownChain::of(&own.chain()).unwrap();
        let reason = full(&certificates.look(Timestamp::now(), &chain).unwrap_err());
        assert!(reason.contains(why), "{why}: {reason}");
    }
    let nobodys = Certificates::of(known.iter().map(|(login, customer)| (login, customer)), None);
    let chain = ShownChain::of(&right[0].1.chain()).unwrap();
    let reason = full(&nobodys.look(Timestamp::now(), &chain).unwrap_err());
    assert_eq!(reason, "its SHA-256 is that of no organization");
}

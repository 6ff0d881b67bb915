//! Authorities as they are kept, and certificates as strict peers read them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConnection, ServerConnection};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::X509Certificate;

use super::*;

fn parsed<'a>(certificate: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    x509_parser::parse_x509_certificate(certificate).unwrap().1
}

/// Shakes hands in memory; the error is the client's.
fn shake_hands(client: Arc<ClientConfig>, server: Arc<ServerConfig>, name: &str) -> Result<(), rustls::Error> {
    let mut client = ClientConnection::new(client, ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn an_authority_is_made_once_and_loaded_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let first = Authority::open(dir.path()).unwrap();
    let pem = fs::read(first.ca_path()).unwrap();
    let again = Authority::open(dir.path()).unwrap();
    assert_eq!(fs::read(again.ca_path()).unwrap(), pem);
    assert_eq!(fs::metadata(dir.path().join("ca.key")).unwrap().permissions().mode() & 0o777, 0o600);
    // What the loaded one issues is believed by those who hold the first one's certificate.
    let client = Arc::new(client_config(Some(first.ca_path())).unwrap());
    let server = server_config(again.issue(&[]).unwrap()).unwrap();
    shake_hands(client, server, "localhost").unwrap();
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_certificate_and_other_text_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open(dir.path()).unwrap();
    let pem = fs::read_to_string(authority.ca_path()).unwrap();
    let path = dir.path().join("saved.pem");
    fs::write(&path, format!("\u{feff}{pem}")).unwrap();
    let client = Arc::new(client_config(Some(&path)).unwrap());
    shake_hands(client, server_config(authority.issue(&[]).unwrap()).unwrap(), "localhost").unwrap();
    let wide = [vec![0xff, 0xfe], pem.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat();
    fs::write(&path, wide).unwrap();
    let refused = client_config(Some(&path)).unwrap_err().to_string();
    assert!(refused.ends_with("cannot be used: it is UTF-16 text: save it as ASCII or UTF-8"), "{refused}");
}

#[test]
fn what_is_served_changes_with_its_files_and_this_machine_has_its_own() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (inner, outer) = (Authority::open(ours.path()).unwrap(), Authority::open(theirs.path()).unwrap());
    drop(outer.keep("one", &["one.example".to_owned()]).unwrap());
    drop(outer.keep("another", &["another.example".to_owned()]).unwrap());
    let at = |name: &str| theirs.path().join(name);
    fs::copy(at("one.pem"), at("shown.pem")).unwrap();
    let served = Served::of_files(&at("shown.pem"), &at("shown.pem")).unwrap();
    let served = Arc::new(served.beside(inner.issue(&[]).unwrap()).unwrap());
    let server = server_config_showing(Arc::clone(&served)).unwrap();
    let believes = |authority: &Authority, name: &str| {
        let client = Arc::new(client_config(Some(authority.ca_path())).unwrap());
        shake_hands(client, server.clone(), name).is_ok()
    };
    assert!(believes(&outer, "one.example") && believes(&inner, "localhost"));
    assert!(!believes(&outer, "localhost"), "that is this machine's own");
    assert!(believes(&outer, "127.0.0.1") && !believes(&inner, "127.0.0.1"), "the operator's has addresses");
    assert!(!served.reload().unwrap(), "nothing has changed");
    fs::write(at("shown.pem"), "half").unwrap();
    assert!(served.reload().is_err() && !served.reload().unwrap(), "told once");
    assert!(believes(&outer, "one.example"), "the one of before");
    fs::copy(at("another.pem"), at("shown.pem")).unwrap();
    assert!(served.reload().unwrap());
    assert!(believes(&outer, "another.example") && !believes(&outer, "one.example"));
}

#[test]
fn a_certificate_holds_for_the_names_given_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::open(dir.path()).unwrap();
    let server = server_config(authority.issue(&["linesman.example".to_owned(), "192.0.2.7".to_owned()]).unwrap());
    let server = server.unwrap();
    let client = Arc::new(client_config(Some(authority.ca_path())).unwrap());
    for name in ["localhost", "127.0.0.1", "::1", "linesman.example", "192.0.2.7"] {
        shake_hands(client.clone(), server.clone(), name).unwrap();
    }
    for name in ["other.example", "127.0.0.2"] {
        let error = shake_hands(client.clone(), server.clone(), name).unwrap_err();
        assert!(matches!(error, rustls::Error::InvalidCertificate(_)), "{error}");
    }
}

#[test]
fn another_authority_is_not_believed() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = server_config(Authority::open(ours.path()).unwrap().issue(&[]).unwrap()).unwrap();
    let client = client_config(Some(Authority::open(theirs.path()).unwrap().ca_path())).unwrap();
    let error = shake_hands(Arc::new(client), server, "localhost").unwrap_err();
    assert_eq!(error.to_string(), "invalid peer certificate: UnknownIssuer");
}

/// RFC 5280, 4.2.1.1 (Authority Key Identifier), 4.2.1.2 (Subject Key Identifier), 4.2.1.3 (key
/// usage), 4.2.1.9 (basic constraints), 4.1.2.2 (serial number), as OpenSSL's strict mode asks.
#[test]
fn certificates_bear_strict_reading() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Authority::open(dir.path()).unwrap().issue(&[]).unwrap();
    let (server, ca) = (parsed(&identity.chain[0]), parsed(&identity.chain[1]));
    let key_id = |certificate: &X509Certificate<'_>| {
        certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
            _ => None,
        })
    };
    let issuer_id = |certificate: &X509Certificate<'_>| {
        certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
            _ => None,
        })
    };
    let ca_id = key_id(&ca);
    assert!(ca_id.is_some() && key_id(&server).is_some() && key_id(&server) != ca_id);
    assert_eq!((issuer_id(&server), issuer_id(&ca)), (ca_id.clone(), ca_id));

    let constraints = |certificate: &X509Certificate<'_>| {
        let found = certificate.basic_constraints().unwrap().unwrap();
        (found.critical, found.value.ca, found.value.path_len_constraint)
    };
    assert_eq!(constraints(&ca), (true, true, Some(0)));
    assert_eq!(constraints(&server), (true, false, None));

    let usage = |certificate: &X509Certificate<'_>| {
        let found = certificate.key_usage().unwrap().unwrap();
        (found.critical, found.value.key_cert_sign(), found.value.digital_signature())
    };
    assert_eq!((usage(&ca), usage(&server)), ((true, true, false), (true, false, true)));
    let extended = server.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.server_auth && !extended.any && !extended.client_auth);

    assert_eq!(server.issuer().as_raw(), ca.subject().as_raw());
    assert_ne!(server.subject().as_raw(), ca.subject().as_raw());
    for certificate in [&server, &ca] {
        let serial = certificate.raw_serial();
        assert!((8..=20).contains(&serial.len()) && serial[0] < 0x80, "{serial:?}");
        assert!(certificate.validity().is_valid());
    }
    assert!(server.validity().not_after <= ca.validity().not_after);
    let days = (server.validity().not_after - server.validity().not_before).unwrap().whole_days();
    assert_eq!(days, 826);
    let names = server.subject_alternative_name().unwrap().unwrap().value.general_names.clone();
    assert!(names.contains(&GeneralName::DNSName("localhost")));
    assert!(names.contains(&GeneralName::IPAddress(&[127, 0, 0, 1])));
}

#[test]
fn a_name_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = Authority::open(dir.path()).unwrap().issue(&["a b".to_owned()]).err().unwrap();
    assert_eq!(error.to_string(), "`a b` is neither a host name nor an address");
}

#[test]
fn a_key_without_its_certificate_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ca.key"), "left by a crash").unwrap();
    Authority::open(dir.path()).unwrap();
    Authority::open(dir.path()).unwrap();
}

#[test]
fn a_broken_authority_is_reported_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let fault = || Authority::open(dir.path()).unwrap_err().to_string();
    drop(Authority::open(dir.path()).unwrap());
    let (pem, key) = (fs::read(at("ca.pem")).unwrap(), fs::read(at("ca.key")).unwrap());

    fs::write(at("ca.pem"), "nonsense").unwrap();
    assert!(fault().starts_with(&format!("`{}` cannot be used: ", at("ca.pem").display())), "{}", fault());
    assert_eq!(fs::read(at("ca.pem")).unwrap(), b"nonsense");
    fs::write(at("ca.pem"), &pem).unwrap();

    fs::write(at("ca.key"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let other = format!("`{}` cannot be used: `ca.key` beside it is another authority's key", at("ca.pem").display());
    assert_eq!(fault(), other);

    fs::write(at("ca.key"), "nonsense").unwrap();
    assert!(fault().starts_with(&format!("`{}` cannot be used: ", at("ca.key").display())), "{}", fault());

    fs::write(at("ca.key"), &key).unwrap();
    fs::set_permissions(at("ca.key"), fs::Permissions::from_mode(0o640)).unwrap();
    let exposed = "others than its owner may read `{}`: allow it to the owner only (mode 0600)";
    assert_eq!(fault(), exposed.replace("{}", &at("ca.key").display().to_string()));

    fs::remove_file(at("ca.key")).unwrap();
    assert_eq!(fault(), format!("`{}` cannot be read", at("ca.key").display()));
}

#[test]
fn an_authority_made_under_a_wrong_clock_holds() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    for wrong in ["1970-01-01T00:00:10Z", "2100-05-01T00:00:00Z"] {
        let dir = tempfile::tempdir().unwrap();
        let first = Authority::open_at(dir.path(), at(wrong)).unwrap();
        let pem = fs::read(first.ca_path()).unwrap();
        // The clock is set right, or is wrong once more.
        for now in ["2026-11-27T20:00:00Z", "1970-01-01T00:01:00Z", "2034-01-01T00:00:00Z"] {
            let again = Authority::open_at(dir.path(), at(now)).unwrap();
            assert_eq!(fs::read(again.ca_path()).unwrap(), pem, "{wrong}, then {now}");
        }
        let again = Authority::open(dir.path()).unwrap();
        let client = Arc::new(client_config(Some(first.ca_path())).unwrap());
        let server = server_config(again.issue(&[]).unwrap()).unwrap();
        shake_hands(client, server, "localhost").unwrap();
        // What was issued while the clock stood in 1970 is good once it is right.
        let (certificate, _) = again.make(&[], at("1970-01-01T00:01:00Z")).unwrap();
        let validity = parsed(certificate.der()).validity().clone();
        assert!(validity.not_before.timestamp() > 1_700_000_000, "{validity:?}");
    }
}

#[test]
fn an_authority_that_cannot_hold_is_made_anew_and_kept_beside() {
    for (from, until) in [(2020, 2021), (2056, 2066)] {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        drop(Authority::open(dir.path()).unwrap());
        let kept = fs::read_to_string(at("ca.key")).unwrap();
        let key = rcgen::KeyPair::from_pem(&kept).unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let ended = params.self_signed(&key).unwrap().pem();
        fs::write(at("ca.pem"), &ended).unwrap();
        let made = Authority::open(dir.path()).unwrap();
        assert_eq!(fs::read_to_string(at("ca.pem.old")).unwrap(), ended);
        assert_eq!(fs::read_to_string(at("ca.key.old")).unwrap(), kept);
        assert_eq!(fs::metadata(at("ca.key.old")).unwrap().permissions().mode() & 0o777, 0o600);
        let client = Arc::new(client_config(Some(made.ca_path())).unwrap());
        let again = Authority::open(dir.path()).unwrap();
        shake_hands(client, server_config(again.issue(&[]).unwrap()).unwrap(), "localhost").unwrap();
    }
}

#[test]
fn a_file_to_believe_must_hold_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.pem");
    fs::write(&path, "").unwrap();
    let error = client_config(Some(&path)).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` cannot be used: no certificate in it", path.display()));
    let error = client_config(Some(&dir.path().join("none.pem"))).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` cannot be read", dir.path().join("none.pem").display()));
}

#[test]
fn a_server_shows_after_a_restart_what_its_clients_have_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Authority::open(dir.path()).unwrap();
    let hosts = ["192.0.2.7".to_owned()];
    let first = open().keep("partner", &hosts).unwrap();
    let again = open().keep("partner", &hosts).unwrap();
    assert_eq!(first.chain, again.chain);
    let client = Arc::new(client_config(Some(open().ca_path())).unwrap());
    shake_hands(client, server_config(again).unwrap(), "192.0.2.7").unwrap();
    let file = dir.path().join("partner.pem");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // For another address another; and what cannot be used is replaced, once.
    let moved = open().keep("partner", &["192.0.2.8".to_owned()]).unwrap();
    assert_ne!(moved.chain, first.chain);
    let foreign = tempfile::tempdir().unwrap();
    Authority::open(foreign.path()).unwrap().keep("partner", &hosts).unwrap();
    let foreign = fs::read(foreign.path().join("partner.pem")).unwrap();
    let of = |pem: &[u8], label: &str| {
        let text = String::from_utf8(pem.to_vec()).unwrap();
        text.split_inclusive("-----END").find(|part| part.contains(label)).unwrap().len()
    };
    let own = fs::read(&file).unwrap();
    let with_anothers_key = [&own[..of(&own, "CERTIFICATE")], &foreign[of(&foreign, "CERTIFICATE")..]].concat();
    for unusable in [foreign, with_anothers_key, b"junk".to_vec(), Vec::new()] {
        fs::write(&file, unusable).unwrap();
        let made = open().keep("partner", &hosts).unwrap();
        assert_eq!(open().keep("partner", &hosts).unwrap().chain, made.chain);
        let client = Arc::new(client_config(Some(open().ca_path())).unwrap());
        shake_hands(client, server_config(made).unwrap(), "192.0.2.7").unwrap();
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(open().keep("partner", &hosts).err().unwrap(), Error::Exposed { .. }));
}

//! What counts as a licence.

use super::*;
use crate::audit::Signer;

const OURS: &str = "00112233445566778899aabbccddeeff";

fn signer() -> Signer {
    Signer::of(&Signer::generate().unwrap()).unwrap()
}

fn licence(signer: &Signer) -> Licence {
    Licence {
        id: "5e0f5e0f5e0f5e0f".to_owned(),
        key: signer.public(SIGNED_AS).to_string(),
        mode: Mode::Partner,
        features: Feature::of(Mode::Partner, 100),
        organizations: 100,
        devices: 10_000,
        not_before: "2026-11-01T00:00:00Z".parse().unwrap(),
        not_after: "2027-11-01T00:00:00Z".parse().unwrap(),
        installation: Some(OURS.to_owned()),
        upstream: None,
    }
}

/// What becomes of a file in an installation of a mode.
fn opened(file: &[u8], vendor: &Signer, installation: &str, mode: Mode) -> Result<Licence, String> {
    let vendor = vendor.public(SIGNED_AS);
    let against = Against { vendor: &vendor, installation, mode };
    let read = Signed::read(file).and_then(|signed| signed.by(against.vendor));
    read.and_then(|licence| fit(licence, against)).map_err(|refusal| refusal.to_string())
}

#[test]
fn a_licence_is_read_as_it_was_signed() {
    let vendor = signer();
    let licence = licence(&vendor);
    let file = licence.sign(&vendor).unwrap();
    assert!(file.starts_with("linesman licence 1\n{\"id\":\"5e0f5e0f5e0f5e0f\",\"key\":\"linesman-licence+"), "{file}");
    assert_eq!(opened(file.as_bytes(), &vendor, OURS, Mode::Partner).unwrap(), licence);
}

#[test]
fn no_byte_of_it_can_be_changed() {
    let vendor = signer();
    let file = licence(&vendor).sign(&vendor).unwrap().into_bytes();
    for at in 0..file.len() {
        for with in [b'0', b'1', b' ', b'\n', 0xff] {
            let mut changed = file.clone();
            if changed[at] != with {
                changed[at] = with;
                Signed::read(&changed).unwrap_err();
            }
        }
        Signed::read(&file[..at]).unwrap_err();
    }
    let text = String::from_utf8(file).unwrap();
    for (from, to) in
        [(":100,", ":101,"), (":100,", ": 100,"), ("\"id\"", "\"more\":1,\"id\""), ("licence 1\n{", "licence 1\n {")]
    {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert_eq!(Signed::read(changed.as_bytes()), Err(Refusal::Tampered), "{to}");
    }
}

#[test]
fn what_is_anothers_is_refused_by_name() {
    let (vendor, other) = (signer(), signer());
    let file = licence(&vendor).sign(&vendor).unwrap();
    let refused = |file: &str, by: &Signer, installation, mode| opened(file.as_bytes(), by, installation, mode);
    let key = "it is signed by another key than the vendor's".to_owned();
    assert_eq!(refused(&file, &other, OURS, Mode::Partner), Err(key.clone()));
    // Signed by somebody who says that he is the vendor.
    let lies = licence(&vendor).sign(&other).unwrap();
    let changed = "it was tampered with: its signature is not one of its text".to_owned();
    assert_eq!(refused(&lies, &vendor, OURS, Mode::Partner), Err(changed));
    assert_eq!(refused(&licence(&other).sign(&other).unwrap(), &vendor, OURS, Mode::Partner), Err(key));
    let theirs = "ffeeddccbbaa99887766554433221100";
    let expected = format!("it is for another installation, `{OURS}`; this is `{theirs}`");
    assert_eq!(refused(&file, &vendor, theirs, Mode::Partner), Err(expected));
    let any = Licence { installation: None, ..licence(&vendor) }.sign(&vendor).unwrap();
    assert!(refused(&any, &vendor, theirs, Mode::Partner).is_ok());
    let direct = Licence { mode: Mode::Direct, features: Feature::of(Mode::Direct, 100), ..licence(&vendor) };
    let direct = direct.sign(&vendor).unwrap();
    let expected = "it is for mode `direct`, and the mode is `partner`".to_owned();
    assert_eq!(refused(&direct, &vendor, OURS, Mode::Partner), Err(expected));
    for (file, mode) in
        [(&direct, Mode::Direct), (&direct, Mode::Offline), (&file, Mode::Direct), (&file, Mode::Offline)]
    {
        assert!(refused(file, &vendor, OURS, mode).is_ok(), "{mode}");
    }
    assert_eq!(refused("linesman licence 1\n", &vendor, OURS, Mode::Partner), Err("it is no licence".to_owned()));
}

#[test]
fn features_that_do_not_fit_the_limits_are_no_licence() {
    let vendor = signer();
    let more = Licence { features: Feature::of(Mode::Direct, 1), ..licence(&vendor) };
    assert_eq!(Signed::read(more.sign(&vendor).unwrap().as_bytes()), Err(Refusal::Malformed));
    assert_eq!(Feature::of(Mode::Direct, 1), [Feature::Base]);
    assert_eq!(Feature::of(Mode::Direct, 2), [Feature::Base, Feature::MultiSite]);
    assert_eq!(Feature::of(Mode::Partner, 1), [Feature::Base, Feature::MultiSite, Feature::Partner]);
}

#[test]
fn a_licence_is_good_from_its_first_moment_up_to_its_last() {
    let licence = licence(&signer());
    let said = |at: &str| licence.is_good(at.parse().unwrap()).map_err(|refusal| refusal.to_string());
    assert_eq!(said("2026-10-31T23:59:59Z"), Err("it is not valid before 2026-11-01T00:00:00Z".to_owned()));
    assert_eq!(said("2026-11-01T00:00:00Z"), Ok(()));
    assert_eq!(said("2027-10-31T23:59:59Z"), Ok(()));
    assert_eq!(said("2027-11-01T00:00:00Z"), Err("it expired on 2027-11-01T00:00:00Z".to_owned()));
}

#[test]
fn an_installation_has_one_id_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("d");
    let first = request::installation(&root).unwrap();
    assert_eq!((first.len(), request::installation(&root).unwrap()), (32, first.clone()));
    let asked = Request { installation: first };
    assert_eq!(Request::read(asked.text().unwrap().as_bytes()), Some(asked));
    assert_eq!(Request::read(b"linesman licence request 1\n{\"installation\":\"x\"}\n"), None);
    std::fs::write(root.join("installation"), "x\n").unwrap();
    assert_eq!(request::installation(&root).unwrap_err().to_string(), "it holds no id of an installation");
}

#[test]
fn what_never_ends_is_no_licence() {
    let refused = read(Path::new("/dev/zero")).unwrap_err().to_string();
    assert_eq!(refused, "it cannot be read: it is not a file");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long");
    std::fs::write(&path, vec![b'x'; 8 * 1024 + 1]).unwrap();
    assert_eq!(read(&path).unwrap_err().to_string(), "it cannot be read: it is larger than 8192 bytes");
}

/// What of an installation counts at a moment: how many organizations, whether anything is sent, and what is told.
fn terms(standing: &Standing, at: &str) -> (u64, bool, Option<String>) {
    let terms = standing.terms(at.parse().unwrap());
    (terms.organizations, terms.sends, terms.notice)
}

#[test]
fn a_licence_is_told_to_end_and_goes_on_for_its_grace() {
    let standing = Standing::with(Mode::Partner, licence(&signer()), jiff::SignedDuration::from_hours(14 * 24));
    assert_eq!(terms(&standing, "2027-10-01T00:00:00Z"), (100, true, None));
    let soon = "the licence expires on 2027-11-01T00:00:00Z".to_owned();
    assert_eq!(terms(&standing, "2027-10-02T00:00:00Z"), (100, true, Some(soon)));
    let grace = "the licence expired on 2027-11-01T00:00:00Z: until 2027-11-15T00:00:00Z all goes on, then nothing is \
                 added or sent upstream";
    assert_eq!(terms(&standing, "2027-11-01T00:00:00Z"), (100, true, Some(grace.to_owned())));
    let over = "the licence expired on 2027-11-01T00:00:00Z, and its grace is over: bundles are processed, nothing is \
                added, and nothing is sent upstream";
    assert_eq!(terms(&standing, "2027-11-15T00:00:00Z"), (0, false, Some(over.to_owned())));
    let refused = standing.admit("2027-11-15T00:00:00Z".parse().unwrap(), "acme", 3, 0).unwrap_err();
    let expected = "the organization `acme` cannot be added: the licence expired on 2027-11-01T00:00:00Z, and its grace is \
                    over, and 3 take part; those go on, and one that is suspended makes room";
    assert_eq!(refused.to_string(), expected);
}

#[test]
fn without_a_licence_each_mode_has_its_base() {
    let at = "2026-11-26T00:00:00Z";
    let evaluation = "an evaluation, without a licence, has at most 5 organizations".to_owned();
    assert_eq!(terms(&Standing::without(Mode::Partner), at), (5, true, Some(evaluation)));
    assert_eq!(terms(&Standing::without(Mode::Direct), at), (1, true, None));
    assert_eq!(terms(&Standing::without(Mode::EndCustomer), at), (1, true, None));
    assert_eq!(terms(&Standing::without(Mode::Demo), at), (1, true, None));
    let needed = "mode `offline` needs a licence of mode `direct` or `partner`".to_owned();
    assert_eq!(terms(&Standing::without(Mode::Offline), at), (0, true, Some(needed)));
    // One that is not good yet does not count.
    let standing = Standing::with(Mode::Partner, licence(&signer()), jiff::SignedDuration::ZERO);
    let early = "the licence does not count, it is not valid before 2026-11-01T00:00:00Z; what works without one: an \
                 evaluation, without a licence, has at most 5 organizations";
    assert_eq!(terms(&standing, "2026-10-31T00:00:00Z"), (5, true, Some(early.to_owned())));
}

#[test]
fn after_a_licence_there_is_no_evaluation_any_more() {
    for mode in [Mode::Partner, Mode::Direct, Mode::Offline] {
        let standing = Standing::without(mode);
        standing.had("2026-11-01T00:00:00Z".parse().unwrap());
        // Its grace is not over.
        assert!(terms(&standing, "2026-11-14T23:59:59Z").1);
        let over = "the licence that this installation had expired on 2026-11-01T00:00:00Z, and its grace is over: bundles \
                    are processed, nothing is added, and nothing is sent upstream";
        assert_eq!(terms(&standing, "2026-11-15T00:00:00Z"), (0, false, Some(over.to_owned())), "{mode}");
    }
    let standing = Standing::without(Mode::EndCustomer);
    standing.had("2026-11-01T00:00:00Z".parse().unwrap());
    assert_eq!(terms(&standing, "2027-01-01T00:00:00Z"), (1, true, None), "it needs none");
    let standing = Standing::with(Mode::Partner, licence(&signer()), jiff::SignedDuration::ZERO);
    standing.had("2026-10-01T00:00:00Z".parse().unwrap());
    assert_eq!(terms(&standing, "2026-12-01T00:00:00Z"), (100, true, None), "a new one counts");
}

#[test]
fn a_licence_that_was_taken_away_leaves_nothing_behind() {
    let at = "2026-11-26T00:00:00Z";
    let evaluation = Standing::without(Mode::Partner);
    evaluation.counted(8);
    let over = "an evaluation, without a licence, has at most 5 organizations, and 8 take part: bundles are processed, and \
                nothing is sent upstream until those that are too many are suspended, or there is a licence for them";
    assert_eq!(terms(&evaluation, at), (5, false, Some(over.to_owned())));
    evaluation.counted(5);
    assert!(terms(&evaluation, at).1);
    let licensed = Standing::with(Mode::Partner, licence(&signer()), jiff::SignedDuration::ZERO);
    licensed.counted(8);
    assert!(terms(&licensed, at).1, "of a licence nothing but what is added is bounded so");
}

#[test]
fn what_is_one_too_many_is_refused_by_name() {
    let at = "2026-12-01T00:00:00Z".parse().unwrap();
    let said = |standing: &Standing, count, devices| {
        standing.admit(at, "acme", count, devices).map_err(|excess| excess.to_string())
    };
    let evaluation = Standing::without(Mode::Partner);
    assert_eq!(said(&evaluation, 4, 1_000_000), Ok(()), "without a licence nothing bounds devices");
    let expected = "the organization `acme` cannot be added: an evaluation, without a licence, has at most 5 organizations, \
                    and 5 take part; those go on, and one that is suspended makes room";
    assert_eq!(said(&evaluation, 5, 0), Err(expected.to_owned()));
    let expected = "the organization `acme` cannot be added: mode `demo` has exactly one organization; several take mode \
                    `direct` or `partner`";
    assert_eq!(said(&Standing::without(Mode::Demo), 1, 0), Err(expected.to_owned()));
    let licensed = Standing::with(Mode::Partner, licence(&signer()), jiff::SignedDuration::ZERO);
    assert_eq!(said(&licensed, 99, 10_000), Ok(()));
    let expected = "the organization `acme` cannot be added: the licence permits 100 organizations, and 100 take part; \
                    those go on, and one that is suspended makes room";
    assert_eq!(said(&licensed, 100, 0), Err(expected.to_owned()));
    let expected = "the organization `acme` cannot be added: the licence permits 10000 devices, and there are 10001; \
                    bundles of all of them are processed";
    assert_eq!(said(&licensed, 5, 10_001), Err(expected.to_owned()));
}

//! Archives: every member as it may leave, nested ones too; bombs refused by name, broken members withheld.

#![cfg(test)]

mod support;

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use linesman_redaction::{Bounds, CONFIGURATION_WITHHELD, Canaries, Error, Redaction, Refusal};
use linesman_schemas::FilterLevel;
use support::{document, gunzip, gzip, spool, tar, untar};

fn overwriting() -> Redaction {
    Redaction::at(FilterLevel::AddressesOverwritten)
}

#[test]
fn every_member_leaves_as_it_may() {
    let long = format!("{}10.1.2.3.log", "directory-of-a-long-name/".repeat(8));
    let nested = gzip(&tar(&[("inner/messages", b"peer 10.1.2.3"), ("inner/messages.0.gz", &gzip(b"2001:db8::1 up"))]));
    let bundle = gzip(&tar(&[
        ("var/log/messages", b"from 10.9.9.9 secret \"abc\";\n"),
        ("nested.tgz", &nested),
        (&long, b"x"),
        ("empty", b""),
    ]));
    let (left, report) = document(&overwriting(), "logs.tgz", &bundle).unwrap();
    let members = untar(&gunzip(&left));
    assert_eq!(members["var/log/messages"], b"from x.x.x.x secret \"SECRET-WITHHELD\";\n");
    assert_eq!(members[&long.replace("10.1.2.3", "x.x.x.x")], b"x");
    assert_eq!(members["empty"], b"");
    let inner = untar(&gunzip(&members["nested.tgz"]));
    assert_eq!(inner["inner/messages"], b"peer x.x.x.x");
    assert_eq!(gunzip(&inner["inner/messages.0.gz"]), b"x:x::x up");
    assert_eq!((report.addresses, report.secrets), (4, 1));

    let canaries =
        Canaries::read("10.9.9.9\n2001:DB8:0::1\nabc\n10.1.2.3\n".replace("abc", "\"abc\"").as_str()).unwrap();
    assert_eq!(canaries.leaked("logs.tgz", &mut &*left, &spool).unwrap(), [].into());
    let planted = canaries.leaked("logs.tgz", &mut &*bundle, &spool).unwrap();
    assert_eq!(planted.values().copied().collect::<Vec<_>>(), [1, 2, 1, 1]);
}

#[test]
fn members_that_become_one_name_stay_two() {
    let bundle = tar(&[("10.1.1.1.log", b"a"), ("10.1.1.2.log", b"b"), ("10.1.1.3.log", b"c")]);
    let (left, _) = document(&overwriting(), "logs.tar", &bundle).unwrap();
    let members = untar(&left);
    assert_eq!(members.keys().collect::<Vec<_>>(), ["x.x.x.x.log", "x.x.x.x.log~2", "x.x.x.x.log~3"]);
}

#[test]
fn files_of_configuration_are_withheld_by_their_name() {
    let bundle =
        tar(&[("config/juniper.conf.1.gz", &gzip(b"system { host-name acme; }")), ("var/log/messages", b"up")]);
    let (left, report) = document(&Redaction::at(FilterLevel::ExceptConfiguration), "logs.tar", &bundle).unwrap();
    let members = untar(&left);
    assert_eq!(gunzip(&members["config/juniper.conf.1.gz"]), format!("{CONFIGURATION_WITHHELD}\n").as_bytes());
    assert_eq!((members["var/log/messages"].as_slice(), report.configurations), (b"up".as_slice(), 1));
    let (features, _) = document(&Redaction::at(FilterLevel::FeaturesOnly), "logs.tar", &bundle).unwrap();
    assert_eq!(features, b"system\n");
}

#[test]
fn a_file_of_configuration_stays_of_its_form() {
    for (content, expected) in [
        ("system { host-name a; }", "[configuration withheld]\n"),
        ("\n<configuration><system/></configuration>", "<configuration>[configuration withheld]</configuration>\n"),
        (" {\"configuration\" : {}}", "\"[configuration withheld]\"\n"),
    ] {
        let (left, _) =
            document(&Redaction::at(FilterLevel::ExceptConfiguration), "a_cfg", content.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(left).unwrap(), expected);
    }
}

#[test]
fn what_cannot_be_looked_into_is_withheld() {
    let zip = b"PK\x03\x04 10.1.2.3 and more";
    let core = b"\x7fELF\0\0\0 10.1.2.3";
    let truncated = &gzip(&b"10.1.2.3 ".repeat(100))[..20];
    let utf16: Vec<u8> = b"\xff\xfe".iter().copied().chain("10.1.2.3".bytes().flat_map(|byte| [byte, 0])).collect();
    let bundle = tar(&[("a.zip", zip), ("core.1", core), ("cut.gz", truncated), ("wide.txt", &utf16)]);
    for (level, withheld) in
        [(FilterLevel::AddressesOverwritten, 4), (FilterLevel::ExceptConfiguration, 4), (FilterLevel::All, 3)]
    {
        let (left, report) = document(&Redaction::at(level), "logs.tar", &bundle).unwrap();
        let members = untar(&left);
        let said = members.values().filter(|content| content.starts_with(b"[withheld: ")).count();
        assert_eq!((said, report.withheld_in_all), (withheld, withheld as u64), "{report:?}");
        assert!(report.withheld.contains(&"logs.tar/a.zip".to_owned()));
    }
}

#[test]
fn links_and_directories_are_carried_over_and_devices_are_not() {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name) in [
        (tar::EntryType::Directory, "var/"),
        (tar::EntryType::Symlink, "var/current"),
        (tar::EntryType::Block, "dev/sda"),
        (tar::EntryType::Fifo, "pipe"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_username("ann").unwrap();
        if kind.is_symlink() {
            builder.append_link(&mut header, name, "/var/log/10.1.2.3").unwrap();
        } else {
            builder.append_data(&mut header, name, &b""[..]).unwrap();
        }
    }
    let (left, _) = document(&overwriting(), "t.tar", &builder.into_inner().unwrap()).unwrap();
    assert!(!left.windows(3).any(|three| three == b"ann"));
    let mut archive = tar::Archive::new(left.as_slice());
    let left: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let link = entry.link_name().unwrap().map(|link| link.to_string_lossy().into_owned());
            (entry.path().unwrap().to_string_lossy().into_owned(), link)
        })
        .collect();
    assert_eq!(left, [("var".to_owned(), None), ("var/current".to_owned(), Some("var/log/x.x.x.x".to_owned()))]);
}

/// Zeros, without memory for them.
fn bomb(bytes: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::copy(&mut std::io::repeat(b'a').take(bytes), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn refused(bounds: Bounds, name: &str, bytes: &[u8]) -> Refusal {
    let redaction = overwriting().within(bounds);
    match document(&redaction, name, bytes) {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bombs_are_refused_by_name() {
    let bounds = Bounds::default();
    let inner = bomb(Bounds::RATIO_FROM * 2);
    let refusal = refused(bounds, "b.tgz", &gzip(&tar(&[("fine", b"x"), ("dir/bomb.gz", &inner)])));
    assert_eq!(refusal.to_string(), "`b.tgz/dir/bomb.gz` unpacks to more than 300 times its size, which no log does");

    let small = Bounds { unpacked: 1000, ..bounds };
    let refusal = refused(small, "b.gz", &gzip(&[b'x'; 1001]));
    assert_eq!(refusal.to_string(), "`b.gz` unpacks to more than 1000 bytes, which no bundle has");
    let two = tar(&[("a.gz", &gzip(&[b'x'; 600])), ("b.gz", &gzip(&[b'x'; 600]))]);
    assert_eq!(
        refused(small, "t.tar", &two).to_string(),
        "`t.tar/b.gz` unpacks to more than 1000 bytes, which no bundle has"
    );

    let nested = (0..9).fold(b"x".to_vec(), |inner, _| gzip(&inner));
    let refusal = refused(bounds, "deep.gz", &nested);
    assert_eq!(refusal.to_string(), "`deep.gz` lies in too many archives: they are opened 8 deep");

    let few = Bounds { members: 2, ..bounds };
    let refusal = refused(few, "many.tar", &tar(&[("a", b""), ("b", b""), ("c", b"")]));
    assert_eq!(refusal.to_string(), "`many.tar` has more than 2 members, which no bundle has");

    let refusal = refused(bounds, "name.tar", &tar(&[(&"n/".repeat(600), b"")]));
    assert_eq!(refusal.to_string(), "`name.tar` has a member whose name is longer than 1024 bytes");
}

#[test]
fn a_broken_document_is_an_error_that_names_it() {
    let whole = gzip(b"10.1.2.3 and more of it");
    let error = document(&overwriting(), "cut.gz", &whole[..whole.len() - 6]).unwrap_err();
    assert_eq!(error.to_string(), "`cut.gz` cannot be carried over");
    let whole = tar(&[("a", &[b'x'; 2000])]);
    let error = document(&overwriting(), "cut.tar", &whole[..1000]).unwrap_err();
    assert_eq!(error.to_string(), "`cut.tar` cannot be carried over");
}

#[test]
fn nothing_leaves_at_do_not_send() {
    let bundle = gzip(&tar(&[("a", b"10.1.2.3")]));
    assert_eq!(document(&Redaction::at(FilterLevel::DoNotSend), "a.tgz", &bundle).unwrap().0, b"");
    assert_eq!(Redaction::at(FilterLevel::DoNotSend).text("words"), "");
}

#[test]
fn what_is_written_can_be_written_in_any_pieces() {
    /// Takes a byte at a time.
    struct Narrow(Vec<u8>);
    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.extend(bytes.first());
            Ok(bytes.len().min(1))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let bundle = gzip(&tar(&[("a", b"10.1.2.3")]));
    let mut narrow = Narrow(Vec::new());
    overwriting().document("a.tgz", &mut &*bundle, &mut narrow, &spool).unwrap();
    assert_eq!(narrow.0, document(&overwriting(), "a.tgz", &bundle).unwrap().0);
}

/// What is no text any more behind its beginning is withheld from there on, at whatever level it cannot be looked into.
#[test]
fn what_a_text_goes_on_as_is_looked_at() {
    let wide = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let secret = "set snmp community Zk7canaryQ9 authorization\nhost 10.1.2.213\n";
    let head = format!("{}\n", "#".repeat(80)).repeat(120);
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut zlib, secret.repeat(9).as_bytes()).unwrap();
    for (bytes, is_withheld_whole) in [
        (wide(secret, u16::to_le_bytes), true),
        (wide(secret, u16::to_be_bytes), true),
        (zlib.finish().unwrap(), true),
        ([b"\x5d\x00\x00\x80\x00".as_slice(), secret.as_bytes()].concat(), true),
        ([head.as_bytes(), &wide(secret, u16::to_le_bytes)].concat(), false),
        ([head.as_bytes(), &wide(secret, u16::to_be_bytes)].concat(), false),
    ] {
        for (level, name) in FilterLevel::ALL {
            let (left, report) = document(&Redaction::at(level), "log", &bytes).unwrap();
            let is_any = level != FilterLevel::DoNotSend;
            assert_eq!(report.withheld_in_all, u64::from(is_any), "{name}");
            let plain: Vec<u8> = left.into_iter().filter(|byte| *byte != 0).collect();
            let plain = String::from_utf8(plain).unwrap();
            assert!(!plain.contains("canary") && !plain.contains("213"), "{name}: {plain}");
            assert!(
                !is_any || is_withheld_whole || level == FilterLevel::FeaturesOnly || plain.starts_with("####"),
                "{name}"
            );
        }
    }
    // A zero in a log at the level that lets binary files out, and at one that does not.
    let text = format!("{head}a\0b secret \"s3cr3t\";\n");
    let (left, _) = document(&Redaction::at(FilterLevel::All), "log", text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(left).unwrap(), format!("{head}a\0b secret \"SECRET-WITHHELD\";\n"));
    let (left, _) = document(&Redaction::at(FilterLevel::AddressesOverwritten), "log", text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(left).unwrap(), format!("{head}a[withheld: it cannot be looked into]\n"));
}

#[test]
fn zeros_behind_a_compressed_file_are_none_of_it() {
    let both = [gzip(b"peer 10.1.2.3\n"), gzip(b"and 10.1.2.4\n"), vec![0; 70_000]].concat();
    let (left, _) = document(&Redaction::at(FilterLevel::AddressesOverwritten), "a.gz", &both).unwrap();
    assert_eq!(gunzip(&left), b"peer x.x.x.x\nand x.x.x.x\n");
    let broken = [gzip(b"x"), b"garbage".to_vec()].concat();
    assert!(document(&Redaction::at(FilterLevel::All), "a.gz", &broken).is_err());
}

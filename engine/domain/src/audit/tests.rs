//! The tree against the values of RFC 6962's reference implementation, and against an implementation that is not ours.

use std::collections::HashMap;
use std::convert::Infallible;

use linesman_schemas::Principal;
use linesman_schemas::audit::{Record, Verdict};
use proptest::prelude::*;
use serde_json::json;
use tlog_tiles::{
    Error as OtherError, Hash as OtherHash, HashReader, check_record, check_tree, prove_record, prove_tree,
    split_stored_hash_index, tree_hash,
};

use super::proof::{consistency, extends, includes, inclusion};
use super::record::{AuditRow, text};
use super::tree::{Hash, Head, root_at};
use crate::table::{Row, decode, encode};

/// A tree with all its hashes.
#[derive(Default)]
struct Grown {
    head: Head,
    hashes: HashMap<(u8, u64), Hash>,
    /// The root at each size.
    roots: Vec<Hash>,
}

impl Grown {
    fn of<T: AsRef<[u8]>>(records: impl IntoIterator<Item = T>) -> Self {
        let mut grown = Self { roots: vec![Hash::of_nothing()], ..Self::default() };
        for record in records {
            let (leaf, index) = (Hash::of_leaf(record.as_ref()), grown.head.size());
            grown.hashes.insert((0, index), leaf);
            for subtree in grown.head.append(leaf) {
                assert!(grown.hashes.insert((subtree.level, subtree.index), subtree.hash).is_none());
            }
            grown.roots.push(grown.head.root());
        }
        grown
    }

    fn numbered(size: u64) -> Self {
        Self::of((0..size).map(|number| format!("record {number}")))
    }

    fn read(&self) -> impl FnMut(u8, u64) -> Result<Hash, Infallible> {
        |level, index| Ok(self.hashes[&(level, index)])
    }

    fn root(&self, size: u64) -> Hash {
        self.roots[usize::try_from(size).unwrap()]
    }
}

impl HashReader for Grown {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<OtherHash>, OtherError> {
        Ok(indexes.iter().map(|index| other(&self.hashes[&split_stored_hash_index(*index)])).collect())
    }
}

fn other(hash: &Hash) -> OtherHash {
    OtherHash(hash.0)
}

fn others(path: &[Hash]) -> Vec<OtherHash> {
    path.iter().map(other).collect()
}

#[test]
fn roots_are_those_of_the_reference_implementation() {
    let records: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let grown = Grown::of(records.map(|record| hex::decode(record).unwrap()));
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    assert_eq!(grown.roots.iter().map(Hash::to_string).collect::<Vec<_>>(), roots);
}

#[test]
fn every_earlier_root_is_found_again_as_the_other_implementation_finds_it() {
    let grown = Grown::numbered(130);
    for size in 0..=130 {
        let root = root_at(size, grown.read()).unwrap();
        assert_eq!(root, grown.root(size), "{size}");
        assert_eq!(other(&root), tree_hash(size, &grown).unwrap(), "{size}");
    }
}

#[test]
fn proofs_of_all_sizes_are_those_of_the_other_implementation_and_both_accept_them() {
    let grown = Grown::numbered(130);
    for size in 1..=130 {
        let root = grown.root(size);
        for index in 0..size {
            let path = inclusion(index, size, grown.read()).unwrap().unwrap();
            assert_eq!(others(&path), prove_record(size, index, &grown).unwrap(), "{index} of {size}");
            let leaf = grown.hashes[&(0, index)];
            assert!(includes(leaf, index, size, &path, &root), "{index} of {size}");
            check_record(&others(&path), size, other(&root), index, other(&leaf)).unwrap();
        }
        for old in 1..=size {
            let path = consistency(old, size, grown.read()).unwrap().unwrap();
            assert_eq!(others(&path), prove_tree(size, old, &grown).unwrap(), "{old} to {size}");
            let before = grown.root(old);
            assert!(extends(old, &before, size, &root, &path), "{old} to {size}");
            check_tree(&others(&path), size, other(&root), old, other(&before)).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_is_not_proved() {
    let grown = Grown::numbered(5);
    for (index, size) in [(0, 0), (5, 5), (6, 5)] {
        assert_eq!(inclusion(index, size, grown.read()), Ok(None));
        assert!(!includes(grown.hashes[&(0, 0)], index, size, &[], &grown.root(5)));
    }
    for (old, size) in [(0, 0), (0, 5), (6, 5)] {
        assert_eq!(consistency(old, size, grown.read()), Ok(None));
        assert!(!extends(old, &grown.root(5), size, &grown.root(5), &[]));
    }
}

#[test]
fn a_million_records_take_a_hash_each_and_a_proof_twice_the_height() {
    let mut head = Head::default();
    let mut completed = 0_u64;
    for number in 0..1_000_000_u64 {
        completed += head.append(Hash::of_leaf(&number.to_be_bytes())).len() as u64;
    }
    assert_eq!(completed, 1_000_000 - u64::from(1_000_000_u64.count_ones()));
    let mut reads = 0;
    let mut read = |_: u8, _: u64| {
        reads += 1;
        Ok::<_, Infallible>(Hash([0; 32]))
    };
    inclusion(0, 1_000_000, &mut read).unwrap().unwrap();
    consistency(333_333, 1_000_000, &mut read).unwrap().unwrap();
    assert!(reads <= 80, "{reads}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever is changed in a proof or what it is about, it proves nothing any more.
    #[test]
    fn a_proof_proves_one_thing(
        size in 1..200_u64, index in 0..200_u64, old in 1..200_u64, at in 0..16_usize, bit in 0..256_usize,
    ) {
        let (index, old) = (index % size, old % size + 1);
        let grown = Grown::numbered(size);
        let root = grown.root(size);
        let flip = |hash: &Hash| {
            let mut bytes = hash.0;
            bytes[bit / 8] ^= 1 << (bit % 8);
            Hash(bytes)
        };
        let spoil = |path: &[Hash]| {
            let mut spoilt = path.to_vec();
            if let Some(hash) = spoilt.get_mut(at) {
                *hash = flip(hash);
            } else {
                spoilt.push(flip(&root));
            }
            spoilt
        };
        let leaf = grown.hashes[&(0, index)];
        let path = inclusion(index, size, grown.read()).unwrap().unwrap();
        prop_assert!(!includes(flip(&leaf), index, size, &path, &root));
        prop_assert!(!includes(leaf, index, size, &path, &flip(&root)));
        prop_assert!(!includes(leaf, index, size, &spoil(&path), &root));
        prop_assert!(!includes(leaf, index ^ 1, size, &path, &root) || size == 1);
        if let Some((_, shorter)) = path.split_last() {
            prop_assert!(!includes(leaf, index, size, shorter, &root));
        }
        let before = grown.root(old);
        let path = consistency(old, size, grown.read()).unwrap().unwrap();
        prop_assert!(!extends(old, &flip(&before), size, &root, &path));
        prop_assert!(!extends(old, &before, size, &flip(&root), &path));
        prop_assert!(!extends(old, &before, size, &root, &spoil(&path)));
        if let Some((_, shorter)) = path.split_last() {
            prop_assert!(!extends(old, &before, size, &root, shorter));
        }
    }
}

#[test]
fn a_hash_in_a_row_is_never_taken_for_a_version() {
    let hash = Hash([[0x80, 0x00, 0x02, 0x01]; 8].as_flattened().try_into().unwrap());
    assert_eq!(decode::<Hash>(b"H", &encode(&hash).unwrap()).unwrap(), hash);
    let row = AuditRow { body: None, leaf: hash, detail: String::new() };
    assert_eq!(decode::<AuditRow>(b"e", &encode(&row).unwrap()).unwrap(), row);
    let mut head = Head::default();
    head.append(hash);
    assert_eq!(decode::<Head>(b"E", &encode(&head).unwrap()).unwrap(), head);
}

#[test]
fn a_hash_has_one_spelling() {
    let hash = Hash::of_nothing();
    assert_eq!(hash.to_string().parse::<Hash>().unwrap(), hash);
    for text in ["", "e3b0", &hash.to_string().to_uppercase(), &format!("{hash} ")] {
        assert_eq!(text.parse::<Hash>().unwrap_err().to_string(), "a hash is 64 hexadecimal digits of lower case");
    }
}

fn record() -> Record {
    Record {
        index: 7,
        time: "2026-11-21T10:00:00Z".parse().unwrap(),
        actor: "acme/ann".to_owned(),
        chain: vec!["acme/root".to_owned(), "admin".to_owned()],
        principal: Some(Principal::Machine),
        node: "one".to_owned(),
        operation: "set_organization".to_owned(),
        place: "acme/berlin".to_owned(),
        about: None,
        old: json!(null),
        new: json!({"z": 1, "a": {"y": [{"d": 2, "c": "é\n"}], "b": 1.5}}),
        outcome: Verdict::NotFound,
        command: "c1".parse().unwrap(),
        rule_book: 3,
    }
}

#[test]
fn the_bytes_of_a_record_are_these_for_ever() {
    let bytes = concat!(
        r#"{"index":7,"time":"2026-11-21T10:00:00Z","actor":"acme/ann","chain":["acme/root","admin"],"#,
        r#""principal":{"kind":"machine"},"node":"one","operation":"set_organization","place":"acme/berlin","#,
        r#""about":null,"old":null,"new":{"a":{"b":1.5,"y":[{"c":"é\n","d":2}]},"z":1},"outcome":"not-found","#,
        r#""command":"c1","rule_book":3}"#,
    );
    assert_eq!(text(record()).unwrap(), bytes);
    assert_eq!(serde_json::from_str::<Record>(bytes).unwrap(), record());
}

#[test]
fn words_for_people_are_in_no_digest() {
    let row = AuditRow::new(text(record()).unwrap(), "created".to_owned());
    let reworded = AuditRow { detail: "has been created".to_owned(), ..row.clone() };
    let form = |row: &AuditRow| row.form(3, &encode(row).unwrap()).unwrap().into_owned();
    assert_eq!(form(&row), form(&reworded));
    let gone = AuditRow { body: None, ..row.clone() };
    assert_ne!(form(&row), form(&gone));
}

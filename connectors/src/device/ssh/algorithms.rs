//! Which algorithms are offered: modern ones, and for a device that is set so also those before.

use russh::client::GexParams;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, compression, kex, mac};

use super::HostKey;

const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_G14_SHA256,
];
const KEX_LEGACY: &[kex::Name] = &[kex::DH_GEX_SHA1, kex::DH_G14_SHA1, kex::DH_G1_SHA1];
/// No methods of key exchange, but announced among them (RFC 8308; against `Terrapin`).
const KEX_EXTENSIONS: &[kex::Name] = &[
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];

const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const CIPHERS_LEGACY: &[cipher::Name] = &[cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC];

const MACS: &[mac::Name] = &[mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512, mac::HMAC_SHA256];
const MACS_LEGACY: &[mac::Name] = &[mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];

const COMPRESSION: &[compression::Name] = &[compression::NONE];

/// The algorithms for a device. A key that is pinned comes first: a device that has several shows the one we know.
pub(crate) fn preferred(is_legacy: bool, pinned: Option<&HostKey>) -> Preferred {
    let mut keys = vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ];
    if is_legacy {
        keys.push(Algorithm::Rsa { hash: None });
    }
    if let Some(pinned) = pinned {
        let known = pinned.key().algorithm();
        keys.sort_by_key(|algorithm| match (algorithm, &known) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => false,
            (algorithm, known) => algorithm != known,
        });
    }
    Preferred {
        kex: both(KEX, KEX_LEGACY, is_legacy).chain(KEX_EXTENSIONS.iter().copied()).collect(),
        key: keys.into(),
        host_key_certificates: (&[]).into(),
        cipher: both(CIPHERS, CIPHERS_LEGACY, is_legacy).collect(),
        mac: both(MACS, MACS_LEGACY, is_legacy).collect(),
        compression: COMPRESSION.into(),
    }
}

fn both<T: Copy>(modern: &'static [T], legacy: &'static [T], is_legacy: bool) -> impl Iterator<Item = T> {
    modern.iter().chain(if is_legacy { legacy } else { &[] }).copied()
}

/// Groups of a key exchange that the device chooses: 2048 bits at least.
pub(super) fn groups() -> GexParams {
    GexParams::new(2048, 3072, 8192).unwrap_or_default()
}

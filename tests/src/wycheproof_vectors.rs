//! The signature vectors of Project Wycheproof for the algorithms of JOSE.
//!
//! The messages are arbitrary bytes, and a JWS signs `base64url.base64url`, so these vectors cannot be written as
//! tokens. They are for functions that accept a key, a message and a signature.

use crate::{keys::rsa_jwk, minting::base64url};
use poolgate_core::Algorithm;
use serde_json::{Value, json};
use wycheproof::{
    EllipticCurve, HashFunction, Mgf, TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss,
};

/// The `kid` of every key.
pub const KEY_ID: &str = "wycheproof";

/// A set of vectors, from one file.
pub struct VectorSet {
    /// The name.
    pub name: String,
    /// The number of vectors according to the file.
    pub stated: usize,
    /// The number of vectors with parameters that JOSE does not support. Only the "misc" sets have any.
    pub foreign: usize,
    /// The other vectors, by key.
    pub groups: Vec<Group>,
}

/// The vectors of one key. The core accepts all keys of these sets.
pub struct Group {
    /// The JWK Set with the key, named [`KEY_ID`].
    pub jwks: String,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The vectors.
    pub vectors: Vec<Vector>,
}

/// One vector.
pub struct Vector {
    /// `tcId`.
    pub id: usize,
    /// The comment.
    pub comment: String,
    /// The message, as it is signed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// Whether it must be accepted.
    pub is_valid: bool,
}

/// Every set: RSASSA-PKCS1-v1_5, RSASSA-PSS, ECDSA in the format of IEEE P1363, and Ed25519.
pub fn sets() -> Vec<VectorSet> {
    let mut sets: Vec<VectorSet> = pkcs1_sets().into_iter().map(|(name, alg)| pkcs1_set(name, alg)).collect();
    sets.extend(pss_sets().into_iter().map(pss_set));
    sets.extend(ecdsa_sets().into_iter().map(|(name, curve, alg)| ecdsa_set(name, curve, alg)));
    sets.push(ed25519_set());
    sets
}

fn pkcs1_sets() -> Vec<(pkcs1::TestName, Algorithm)> {
    use Algorithm::{Rs256, Rs384, Rs512};
    use pkcs1::TestName as Name;
    vec![
        (Name::Rsa2048Sha256, Rs256),
        (Name::Rsa2048Sha384, Rs384),
        (Name::Rsa2048Sha512, Rs512),
        (Name::Rsa3072Sha256, Rs256),
        (Name::Rsa3072Sha384, Rs384),
        (Name::Rsa3072Sha512, Rs512),
        (Name::Rsa4096Sha256, Rs256),
        (Name::Rsa4096Sha384, Rs384),
        (Name::Rsa4096Sha512, Rs512),
        (Name::Rsa8192Sha256, Rs256),
        (Name::Rsa8192Sha384, Rs384),
        (Name::Rsa8192Sha512, Rs512),
    ]
}

/// The PSS sets, in which all vectors have a salt as long as the hash and MGF1 with the same hash, or only some ("misc").
fn pss_sets() -> Vec<pss::TestName> {
    use pss::TestName as Name;
    vec![
        Name::RsaPss2048Sha256Mgf1SaltLen32,
        Name::RsaPss2048Sha256Mgf1SaltLen32WithParams,
        Name::RsaPss2048Sha384Mgf1SaltLen48,
        Name::RsaPss3072Sha256Mgf1SaltLen32,
        Name::RsaPss3072Sha256Mgf1SaltLen32WithParams,
        Name::RsaPss4096Sha256Mgf1SaltLen32,
        Name::RsaPss4096Sha384Mgf1SaltLen48,
        Name::RsaPss4096Sha512Mgf1SaltLen64,
        Name::RsaPss4096Sha512Mgf1SaltLen64WithParams,
        Name::RsaPssmisc,
        Name::RsaPssmiscWithParams,
    ]
}

fn ecdsa_sets() -> Vec<(ecdsa::TestName, &'static str, Algorithm)> {
    vec![
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, "P-256", Algorithm::Es256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, "P-384", Algorithm::Es384),
        (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, "P-521", Algorithm::Es512),
    ]
}

/// Returns whether a vector must be accepted. In these sets, "acceptable" occurs only with the flag `MissingNull`: a
/// DigestInfo whose AlgorithmIdentifier has no NULL parameters. RFC 8017 section 9.2 (note 1) allows a verifier to
/// accept it, but signers write the NULL (appendix A.2.4). No signer needs a second encoding, so it is rejected.
fn must_verify(result: TestResult, is_missing_null: bool) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Invalid => false,
        TestResult::Acceptable => {
            assert!(is_missing_null, "an acceptable vector without an expected verdict");
            false
        }
    }
}

/// Reads a vector. Each family has its own type, and all types have these members.
macro_rules! vector {
    ($test:ident, $is_valid:expr) => {
        Vector {
            id: $test.tc_id,
            comment: $test.comment.clone(),
            message: $test.msg.to_vec(),
            signature: $test.sig.to_vec(),
            is_valid: $is_valid,
        }
    };
}

fn pkcs1_set(name: pkcs1::TestName, algorithm: Algorithm) -> VectorSet {
    let set = pkcs1::TestSet::load(name).expect("the vectors");
    let groups = set.test_groups.iter().map(|group| Group {
        jwks: rsa_set(&group.key.n, &group.key.e),
        algorithm,
        vectors: group
            .tests
            .iter()
            .map(|test| vector!(test, must_verify(test.result, test.flags == [pkcs1::TestFlag::MissingNull])))
            .collect(),
    });
    VectorSet { name: format!("{name:?}"), stated: set.number_of_tests, foreign: 0, groups: groups.collect() }
}

fn pss_set(name: pss::TestName) -> VectorSet {
    let set = pss::TestSet::load(name).expect("the vectors");
    let mut read = VectorSet { name: format!("{name:?}"), stated: set.number_of_tests, foreign: 0, groups: Vec::new() };
    for group in &set.test_groups {
        let Some(algorithm) = jose_pss(group) else {
            read.foreign += group.tests.len();
            continue;
        };
        let vectors = group.tests.iter().map(|test| vector!(test, must_verify(test.result, false)));
        read.groups.push(Group { jwks: rsa_set(&group.key.n, &group.key.e), algorithm, vectors: vectors.collect() });
    }
    read
}

/// RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash.
fn jose_pss(group: &pss::TestGroup) -> Option<Algorithm> {
    let (algorithm, length) = match group.hash {
        HashFunction::Sha2_256 => (Algorithm::Ps256, 32),
        HashFunction::Sha2_384 => (Algorithm::Ps384, 48),
        HashFunction::Sha2_512 => (Algorithm::Ps512, 64),
        _ => return None,
    };
    let is_jose = group.mgf == Mgf::Mgf1 && group.mgf_hash == Some(group.hash) && group.salt_size == length;
    is_jose.then_some(algorithm)
}

fn ecdsa_set(name: ecdsa::TestName, curve: &'static str, algorithm: Algorithm) -> VectorSet {
    let set = ecdsa::TestSet::load(name).expect("the vectors");
    let groups = set.test_groups.iter().map(|group| {
        let field = match group.key.curve {
            EllipticCurve::Secp256r1 => 32,
            EllipticCurve::Secp384r1 => 48,
            EllipticCurve::Secp521r1 => 66,
            other => panic!("{other:?} is no curve of JOSE"),
        };
        // SEC 1 section 2.3.3, uncompressed: 04, x, y.
        let (x, y) = group.key.key[1..].split_at(field);
        let vectors = group.tests.iter().map(|test| vector!(test, must_verify(test.result, false)));
        Group {
            jwks: set_of(json!({"kty": "EC", "kid": KEY_ID, "crv": curve, "x": base64url(x), "y": base64url(y)})),
            algorithm,
            vectors: vectors.collect(),
        }
    });
    VectorSet { name: format!("{name:?}"), stated: set.number_of_tests, foreign: 0, groups: groups.collect() }
}

fn ed25519_set() -> VectorSet {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("the vectors");
    let groups = set.test_groups.iter().map(|group| Group {
        jwks: set_of(json!({"kty": "OKP", "kid": KEY_ID, "crv": "Ed25519", "x": base64url(&group.key.pk)})),
        algorithm: Algorithm::EdDsa,
        vectors: group.tests.iter().map(|test| vector!(test, must_verify(test.result, false))).collect(),
    });
    VectorSet { name: "Ed25519".into(), stated: set.number_of_tests, foreign: 0, groups: groups.collect() }
}

/// Wycheproof writes numbers with a leading zero if ASN.1 needs one. A JWK must not have it (RFC 7518 section 2).
fn rsa_set(modulus: &[u8], exponent: &[u8]) -> String {
    set_of(rsa_jwk(KEY_ID, trimmed(modulus), trimmed(exponent)))
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn set_of(jwk: Value) -> String {
    crate::keys::jwks(&[jwk])
}

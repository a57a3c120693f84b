//! Signing keys, generated once per process, and their public JSON Web Keys.

use crate::{
    handmade_rsa::HandmadeRsa,
    minting::{base64url, unbase64url},
};
use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use poolgate_core::Algorithm;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The signing key of the test pool.
pub static RSA_2048: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa(KeySize::Rsa2048));
/// The key of another pool, or of an attacker.
pub static OTHER_RSA_2048: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa(KeySize::Rsa2048));
/// A key whose modulus length is not a power of two.
pub static RSA_3072: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa(KeySize::Rsa3072));
/// For ES256.
pub static P256: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::ec("P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING));
/// Another key for ES256.
pub static OTHER_P256: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::ec("P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING));
/// For ES384.
pub static P384: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::ec("P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING));
/// For ES512.
pub static P521: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::ec("P-521", &signature::ECDSA_P521_SHA512_FIXED_SIGNING));
/// For EdDSA.
pub static ED25519: LazyLock<TestKey> = LazyLock::new(TestKey::ed25519);

/// A key pair.
pub struct TestKey(Pair);

enum Pair {
    Rsa(RsaKeyPair),
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Handmade(HandmadeRsa),
}

impl TestKey {
    /// Generates an RSA key.
    pub fn rsa(size: KeySize) -> Self {
        Self(Pair::Rsa(RsaKeyPair::generate(size).expect("an RSA key")))
    }

    /// Generates a key on the curve with the JOSE name `curve`.
    pub fn ec(curve: &'static str, algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self(Pair::Ec(curve, EcdsaKeyPair::generate(algorithm).expect("an EC key")))
    }

    /// Generates an Ed25519 key.
    pub fn ed25519() -> Self {
        Self(Pair::Ed25519(Ed25519KeyPair::generate().expect("an Ed25519 key")))
    }

    /// Creates a key of the module `handmade_rsa`.
    pub fn handmade(key: HandmadeRsa) -> Self {
        Self(Pair::Handmade(key))
    }

    /// Signs a message. The algorithm selects the scheme of an RSA key; for other keys, the key determines it.
    ///
    /// # Panics
    /// Panics if the algorithm does not fit the key, or if a handmade RSA key is used with an algorithm other than RS256.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(algorithm), &random, message, &mut signature).expect("an RSA signature");
                signature
            }
            Pair::Ec(_, pair) => pair.sign(&random, message).expect("an ECDSA signature").as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Handmade(key) => {
                assert_eq!(algorithm, Algorithm::Rs256, "a handmade key signs with RS256 alone");
                key.sign_rs256(message)
            }
        }
    }

    /// Returns the public RSA key in PEM format, the "secret" of the classic key confusion attack.
    ///
    /// # Panics
    /// Panics if it is not a generated RSA key.
    pub fn public_pem(&self) -> String {
        let Pair::Rsa(pair) = &self.0 else { panic!("only a fresh RSA key is written as PEM") };
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a public key");
        pem_of_der(der.as_ref())
    }

    /// Returns the modulus of an RSA key, big-endian.
    ///
    /// # Panics
    /// Panics if it is not an RSA key.
    pub fn modulus(&self) -> Vec<u8> {
        unbase64url(self.jwk("")["n"].as_str().expect("an RSA key"))
    }

    /// Returns the public JSON Web Key without `alg`.
    pub fn jwk(&self, key_id: &str) -> Value {
        match &self.0 {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let modulus = public.modulus().big_endian_without_leading_zero();
                let exponent = public.exponent().big_endian_without_leading_zero();
                rsa_jwk(key_id, modulus, exponent)
            }
            Pair::Ec(curve, pair) => {
                // SEC 1 section 2.3.3, uncompressed: 04, x, y.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
                json!({"kty": "EC", "kid": key_id, "use": "sig", "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Pair::Ed25519(pair) => {
                let x = base64url(pair.public_key().as_ref());
                json!({"kty": "OKP", "kid": key_id, "use": "sig", "crv": "Ed25519", "x": x})
            }
            Pair::Handmade(key) => rsa_jwk(key_id, &key.modulus(), &key.exponent()),
        }
    }

    /// Returns the public JSON Web Key with `alg`, as Cognito publishes it.
    pub fn jwk_for(&self, algorithm: Algorithm, key_id: &str) -> Value {
        let mut jwk = self.jwk(key_id);
        jwk["alg"] = algorithm.name().into();
        jwk
    }
}

/// Returns a key above that can sign with this algorithm.
pub fn key_for(algorithm: Algorithm) -> &'static TestKey {
    match algorithm {
        Algorithm::Es256 => &P256,
        Algorithm::Es384 => &P384,
        Algorithm::Es512 => &P521,
        Algorithm::EdDsa => &ED25519,
        _ => &RSA_2048,
    }
}

/// Returns an RSA JSON Web Key with these numbers.
pub fn rsa_jwk(key_id: &str, modulus: &[u8], exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "kid": key_id, "use": "sig", "n": base64url(modulus), "e": base64url(exponent)})
}

/// Returns the public key of a JSON Web Key on P-256 in PEM, as Application Load Balancers publish theirs.
///
/// # Panics
/// Panics if it is another key.
pub fn pem(jwk: &Value) -> String {
    assert_eq!(jwk["crv"], "P-256");
    let coordinate = |name| unbase64url(jwk[name].as_str().expect("a coordinate"));
    // RFC 5480 section 2: id-ecPublicKey, secp256r1, and an uncompressed point.
    let mut der = unbase64url("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE");
    der.extend(coordinate("x").into_iter().chain(coordinate("y")));
    pem_of_der(&der)
}

fn pem_of_der(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// Returns a JWK Set as text.
pub fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        other => panic!("{} is not an RSA algorithm", other.name()),
    }
}

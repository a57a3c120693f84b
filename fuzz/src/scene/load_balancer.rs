//! Load balancers: their keys on P-256, and their tokens, whose parts are padded.

use crate::reference::base64::{encode, encode_padded};
use p256::{
    PublicKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::{EncodePublicKey, LineEnding},
};
use std::sync::LazyLock;

/// The load balancer whose tokens are accepted.
pub(crate) const ARN: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188";

/// The number of keys.
pub(crate) const KEYS: u8 = 4;

static SIGNING_KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| (0..KEYS).map(signing_key).collect());

fn signing_key(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number + 1; 32]).expect("it is below the order of the curve")
}

fn key(number: u8) -> &'static SigningKey {
    &SIGNING_KEYS[usize::from(number)]
}

/// Returns the ID of a key, a UUID.
pub(crate) fn key_id(number: u8) -> String {
    format!("0000000{number}-aaaa-4bbb-8ccc-dddddddddddd")
}

/// Returns the coordinates of a public key, big-endian.
pub(crate) fn coordinates(number: u8) -> [Vec<u8>; 2] {
    let point = key(number).verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    [x.to_vec(), y.to_vec()]
}

/// Returns the public key as a JSON Web Key.
pub(crate) fn jwk(number: u8) -> String {
    let [x, y] = coordinates(number).map(|bytes| encode(&bytes));
    format!(r#"{{"kty":"EC","crv":"P-256","kid":"{}","x":"{x}","y":"{y}"}}"#, key_id(number))
}

/// Returns the public key in PEM.
pub(crate) fn pem(number: u8) -> String {
    PublicKey::from(key(number).verifying_key()).to_public_key_pem(LineEnding::LF).expect("a key has an encoding")
}

/// Returns a token with this header and payload.
pub(crate) fn token(number: u8, header: &str, payload: &str) -> String {
    token_of_parts(number, &encode_padded(header.as_bytes()), &encode_padded(payload.as_bytes()))
}

/// Returns a token with these texts as its first two parts.
pub(crate) fn token_of_parts(number: u8, header: &str, payload: &str) -> String {
    let input = format!("{header}.{payload}");
    let signature: Signature = key(number).sign(input.as_bytes());
    format!("{input}.{}", encode_padded(&signature.to_bytes()))
}

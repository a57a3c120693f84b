//! Secure Remote Password (SRP-6a, RFC 5054) in Cognito's variant: the 3,072-bit group, SHA-256, and numbers encoded like signed
//! integers, with a zero byte before a high bit. No crate supports this encoding.
//!
//! Source: "Signing in with SRP", Amazon Cognito developer guide, and RFC 5054 sections 2 and 3.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use crypto_bigint::{
    Odd, U3072,
    modular::{FixedMontyForm, FixedMontyParams},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// The prime of the 3,072-bit group (RFC 5054 appendix A, from RFC 3526 section 4).
const PRIME: Odd<U3072> = Odd::<U3072>::from_be_hex(concat!(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD",
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED",
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F",
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B",
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510",
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7",
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C",
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
));
const GENERATOR: U3072 = U3072::from_u8(2);
/// The length of the client's secret number, in bytes.
const SECRET_BYTES: usize = 128;
const BYTES: usize = 384;
/// The label under which Cognito derives the key (`Caldera Derived Key` and the counter of RFC 5869).
const LABEL: &[u8] = b"Caldera Derived Key\x01";

/// A number modulo the prime, in Montgomery form.
type Residue = FixedMontyForm<{ U3072::LIMBS }>;

/// The client's ephemeral key pair of one sign-in.
pub(crate) struct Srp {
    secret: Zeroizing<[u8; SECRET_BYTES]>,
    public: U3072,
}

/// The parameters of the challenge `PASSWORD_VERIFIER`.
pub(crate) struct SrpChallenge<'a> {
    /// The user pool ID after the underscore.
    pub(crate) pool_name: &'a str,
    /// `USER_ID_FOR_SRP`.
    pub(crate) user_id: &'a str,
    /// `SRP_B`, hexadecimal.
    pub(crate) server_public: &'a str,
    /// `SALT`, hexadecimal.
    pub(crate) salt: &'a str,
    /// `SECRET_BLOCK`, decoded.
    pub(crate) secret_block: &'a [u8],
    /// `TIMESTAMP`.
    pub(crate) timestamp: &'a str,
}

impl Srp {
    /// Uses `secret` as the client's secret number. It must be random and used only once.
    pub(crate) fn new(secret: Zeroizing<[u8; SECRET_BYTES]>) -> Self {
        let public = power(residue(&GENERATOR), &number(&*secret)).retrieve();
        Self { secret, public }
    }

    /// Generates the secret number. `None` if the system returns no random bytes.
    pub(crate) fn random() -> Option<Self> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        aws_lc_rs::rand::fill(&mut *secret).ok()?;
        Some(Self::new(secret))
    }

    /// `SRP_A`, hexadecimal.
    pub(crate) fn public(&self) -> String {
        hex(&minimal(&self.public))
    }

    /// Computes the proof: an HMAC-SHA256 with a key that can be computed only with the password. `None` if the server's public number
    /// is malformed or is a multiple of the prime, which would make the key independent of the password (RFC 5054 section 2.5.4).
    pub(crate) fn prove(&self, password: &SecretString, challenge: &SrpChallenge<'_>) -> Option<[u8; 32]> {
        let server = from_hex(challenge.server_public).filter(|bytes| bytes.len() <= BYTES + 1)?;
        let server = reduce(&server)?;
        let (a, b) = (signed(&self.public), signed(&server));
        let scramble = sha256(&[&a, &b]);
        if scramble.iter().all(|byte| *byte == 0) {
            return None;
        }
        let identity = Zeroizing::new(sha256(&[
            challenge.pool_name.as_bytes(),
            challenge.user_id.as_bytes(),
            b":",
            password.expose_secret().as_bytes(),
        ]));
        let salt = with_sign(trimmed(&from_hex(challenge.salt)?));
        let private = Zeroizing::new(number(&sha256(&[&salt, &*identity])));
        let multiplier = number(&sha256(&[&signed(&PRIME), &[2]]));
        // S = (B − k·gˣ) ^ (a + u·x)
        let verifier = power(residue(&GENERATOR), &private);
        let base = residue(&server) - residue(&multiplier) * verifier;
        let exponent = Zeroizing::new(number(&*self.secret).wrapping_add(&number(&scramble).wrapping_mul(&*private)));
        let shared = Zeroizing::new(power(base, &exponent).retrieve());
        let key = derive(&Zeroizing::new(signed(&shared)), &with_sign(trimmed(&scramble)));
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &*key));
        for part in [challenge.pool_name, challenge.user_id] {
            context.update(part.as_bytes());
        }
        context.update(challenge.secret_block);
        context.update(challenge.timestamp.as_bytes());
        context.sign().as_ref().try_into().ok()
    }
}

/// The time in Cognito's format: `Tue Nov 3 09:05:00 UTC 2026`.
pub(crate) fn timestamp(seconds: u64) -> Option<String> {
    use aws_sdk_cognitoidentityprovider::primitives::{DateTime, DateTimeFormat};
    let date = DateTime::from_secs(i64::try_from(seconds).ok()?).fmt(DateTimeFormat::HttpDate).ok()?;
    // "Tue, 03 Nov 2026 09:05:00 GMT"
    let [weekday, day, month, year, time, _] = date.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let (weekday, day) = (weekday.trim_end_matches(','), day.trim_start_matches('0'));
    Some(format!("{weekday} {month} {day} {time} UTC {year}"))
}

/// HKDF-SHA256 (RFC 5869) with an output of 16 bytes, for which one round of the expansion suffices.
fn derive(shared: &[u8], salt: &[u8]) -> Zeroizing<[u8; 16]> {
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), shared);
    let expanded = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref()), LABEL);
    let mut key = Zeroizing::new([0; 16]);
    key.iter_mut().zip(expanded.as_ref()).for_each(|(to, from)| *to = *from);
    key
}

fn residue(number: &U3072) -> Residue {
    Residue::new(number, &params())
}

fn params() -> FixedMontyParams<{ U3072::LIMBS }> {
    FixedMontyParams::new(PRIME)
}

/// `base ^ exponent`, in constant time.
fn power(base: Residue, exponent: &U3072) -> Residue {
    base.pow(exponent)
}

/// A big-endian number of at most 384 bytes.
fn number(bytes: &[u8]) -> U3072 {
    let mut padded = Zeroizing::new([0; BYTES]);
    padded[BYTES - bytes.len()..].copy_from_slice(bytes);
    U3072::from_be_slice(&*padded)
}

/// The server's number modulo the prime. `None` if it is a multiple of the prime or is too long.
fn reduce(bytes: &[u8]) -> Option<U3072> {
    let bytes = trimmed(bytes);
    if bytes.len() > BYTES {
        return None;
    }
    let reduced = number(bytes).rem_vartime(PRIME.as_nz_ref());
    (reduced != U3072::ZERO).then_some(reduced)
}

/// The big-endian encoding without leading zeros.
fn minimal(number: &U3072) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    trimmed(bytes.as_ref()).to_vec()
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// The encoding of a signed integer: a zero byte before a high bit.
fn signed(number: &U3072) -> Vec<u8> {
    with_sign(&minimal(number))
}

fn with_sign(bytes: &[u8]) -> Vec<u8> {
    let mut signed = Vec::with_capacity(bytes.len() + 1);
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        signed.push(0);
    }
    signed.extend_from_slice(bytes);
    signed
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut all = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| all.extend_from_slice(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &all).as_ref());
    hash
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Decodes hexadecimal digits of any number. `None` if there is another character.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let padded = [&[0][..digits.len() % 2], &digits].concat();
    Some(padded.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's secret number in the test vectors: byte `i` is `(37 i + 11) mod 256`.
    fn srp() -> Srp {
        Srp::new(Zeroizing::new(std::array::from_fn(|index| (index * 37 + 11) as u8)))
    }

    fn prove(password: &str, salt: &str, server_public: &str) -> Option<String> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let challenge = SrpChallenge {
            pool_name: "EXAMPLE01",
            user_id: "anna",
            server_public,
            salt,
            secret_block: b"a secret block",
            timestamp: "Tue Nov 3 09:05:00 UTC 2026",
        };
        srp().prove(&password.into(), &challenge).map(|proof| STANDARD.encode(proof))
    }

    /// Generated with pycognito 2024.5.1, and confirmed with the server's side of the computation.
    const VECTORS: [(&str, &str, &str); 2] = [
        (
            "00c0ffee0123456789abcdef01234567",
            concat!(
                "c997c5b693c0a9406d1702ad32fc660480db37f4cb7ea093d85e0b01973d8fc46eda1572ab9e515dea32f768376eab32",
                "6c56c77f11b86c3e8479788953f06eba938b816d296864e953eece4cac1e7be6339380f70ea656757e73962c26f49dac",
                "fe846292da8a88f8eaa36d4d21dafb409609774a11de19df33a783107849ff001bf22993121cb5f582414fa69d605ee8",
                "6bee852bb5cc1ee32433414f4c0c1d5b41b9a8d5ff04b91897c503c07e705560a2375126f2c61d077679a09dde441e71",
                "fedf968d8645ed4ef35682356542eb0f99688577bb449ce0a98760681b999d29ddcb7b9d27f018cc1ae819cc9dee656a",
                "de9574d31b478b566bc6f90ba70d5354d922cfd55c13b4d12e06bae7abaf9fe6a5ef5560eeb318aef0d4c7e61f412f83",
                "49c20a41106b1e5a3a7a85edb8214ef6eab6d8dc14b239d419cc7ce4146dc03eb0dd8fb00c396937a4c89860af3080a1",
                "fa842ec74068a6d7f4b6cedb6b24cfde5ba52803dd11eef22d8c1e35d938680662f41a93372a79ec877a167c54e2e27d",
            ),
            "bKxrOkTeBg6nAso00sS0qHd4YVer9IXC1SfbMSTBsDg=",
        ),
        (
            "fec0ffee0123456789abcdef01234567",
            concat!(
                "762bc7686160460bd3119b14ff1b6157d7a6366a305ddec6b62b8d000bff0cf83daa252fe72805367a18748feb5a1068",
                "a6b8cc0e7f0b0b3bfa2a60a8514c0568aad4804ae030993708c4dd06efaadb634a821dfe380ed4377930b4cb205384c2",
                "5064a4360aad1cf69458b9a32d2a5e11948ce16310871b12627bee1d24773a6793e06f7b87163cba3075de9deea17385",
                "3b6799d5498743075426e60da2acb4060724ba0429b68cec07bfcd3f574cd220d14316c7cbb9ed10380a0ccd463614e0",
                "7cc473df3a602226a424dc9d04782394e2d9618571080b7114b9556b7bad919ec72537d1c4c99148029adf15c7e77965",
                "8fa5ef44d5a8a5b756dfae8ac2bce9cf02ce027987bc07af19661186276a9da26fdfcd9e3276c7bfe9b10bc9e6a6f931",
                "a0ca47540647c4830a94faa364bb5fc25128b77075956a910d2277959395423f7f02e61c7dd2fed425d71b0b9c50d553",
                "be947d107742eec3c85449ce431d7ec000b260d3f3c727b4659a0edf613af1809ad75357e07306cd9b7fd73d9fcab848",
            ),
            "YQTMVhcK1Mjz7OLFXjEMaCyfA+CB9xRAlj9rvVvYv94=",
        ),
    ];

    #[test]
    fn the_proof_matches_the_test_vectors() {
        assert!(srp().public().starts_with("562d809279d9b37ac8273afc5019486ac88b1a5b385cfc0ccbd95bb332cb9cf1"));
        for (salt, server_public, proof) in VECTORS {
            assert_eq!(prove("Correct-Horse-7", salt, server_public).as_deref(), Some(proof));
            assert_ne!(prove("Correct-Horse-8", salt, server_public).as_deref(), Some(proof));
        }
    }

    #[test]
    fn a_server_number_that_is_a_multiple_of_the_prime_or_malformed_is_rejected() {
        let salt = VECTORS[0].0;
        let prime = hex(&minimal(&PRIME));
        for server_public in ["", "0", "00", "no number", prime.as_str(), &"f".repeat(770)] {
            assert_eq!(prove("Correct-Horse-7", salt, server_public), None, "{server_public}");
        }
        assert_eq!(prove("Correct-Horse-7", "no number", VECTORS[0].1), None);
    }

    #[test]
    fn the_timestamp_has_the_format_of_cognito() {
        assert_eq!(timestamp(1_793_696_700).as_deref(), Some("Tue Nov 3 09:05:00 UTC 2026"));
        assert_eq!(timestamp(1_795_516_496).as_deref(), Some("Tue Nov 24 10:34:56 UTC 2026"));
    }
}

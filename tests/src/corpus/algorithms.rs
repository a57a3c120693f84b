//! The ten algorithms, and every confusion between them (RFC 8725 sections 2.1, 3.1 and 3.2).

use super::Case;
use crate::{
    handmade_rsa::{EXPONENT_3, EXPONENT_64_BITS},
    keys::{ED25519, P256, P384, P521, RSA_2048, RSA_3072, TestKey, key_for},
    minting::{Draft, KEY_ID},
};
use poolgate_core::Algorithm;

pub(super) fn cases() -> Vec<Case> {
    use Algorithm::{EdDsa, Es256, Es384, Es512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    let accepted = |name, algorithm: Algorithm| {
        let key = key_for(algorithm);
        let case = Case::allowed(name, Draft::access(key).signed_with(key, algorithm));
        case.with_pool(|pool| pool.algorithms = vec![algorithm]).with_keys(&[key.jwk_for(algorithm, KEY_ID)])
    };
    // A token that is signed with one algorithm and declares another, with every algorithm allowed.
    let confused = |name, reason, key: &'static TestKey, real, said: Algorithm| {
        let token = Draft::access(key).signed_with(key, real).header("alg", format!("\"{}\"", said.name()));
        Case::denied(name, reason, token).with_pool(all).with_keys(&[key.jwk(KEY_ID)])
    };
    let for_another = |name, key: &'static TestKey, used, published| {
        Case::denied(name, "algorithm-mismatch", Draft::access(key).signed_with(key, used))
            .with_pool(all)
            .with_keys(&[key.jwk_for(published, KEY_ID)])
    };
    vec![
        accepted("rs256_is_accepted", Rs256),
        accepted("rs384_is_accepted", Rs384),
        accepted("rs512_is_accepted", Rs512),
        accepted("ps256_is_accepted", Ps256),
        accepted("ps384_is_accepted", Ps384),
        accepted("ps512_is_accepted", Ps512),
        accepted("es256_is_accepted", Es256),
        accepted("es384_is_accepted", Es384),
        accepted("es512_is_accepted", Es512),
        accepted("eddsa_is_accepted", EdDsa),
        Case::allowed("a_key_of_3072_bits_is_accepted", Draft::access(&RSA_3072)).with_keys(&[RSA_3072.jwk(KEY_ID)]),
        Case::allowed("an_exponent_of_3_is_accepted", Draft::access(&EXPONENT_3)).with_keys(&[EXPONENT_3.jwk(KEY_ID)]),
        Case::allowed("an_exponent_of_64_bits_is_accepted", Draft::access(&EXPONENT_64_BITS))
            .with_keys(&[EXPONENT_64_BITS.jwk(KEY_ID)]),
        Case::denied(
            "an_algorithm_that_the_pool_does_not_list_is_rejected",
            "algorithm-not-allowed",
            Draft::access(&RSA_2048).signed_with(&RSA_2048, Rs512),
        )
        .with_keys(&[RSA_2048.jwk(KEY_ID)]),
        Case::denied("rs256_is_rejected_if_only_es256_is_allowed", "algorithm-not-allowed", Draft::access(&RSA_2048))
            .with_pool(|pool| pool.algorithms = vec![Es256]),
        confused("rs256_with_the_kid_of_an_es256_key_is_rejected", "algorithm-mismatch", &P256, Es256, Rs256),
        confused("es256_with_the_kid_of_an_rsa_key_is_rejected", "algorithm-mismatch", &RSA_2048, Rs256, Es256),
        confused("eddsa_with_the_kid_of_an_es256_key_is_rejected", "algorithm-mismatch", &P256, Es256, EdDsa),
        confused("es256_with_the_kid_of_an_ed25519_key_is_rejected", "algorithm-mismatch", &ED25519, EdDsa, Es256),
        confused("es384_with_the_kid_of_an_es256_key_is_rejected", "algorithm-mismatch", &P256, Es256, Es384),
        confused("es256_with_the_kid_of_an_es512_key_is_rejected", "algorithm-mismatch", &P521, Es512, Es256),
        confused("es512_with_the_kid_of_an_es384_key_is_rejected", "algorithm-mismatch", &P384, Es384, Es512),
        confused("ps256_signed_as_rs256_is_rejected", "signature-invalid", &RSA_2048, Rs256, Ps256),
        confused("rs256_signed_as_ps256_is_rejected", "signature-invalid", &RSA_2048, Ps256, Rs256),
        confused("rs512_signed_as_rs256_is_rejected", "signature-invalid", &RSA_2048, Rs256, Rs512),
        for_another("rs512_with_a_key_for_rs256_is_rejected", &RSA_2048, Rs512, Rs256),
        for_another("ps256_with_a_key_for_rs256_is_rejected", &RSA_2048, Ps256, Rs256),
        for_another("rs256_with_a_key_for_ps256_is_rejected", &RSA_2048, Rs256, Ps256),
    ]
}

fn all(pool: &mut poolgate_core::Pool) {
    pool.algorithms = Algorithm::ALL.to_vec();
}

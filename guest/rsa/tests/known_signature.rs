//! The RS256 example of RFC 7515 appendix A.2, with every kernel.

use poolgate_rsa::PublicKey;
use poolgate_rsa::low::{Kernel, fused::FusedDoubles, narrow::Narrow, simd::Simd, wide::Wide};

const MODULUS: &str = concat!(
    "a1f8160ae2e3c9b465ce8d2d656263362b927dbe29e1f02477fc1625cc90a136e38bd93497c5b6ea63dd7711e67c7429",
    "f956b0fb8a8f089adc4b69893cc1333f53edd019b87784252fec914fe4857769594bea4280d32c0f55bf62944f130396",
    "bc6e9bdf6ebdd2bda3678eeca0c668f701b38dbffb38c8342ce2fe6d27fade4a5a4874979dd4b9cf9adec4c75b05852c",
    "2c0f5ef8a5c1750392f944e8ed64c110c6b647609aa4783aeb9c6c9ad755313050638b83665c6f6f7a82a396702a1f64",
    "1b82d3ebf2392219491fb686872c5716f50af8358d9a8b9d17c340728f7f87d89a18d8fcab67ad84590c2ecf75933936",
    "3c07034d6f606f9e21e05456cae5e9a1",
);

const SIGNATURE: &str = concat!(
    "702e218943e88fd11eb5d82dbf7845f34106ae1b81fff7731116add1717d83656d420afd3c96eedd73a2663e5166687b",
    "000b87226e0187ed1073f945e582adfcef16d85a798ee8c66ddb3db8975b17d09402beedd5d9d97007108db28160d5f8",
    "040ca7445762b81fbe7ff9d92e0ae76f24f25b33bbe6f44ae61eb1040acb20044d3ef9128ed40130795bd4bd3b41eeca",
    "d066ab651981fde48df77f372dc38b9fafdd3befb18b5da3cc3c2eb02f9e3a41d612caad15911273a05f23b9e838faaf",
    "849d698429ef5a1e88798236c3d40e604522a544c8f27a7a2db80663d16cf7caea56de405cb2215a45b2c25566b55ac1",
    "a748a070dfc8a32a469543d019eefb47",
);

/// The end of EMSA-PKCS1-v1_5: the DigestInfo of SHA-256 (RFC 8017 section 9.2, note 1), and the SHA-256 of the example's
/// signing input.
const DIGEST_INFO: &str = concat!(
    "3031300d060960864801650304020105000420",
    "c88a34847b4ffb12a9326e540f144b3dcc4d5515f18701e7d6e0ee7866c9c705",
);

fn message<K: Kernel>() -> Option<Vec<u8>> {
    let key = PublicKey::<K>::with_kernel(&bytes(MODULUS))?;
    let mut message = vec![0; 256];
    key.public_operation(&bytes(SIGNATURE), &mut message)?;
    Some(message)
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

#[test]
fn the_example_of_rfc_7515_gives_its_encoded_message() {
    let mut expected = vec![0xff; 256];
    expected[..2].copy_from_slice(&[0, 1]);
    expected[204..].copy_from_slice(&[&[0], &bytes(DIGEST_INFO)[..]].concat());
    assert_eq!(message::<Wide>().as_deref(), Some(&expected[..]), "wide");
    assert_eq!(message::<Narrow>().as_deref(), Some(&expected[..]), "narrow");
    assert_eq!(message::<Simd>().as_deref(), Some(&expected[..]), "simd");
    assert_eq!(message::<FusedDoubles>().as_deref(), Some(&expected[..]), "fused");
}

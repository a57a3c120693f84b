//! The signature algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` and the HMACs are not among them.

/// A JSON Web Signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, the algorithm that Cognito uses.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, and a salt of 32 bytes.
    Ps256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, and a salt of 48 bytes.
    Ps384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, and a salt of 64 bytes.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// EdDSA with Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All algorithms, also those that are not built in.
    pub const ALL: [Algorithm; 10] = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::EdDsa,
    ];

    /// Returns the value of `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// Returns the algorithm with this name. Names are case-sensitive. `Ed25519` is the name of EdDSA with that curve in RFC 9864.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns whether this build supports the algorithm.
    pub fn is_built(self) -> bool {
        let is_ecdsa = matches!(self, Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512);
        let is_eddsa = self == Algorithm::EdDsa;
        let is_pss = matches!(self, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512);
        (cfg!(feature = "ecdsa") || !is_ecdsa)
            && (cfg!(feature = "eddsa") || !is_eddsa)
            && (cfg!(feature = "rsa-general") || !is_pss)
    }
}

/// A set of algorithms, used as an allowlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithms(u16);

impl Algorithms {
    /// Returns the set of all algorithms that this build supports.
    pub fn built() -> Self {
        Algorithm::ALL.into_iter().filter(|algorithm| algorithm.is_built()).collect()
    }

    /// Returns whether the set contains an algorithm.
    pub fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & Self::bit(algorithm) != 0
    }

    fn bit(algorithm: Algorithm) -> u16 {
        1u16.wrapping_shl(algorithm as u32)
    }
}

impl FromIterator<Algorithm> for Algorithms {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        Self(algorithms.into_iter().fold(0, |bits, algorithm| bits | Self::bit(algorithm)))
    }
}

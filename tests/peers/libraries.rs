//! The libraries: their versions, how they are configured, and for which parts of a policy they have no option.

use super::shapes::About;
use serde_json::Value;

/// What the programs in other languages are installed from. Benchmarks compare the same versions.
pub const NODE_PACKAGE: &str = include_str!("../../benches/peers/node/package.json");
pub const NODE_LOCK: &str = include_str!("../../benches/peers/node/package-lock.json");
pub const PYTHON_REQUIREMENTS: &str = include_str!("../../benches/peers/python/requirements.txt");

/// A library.
#[derive(Clone)]
pub struct Library {
    pub name: &'static str,
    /// `None` for poolgate.
    pub version: Option<String>,
    /// For people.
    pub configuration: &'static str,
    /// Without an option for these parts of a policy.
    pub lacks: &'static [About],
}

impl Library {
    /// Returns the name and the version.
    pub fn title(&self) -> String {
        self.version.as_ref().map_or(self.name.to_owned(), |version| format!("{} {version}", self.name))
    }
}

/// Returns poolgate and the other libraries, in the order of the columns.
pub fn libraries() -> Vec<Library> {
    use About::{Claims, ClientClaim, IssuerTemplate, LoadBalancers, Scopes, Types, UnboundClients};
    vec![
        Library {
            name: "poolgate",
            version: None,
            configuration: "the pool of the case in the corpus, with the defaults. Verified by the core, natively.",
            lacks: &[],
        },
        Library {
            name: "jose",
            version: Some(npm_version("jose")),
            configuration: "`jwtVerify` with `createLocalJWKSet`, `issuer`, `audience`, `algorithms`, `requiredClaims`, and `typ` if one type is required. \
                            No option for scopes, or for the client in another claim than `aud`. Without the loop \
                            over several matching keys that its documentation also shows. `clockTolerance` has its default, 0.",
            lacks: &[Scopes, Claims, ClientClaim, UnboundClients, IssuerTemplate, LoadBalancers],
        },
        Library {
            name: "aws-jwt-verify",
            version: Some(npm_version("aws-jwt-verify")),
            configuration: "`CognitoJwtVerifier` with `userPoolId`, `tokenUse` and `clientId` for user pools, `AlbJwtVerifier` with `issuer`, `albArn` and \
                            `clientId` for load balancers. For other issuers, `JwtVerifier` with \
                            `issuer`, `audience` and `scope`, once for each issuer. Keys come through its cache. No option for algorithms or `typ`; a \
                            `customJwtCheck` is the caller's code. `graceSeconds` has its default, 0.",
            lacks: &[Types, Claims, ClientClaim, UnboundClients, IssuerTemplate],
        },
        Library {
            name: "PyJWT",
            version: Some(python_version()),
            configuration: "`PyJWKClient.get_signing_key_from_jwt` and `jwt.decode` with `issuer`, `audience`, `algorithms`, `require` and \
                            `enforce_minimum_key_length`. No option for `typ` \
                            or scopes, or for the client in another claim than `aud`. `leeway` has its default, 0.",
            lacks: &[Scopes, Types, Claims, ClientClaim, UnboundClients, IssuerTemplate, LoadBalancers],
        },
        Library {
            name: "jsonwebtoken",
            version: Some(rust_version()),
            configuration: "`JwkSet::find`, `DecodingKey::from_jwk` and `decode` with a `Validation` that has the issuers, audiences, required claims, and those \
                            algorithms of the policy that are of the key's family; `validate_nbf` is on. With aws-lc. No option for `typ` or scopes, or for \
                            the client in another claim than `aud`. `leeway` has its default, 60 seconds.",
            lacks: &[Scopes, Types, Claims, ClientClaim, UnboundClients, IssuerTemplate, LoadBalancers],
        },
    ]
}

fn npm_version(name: &str) -> String {
    let package: Value = serde_json::from_str(NODE_PACKAGE).expect("JSON");
    package["dependencies"][name].as_str().expect("a version").to_owned()
}

fn python_version() -> String {
    let version = PYTHON_REQUIREMENTS.lines().find_map(|line| line.strip_prefix("PyJWT=="));
    version.expect("a version").to_owned()
}

fn rust_version() -> String {
    let lock = include_str!("../../Cargo.lock");
    let rest = lock.split("name = \"jsonwebtoken\"\nversion = \"").nth(1).expect("the crate is locked");
    rest.split('"').next().expect("a version").to_owned()
}

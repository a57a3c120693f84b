//! poolgate, in each of its builds. Tokens are not cached: every token is verified completely.

use crate::side::{Expected, Side};
use poolgate::{Pool, TokenUseRule, Verifier};
use poolgate_artifacts::{TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};
use poolgate_core::Algorithm;
use std::{
    hint::black_box,
    num::NonZeroUsize,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::runtime::{Builder, Runtime};

/// The build with wide arithmetic, which is the default one.
pub fn wide(expected: &Expected<'_>) -> Result<Side, String> {
    side("poolgate-wide", "poolgate, in the sandbox, wide", TOKEN_VERIFIER_WIDE, expected)
}

/// The build with relaxed SIMD.
pub fn simd(expected: &Expected<'_>) -> Result<Side, String> {
    side("poolgate-simd", "poolgate, in the sandbox, SIMD", TOKEN_VERIFIER_SIMD, expected)
}

/// The portable build, for any runtime.
pub fn portable(expected: &Expected<'_>) -> Result<Side, String> {
    side("poolgate-portable", "poolgate, in the sandbox, portable", TOKEN_VERIFIER_PORTABLE, expected)
}

fn side(
    id: &'static str,
    name: &'static str,
    component: &'static [u8],
    expected: &Expected<'_>,
) -> Result<Side, String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let verifier = verifier(&runtime, component, expected)?;
    let accepts = move |tokens: &[String]| {
        runtime.block_on(async {
            for token in tokens {
                if black_box(verifier.verify(token).await).is_err() {
                    return false;
                }
            }
            true
        })
    };
    let version = env!("CARGO_PKG_VERSION");
    Ok(Side { id, name, version, runtime: "wasmtime 48", accepts: Box::new(accepts) })
}

fn verifier(runtime: &Runtime, component: &'static [u8], expected: &Expected<'_>) -> Result<Verifier, String> {
    let algorithm = match expected.algorithm {
        Algorithm::Es256 => poolgate::Algorithm::Es256,
        Algorithm::EdDsa => poolgate::Algorithm::Eddsa,
        _ => poolgate::Algorithm::Rs256,
    };
    let pool = Pool::user_pool(expected.user_pool_id).client_ids([expected.client_id]);
    let pool = pool.token_use(TokenUseRule::Access).algorithms([algorithm]).local_keys_only();
    let builder = Verifier::builder().pool(pool).component(component).token_cache(0, 0).instances(NonZeroUsize::MIN);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    runtime.block_on(async {
        let verifier = builder.build().await.map_err(|error| error.to_string())?;
        let seeded = verifier.load_key_set(expected.issuer, expected.jwks.to_string(), now).await;
        seeded.map_err(|error| error.to_string())?;
        Ok(verifier)
    })
}

//! The Rust verifiers for the tokens, and how the tokens are sent to servers in front of them.

#[path = "../case_verifier.rs"]
mod case_verifier;

use super::tokens::tokens;
use poolgate::Verifier;
use poolgate_tests::{corpus::Case, seen::Seen};
use std::{collections::BTreeMap, num::NonZeroUsize};
use tokio::sync::OnceCell;

/// HTTP servers reject longer headers themselves (431). This is below the limits of hyper and Go, and above that of nginx, which its example
/// raises.
const MAX_HEADER: usize = 30 * 1024;

/// A verifier, and the indices of the tokens that share its configuration, keys and time.
pub struct ConfiguredVerifier {
    pub verifier: Verifier,
    cases: Vec<usize>,
}

/// Returns one verifier for each configuration. They are created once.
pub async fn verifiers() -> &'static [ConfiguredVerifier] {
    static VERIFIERS: OnceCell<Vec<ConfiguredVerifier>> = OnceCell::const_new();
    let make = async || {
        let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, case) in tokens().iter().enumerate() {
            let seeds: Vec<_> = case.seeds.iter().map(|seed| (&seed.issuer, &seed.jwks, seed.fetched_at)).collect();
            alike.entry(format!("{:?} {seeds:?} {}", case.config, case.now)).or_default().push(index);
        }
        let mut verifiers = Vec::new();
        for cases_alike in alike.into_values() {
            let case = tokens()[cases_alike[0]];
            let builder = Verifier::builder().instances(NonZeroUsize::MIN).disable_background_refresh();
            let verifier = case_verifier::verifier(case, builder).await;
            verifiers.push(ConfiguredVerifier { verifier, cases: cases_alike });
        }
        verifiers
    };
    VERIFIERS.get_or_init(make).await
}

/// Sends each token to the verifier of this number, and returns the verdicts in the order of [`tokens`].
pub async fn send_all<F: Future<Output = Seen>>(ask: impl Fn(usize, &'static Case) -> F) -> Vec<Seen> {
    let mut seen = vec![Seen::Unsendable; tokens().len()];
    for (number, configured) in verifiers().await.iter().enumerate() {
        for index in &configured.cases {
            let case = tokens()[*index];
            if case.fits_a_header() && case.token.len() <= MAX_HEADER {
                seen[*index] = ask(number, case).await;
            }
        }
    }
    seen
}

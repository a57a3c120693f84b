//! The host's own verifiers for the corpus, and how it is put to servers that stand before them.

#[path = "../case_verifier.rs"]
mod case_verifier;

use poolgate::Verifier;
use poolgate_tests::{
    corpus::{Case, cases},
    seen::Seen,
};
use std::{collections::BTreeMap, num::NonZeroUsize};
use tokio::sync::OnceCell;

/// A longer header is refused by HTTP servers themselves (431), before anyone asks poolgate: of hyper's, Go's and nginx's own limits
/// this is below all but nginx's, which its example raises.
const LONGEST_HEADER: usize = 30 * 1024;

/// A verifier, and the places in the corpus of the cases that share its configuration, keys and time.
pub struct Judge {
    pub verifier: Verifier,
    cases: Vec<usize>,
}

/// One for each configuration, made once.
pub async fn judges() -> &'static [Judge] {
    static JUDGES: OnceCell<Vec<Judge>> = OnceCell::const_new();
    let make = async || {
        let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, case) in cases().iter().enumerate() {
            let seeds: Vec<_> = case.seeds.iter().map(|seed| (&seed.issuer, &seed.jwks, seed.fetched_at)).collect();
            alike.entry(format!("{:?} {seeds:?} {}", case.config, case.now)).or_default().push(place);
        }
        let mut judges = Vec::new();
        for cases_alike in alike.into_values() {
            let case = &cases()[cases_alike[0]];
            let builder = Verifier::builder().instances(NonZeroUsize::MIN).disable_background_refresh();
            let verifier = case_verifier::verifier(case, builder).await;
            judges.push(Judge { verifier, cases: cases_alike });
        }
        judges
    };
    JUDGES.get_or_init(make).await
}

/// Puts each case to the judge of this number, and gives what was seen in the order of the corpus.
pub async fn put<F: Future<Output = Seen>>(ask: impl Fn(usize, &'static Case) -> F) -> Vec<Seen> {
    let mut seen = vec![Seen::Unsendable; cases().len()];
    for (number, judge) in judges().await.iter().enumerate() {
        for place in &judge.cases {
            let case = &cases()[*place];
            if case.fits_a_header() && case.token.len() <= LONGEST_HEADER {
                seen[*place] = ask(number, case).await;
            }
        }
    }
    seen
}

//! The middleware returns the same verdict as the core for every token of the corpus.

use crate::corpus;
use poolgate_tests::{
    corpus::cases,
    seen::{Seen, differences},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_token_of_the_corpus_gets_the_verdict_of_the_core() {
    let tokens = cases().iter().collect::<Vec<_>>().leak();
    let seen = corpus::verdicts(tokens).await;
    let wrong = differences("middleware", tokens, &seen);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let unsent = seen.iter().filter(|seen| **seen == Seen::Unsendable).count();
    println!("{} tokens have the same verdict; {unsent} can't be sent in a header", seen.len() - unsent);
    assert!(unsent * 20 < seen.len(), "too many were left out: {unsent}");
}

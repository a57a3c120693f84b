//! A mix of EdDSA tokens, of which a few are frequent and many are rare, with token caches of several sizes.

use crate::series::{BenchProfile, Series};
use poolgate_benches::{eddsa, interleaved::Work, zipf::zipf};
use std::hint::black_box;
use tokio::runtime::Builder;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

pub fn by_cache(profile: &BenchProfile) -> Series {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tokens = eddsa::tokens(profile.mix);
    // As many tokens as fill the caches, and then those that are measured.
    let order = zipf(profile.mix, profile.mix + (profile.rounds + 1) * profile.slice);
    let (first, rest) = order.split_at(profile.mix);
    let works = [0, 128 * KIB, 512 * KIB, 2 * MIB, 8 * MIB, 32 * MIB, 64 * MIB].map(|bytes| -> (usize, Work<'_>) {
        let verifier = eddsa::verifier(&runtime, bytes as u32, (bytes / 512) as u32);
        let (runtime, tokens) = (&runtime, &tokens);
        let run = move |numbers: &[usize]| {
            runtime.block_on(async {
                for number in numbers {
                    assert!(black_box(verifier.verify(&tokens[*number]).await).is_ok(), "a valid token was rejected");
                }
            });
            numbers.len()
        };
        if bytes > 0 {
            run(first);
        }
        (bytes, Box::new(move |round| run(&rest[round * profile.slice..][..profile.slice])))
    });
    Series::measure("cache", "bytes of token cache", profile, works.into())
}

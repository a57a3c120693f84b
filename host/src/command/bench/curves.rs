//! Elliptic and Edwards curves: a full verification, compared with the signature check of a native library.

use super::{
    measuring::interleaved,
    row::Measured,
    workload::{Workload, failed, parts},
};
use crate::command::output::CommandError;
use p256::ecdsa::signature::Verifier as _;
use poolgate_artifacts::TOKEN_VERIFIER_WIDE;
use std::{hint::black_box, time::Instant};

impl Workload {
    pub async fn es256(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let tokens = self.stage.ec_tokens(self.profile.tokens);
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(self.stage.ec_public()).map_err(failed)?;
        let signed: Vec<_> = tokens.iter().filter_map(|token| parts(token)).collect();
        let signed: Vec<_> = signed
            .into_iter()
            .filter_map(|(input, signature)| Some((input, p256::ecdsa::Signature::from_slice(&signature).ok()?)))
            .collect();
        let native = |round: usize| {
            let started = Instant::now();
            for (input, signature) in
                signed.iter().cycle().skip(round * self.profile.slice % signed.len()).take(self.profile.slice)
            {
                assert!(
                    black_box(key.verify(input, signature)).is_ok(),
                    "the other library rejected a valid signature"
                );
            }
            started.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
        };
        let rounds = self.profile.rounds.div_ceil(4);
        let (ours, peer) = interleaved(
            rounds,
            async |round| self.verify(&verifier, &tokens, round).await,
            async |round| native(round),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    pub async fn ed25519(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let tokens = self.stage.ed_tokens(self.profile.tokens);
        let public = self.stage.ed_public().try_into().map_err(failed)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(failed)?;
        let signed: Vec<_> = tokens.iter().filter_map(|token| parts(token)).collect();
        let signed: Vec<_> = signed
            .into_iter()
            .filter_map(|(input, signature)| Some((input, ed25519_dalek::Signature::from_slice(&signature).ok()?)))
            .collect();
        let native = |round: usize| {
            let started = Instant::now();
            for (input, signature) in
                signed.iter().cycle().skip(round * self.profile.slice % signed.len()).take(self.profile.slice)
            {
                assert!(
                    black_box(key.verify_strict(input, signature)).is_ok(),
                    "the other library rejected a valid signature"
                );
            }
            started.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
        };
        let (ours, peer) = interleaved(
            self.profile.rounds.div_ceil(2),
            async |round| self.verify(&verifier, &tokens, round).await,
            async |round| native(round),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }
}

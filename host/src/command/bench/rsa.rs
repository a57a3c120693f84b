//! RSA: the kernel, a full verification in each build, and a cache hit.

use super::{
    measuring::{interleaved, median},
    node,
    row::Measured,
    workload::Workload,
};
use crate::command::output::CommandError;
use poolgate_artifacts::{PROBE_PLAIN, PROBE_WIDE, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};

impl Workload {
    pub async fn kernel_wide(&self) -> Result<Measured, CommandError> {
        let mut probe = self.probe(PROBE_WIDE, "fastest")?;
        let (key, signed) = self.aws_lc()?;
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |_| self.run_probe(&mut probe),
            async |round| self.raw(round, &key, &signed),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    pub async fn verify_wide(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let (key, validation) = self.jsonwebtoken()?;
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |round| self.verify(&verifier, &self.tokens, round).await,
            async |round| self.decode(round, &key, &validation),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    /// aws-jwt-verify runs in another process. Its rounds are not interleaved with poolgate's, but follow them.
    pub async fn verify_node(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let mut ours = Vec::new();
        for round in 0..=self.profile.rounds {
            ours.push(self.verify(&verifier, &self.tokens, round).await);
        }
        let peer = node::measure(&self.stage, &self.tokens, self.profile.rounds, self.profile.slice);
        Ok(match peer {
            Ok((us, version)) => {
                // The cell is empty: this row is measured once.
                let _ = self.node.set(version);
                Measured::Beside { ours: median(ours), peer: median(us) }
            }
            Err(why) => Measured::Skipped(why),
        })
    }

    pub async fn verify_simd(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_SIMD, 1)).await?;
        let (key, signed) = self.aws_lc()?;
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |round| self.verify(&verifier, &self.tokens, round).await,
            async |round| self.raw(round, &key, &signed),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    pub async fn verify_portable(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_PORTABLE, 1)).await?;
        let mut probe = self.probe(PROBE_PLAIN, "peer")?;
        // The other library takes half a millisecond per signature.
        let rounds = self.profile.rounds.div_ceil(4);
        let (ours, peer) = interleaved(
            rounds,
            async |round| self.verify(&verifier, &self.tokens, round).await,
            async |_| self.run_probe(&mut probe),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    pub async fn cache_hit(&self) -> Result<Measured, CommandError> {
        let builder = self.stage.builder(TOKEN_VERIFIER_WIDE, 1).token_cache(512 * 1024, 1_024);
        let verifier = self.stage.ready(builder).await?;
        let (key, validation) = self.jsonwebtoken()?;
        let one = self.tokens.get(..1).unwrap_or_default();
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |round| self.verify(&verifier, one, round).await,
            async |round| self.decode(round, &key, &validation),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }
}

//! Threads and memory.

use super::{
    measuring::median,
    row::Measured,
    workload::{Workload, failed},
};
use crate::command::output::CommandError;
use poolgate_artifacts::TOKEN_VERIFIER_WIDE;
use std::{hint::black_box, time::Instant};

impl Workload {
    pub async fn threads(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 2)).await?;
        let tokens: std::sync::Arc<[String]> = self.tokens.clone().into();
        let count = self.profile.slice * 4;
        let rate = async |threads: usize| {
            let started = Instant::now();
            let tasks: Vec<_> = (0..threads)
                .map(|thread| {
                    let (verifier, tokens) = (verifier.clone(), tokens.clone());
                    tokio::spawn(async move {
                        for token in tokens.iter().cycle().skip(thread * count % tokens.len()).take(count) {
                            assert!(black_box(verifier.verify(token).await).is_ok(), "a valid token was rejected");
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.map_err(failed)?;
            }
            Ok::<_, CommandError>((threads * count) as f64 / started.elapsed().as_secs_f64())
        };
        let (mut two, mut one) = (Vec::new(), Vec::new());
        for _ in 0..self.profile.rounds.div_ceil(2) {
            two.push(rate(2).await?);
            one.push(rate(1).await?);
        }
        Ok(Measured::Beside { ours: median(two), peer: median(one) })
    }

    /// The memory of an instance with the default token cache. Fails if it grows between the two measurements.
    pub async fn memory(&self) -> Result<Measured, CommandError> {
        let builder = self.stage.builder(TOKEN_VERIFIER_WIDE, 1).token_cache(512 * 1024, 1_024);
        let verifier = self.stage.ready(builder).await?;
        let mut samples = Vec::new();
        let mut done = 0;
        for until in self.profile.memory {
            for token in self.tokens.iter().cycle().skip(done % self.tokens.len()).take(until - done) {
                assert!(black_box(verifier.verify(token).await).is_ok(), "a valid token was rejected");
            }
            done = until;
            let metrics = verifier.metrics();
            let line = metrics.lines().find_map(|line| line.strip_prefix("poolgate_instance_memory_bytes "));
            samples.push(line.and_then(|bytes| bytes.parse::<f64>().ok()).unwrap_or(f64::INFINITY));
        }
        match samples[..] {
            [early, late] if late > early => Err(failed(format!(
                "the memory grew from {early} bytes after {} verifications to {late}",
                self.profile.memory[0]
            ))),
            _ => Ok(Measured::Alone(samples.last().copied().unwrap_or(f64::INFINITY) / f64::from(1 << 20))),
        }
    }
}

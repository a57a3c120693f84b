//! Start-up: an instance, and a process.

use super::{
    measuring::median,
    row::Measured,
    stage::{CLIENT, POOL},
    workload::{Workload, failed},
};
use crate::command::output::CommandError;
use poolgate::measure;
use poolgate_artifacts::TOKEN_VERIFIER_WIDE;
use std::{
    fs,
    io::{Read, Write},
    process::{Command, Stdio},
    time::Instant,
};

impl Workload {
    pub fn instantiate(&self) -> Result<Measured, CommandError> {
        let taken = measure::instantiations(TOKEN_VERIFIER_WIDE, self.cache.clone(), 20 * self.profile.rounds)?;
        Ok(Measured::Alone(median(taken.iter().map(|time| time.as_secs_f64() * 1e6).collect())))
    }

    /// `poolgate verify`, from the start of the process to the first byte of the verdict.
    pub fn cold_start(&self) -> Result<Measured, CommandError> {
        let Some(cache) = &self.cache else {
            return Ok(Measured::Skipped("there is no cache of compiled code; set POOLGATE_CACHE_DIR".into()));
        };
        if !measure::keeps_compiled_code(cache) {
            return Ok(Measured::Skipped("the cache of compiled code cannot be used".into()));
        }
        let folder = tempfile::tempdir()?;
        let keys = folder.path().join("jwks.json");
        fs::write(&keys, self.stage.jwks().to_string())?;
        let token = self.tokens.first().ok_or("no token").map_err(failed)?;
        let command = std::env::current_exe()?;
        let mut taken = Vec::new();
        for _ in 0..=self.profile.rounds {
            let mut verify = Command::new(&command);
            verify.args(["verify", "--pool-id", POOL, "--client-id", CLIENT, "--token-use", "access", "--jwks"]);
            verify.arg(&keys).arg("-").env("POOLGATE_CACHE_DIR", cache);
            verify.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let started = Instant::now();
            let mut child = verify.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(token.as_bytes())?;
            }
            if let Some(stdout) = &mut child.stdout {
                stdout.read_exact(&mut [0])?;
            }
            taken.push(started.elapsed().as_secs_f64() * 1e3);
            if !child.wait()?.success() {
                return Err(failed("`poolgate verify` rejected a valid token"));
            }
        }
        // The first one fills the cache.
        taken.swap_remove(0);
        Ok(Measured::Alone(median(taken)))
    }
}

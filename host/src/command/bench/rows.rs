//! The rows of the table: what each measures, and its target.

use super::{
    row::{Measured, Row, Target},
    workload::Workload,
};
use crate::command::output::CommandError;
use poolgate_artifacts::{TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_WIDE};

pub const IDS: &[&str] = &[
    "kernel-wide",
    "verify-wide",
    "verify-node",
    "verify-simd",
    "verify-portable",
    "cache-hit",
    "es256",
    "ed25519",
    "instantiate",
    "cold-start",
    "threads",
    "memory",
    "size",
    "size-cognito",
];

pub async fn measure(workload: &Workload, id: &'static str) -> Result<Row, CommandError> {
    let us = |what, measured, most| Row { id, what, measured, unit: "µs", target: Target::AtMost(most) };
    Ok(match id {
        "kernel-wide" => us("RSA-2048 signature in the sandbox, wide / aws-lc-rs", workload.kernel_wide().await?, 1.5),
        "verify-wide" => us("full verification, wide / jsonwebtoken", workload.verify_wide().await?, 1.0),
        "verify-node" => us("full verification, wide / aws-jwt-verify", workload.verify_node().await?, 0.8),
        "verify-simd" => us("full verification, SIMD / aws-lc-rs, signature only", workload.verify_simd().await?, 4.0),
        "verify-portable" => {
            us("full verification, portable / rsa 0.10 in the runtime", workload.verify_portable().await?, 0.5)
        }
        "cache-hit" => us("a repeated token (cache hit) / jsonwebtoken", workload.cache_hit().await?, 0.07),
        "es256" => us("full verification, ES256 / p256, signature only", workload.es256().await?, 2.0),
        "ed25519" => us("full verification, EdDSA / ed25519-dalek, signature only", workload.ed25519().await?, 2.0),
        "instantiate" => us("a new instance", workload.instantiate()?, 40.0),
        "cold-start" => Row {
            id,
            what: "a new process with cached code and a key file, to the verdict",
            measured: workload.cold_start()?,
            unit: "ms",
            target: Target::AtMost(10.0),
        },
        "threads" => Row {
            id,
            what: "verifications per second, two threads / one",
            measured: workload.threads().await?,
            unit: "1/s",
            target: Target::AtLeast(1.9),
        },
        "memory" => Row {
            id,
            what: "linear memory of an instance after all verifications",
            measured: workload.memory().await?,
            unit: "MiB",
            target: Target::AtMost(2.0),
        },
        "size" => Row {
            id,
            what: "size of the component, wide",
            measured: size(TOKEN_VERIFIER_WIDE),
            unit: "KiB",
            target: Target::AtMost(880.0),
        },
        _ => Row {
            id,
            what: "size of the component for Cognito only",
            measured: size(TOKEN_VERIFIER_COGNITO),
            unit: "KiB",
            target: Target::AtMost(450.0),
        },
    })
}

fn size(component: &[u8]) -> Measured {
    Measured::Alone(component.len() as f64 / 1024.0)
}

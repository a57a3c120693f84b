//! The machine on which the measurements ran.

use serde_json::{Value, json};
use std::{env::consts, fs, thread};

/// CPU, cores, system, versions.
pub fn about(node: Option<&str>) -> Value {
    json!({
        "cpu": cpu(),
        "cores": thread::available_parallelism().map_or(1, usize::from),
        "os": consts::OS,
        "arch": consts::ARCH,
        "poolgate": env!("CARGO_PKG_VERSION"),
        "wasmtime": "48",
        "jsonwebtoken": "11 (aws_lc_rs)",
        "node": node,
    })
}

/// The machine as one line of text.
pub fn line(about: &Value) -> String {
    let text = |name: &str| about[name].as_str().unwrap_or("?").to_owned();
    let node = about["node"].as_str().map_or(String::new(), |node| format!(", {node}"));
    let versions =
        format!("poolgate {}, wasmtime {}, jsonwebtoken {}", text("poolgate"), text("wasmtime"), text("jsonwebtoken"));
    format!("{} with {} cores, {} {}; {versions}{node}", text("cpu"), about["cores"], text("os"), text("arch"))
}

fn cpu() -> String {
    let model = |text: String| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    fs::read_to_string("/proc/cpuinfo").ok().and_then(model).unwrap_or_else(|| "unknown CPU".into())
}

//! Says whether wasm code is built with `wide-arithmetic`: rustc 1.95 obeys the target feature but, as it is not stable,
//! keeps it out of `cfg(target_feature)`.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(wide_arithmetic)");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_wasm = env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    // As for rustc, the last word counts.
    let last = flags.split(['\x1f', ',', '=', ' ']).rfind(|word| word.ends_with("wide-arithmetic"));
    if is_wasm && last == Some("+wide-arithmetic") {
        println!("cargo::rustc-cfg=wide_arithmetic");
    }
}

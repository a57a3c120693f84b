//! Sets `cfg(wide_arithmetic)` if the code is built with the target feature `wide-arithmetic`. rustc 1.95 supports the feature, but does not
//! set `cfg(target_feature)` for it, because it is not stable.

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(wide_arithmetic)");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_wasm = env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    // As in rustc, the last setting applies.
    let last = flags.split(['\x1f', ',', '=', ' ']).rfind(|word| word.ends_with("wide-arithmetic"));
    if is_wasm && last == Some("+wide-arithmetic") {
        println!("cargo::rustc-cfg=wide_arithmetic");
    }
}

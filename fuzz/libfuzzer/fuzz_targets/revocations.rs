#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| poolgate_fuzz::revocations::run(data));

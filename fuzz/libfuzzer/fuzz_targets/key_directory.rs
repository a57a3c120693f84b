#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| poolgate_fuzz::key_directory::run(data));

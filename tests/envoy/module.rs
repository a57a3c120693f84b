//! The imports and the size of the filter module.

use poolgate_artifacts::{ENVOY_FILTER, ENVOY_FILTER_COGNITO, ENVOY_FILTER_PLAIN, ENVOY_FILTER_TEST};
use std::collections::BTreeSet;
use wasmparser::{Parser, Payload};

fn imports(module: &[u8]) -> BTreeSet<String> {
    let mut imports = BTreeSet::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload.expect("it is WebAssembly") {
            for import in section.into_imports() {
                let import = import.expect("an import");
                imports.insert(format!("{}.{}", import.module, import.name));
            }
        }
    }
    imports
}

#[test]
fn a_module_imports_only_functions_of_the_proxy() {
    // All functions of the ABI 0.2.1 that the SDK uses.
    let expected = [
        "add_header_map_value",
        "call_foreign_function",
        "close_stream",
        "continue_stream",
        "define_metric",
        "dequeue_shared_queue",
        "done",
        "enqueue_shared_queue",
        "get_buffer_bytes",
        "get_current_time_nanoseconds",
        "get_header_map_pairs",
        "get_header_map_value",
        "get_property",
        "get_shared_data",
        "get_status",
        "grpc_call",
        "grpc_cancel",
        "grpc_close",
        "grpc_send",
        "grpc_stream",
        "http_call",
        "increment_metric",
        "log",
        "record_metric",
        "register_shared_queue",
        "remove_header_map_value",
        "replace_header_map_value",
        "resolve_shared_queue",
        "send_local_response",
        "set_buffer_bytes",
        "set_effective_context",
        "set_header_map_pairs",
        "set_property",
        "set_shared_data",
        "set_tick_period_milliseconds",
    ];
    let known: BTreeSet<String> = expected.iter().map(|name| format!("env.proxy_{name}")).collect();
    for (name, module) in [("simd", ENVOY_FILTER), ("plain", ENVOY_FILTER_PLAIN), ("cognito", ENVOY_FILTER_COGNITO)] {
        let imports = imports(module);
        let unknown: Vec<&String> = imports.difference(&known).collect();
        assert!(unknown.is_empty(), "{name} imports {unknown:?}");
        assert!(imports.contains("env.proxy_get_header_map_pairs"), "{imports:?}");
    }
}

#[test]
fn the_modules_do_not_exceed_their_size_limits() {
    for (name, module, limit) in [
        // 840 and 450 KiB before rules had hosts, tokens had places in lists and cookie patterns, and a resource had metadata (RFC 9728) and a
        // login page.
        ("simd", ENVOY_FILTER, 900 * 1024),
        ("plain", ENVOY_FILTER_PLAIN, 900 * 1024),
        ("cognito", ENVOY_FILTER_COGNITO, 490 * 1024),
    ] {
        println!("{name}: {} bytes", module.len());
        assert!(module.len() <= limit, "{name}: {} bytes exceed the limit of {limit}", module.len());
    }
}

#[test]
fn only_the_test_module_has_test_hooks() {
    let has_hooks = |module: &[u8]| module.windows(15).any(|window| window == b"x-poolgate-test");
    assert!(has_hooks(ENVOY_FILTER_TEST));
    assert!(![ENVOY_FILTER, ENVOY_FILTER_PLAIN, ENVOY_FILTER_COGNITO].into_iter().any(has_hooks));
}

//! The component: its imports, its composition with a configuration, and its size.

use crate::{
    composing::plugged,
    serving::{Instances, Serving, compiled},
};
use poolgate_artifacts::{ECHO, MIDDLEWARE};
use poolgate_tests::{
    edge_scene::{access, guarded, pool, reason},
    exact_client::get,
};
use std::collections::BTreeSet;
use wit_component::DecodedWasm;

fn imports(component: &[u8]) -> BTreeSet<String> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).expect("a component") else {
        panic!("it is a package");
    };
    let imports = resolve.worlds[world].imports.keys();
    imports.map(|name| resolve.name_world_key(name)).collect()
}

#[test]
fn it_imports_only_what_the_middleware_world_has_and_its_configuration() {
    let of_middleware = [
        "wasi:cli/stderr@0.3.0",
        "wasi:cli/types@0.3.0",
        "wasi:clocks/monotonic-clock@0.3.0",
        "wasi:clocks/system-clock@0.3.0",
        "wasi:clocks/types@0.3.0",
        "wasi:http/client@0.3.0",
        "wasi:http/handler@0.3.0",
        "wasi:http/types@0.3.0",
    ];
    let mut expected: BTreeSet<String> = of_middleware.map(str::to_owned).into();
    expected.insert("poolgate:edge/configuration@0.1.0".to_owned());
    assert_eq!(imports(MIDDLEWARE), expected);
    println!("{} bytes", MIDDLEWARE.len());
    assert!(MIDDLEWARE.len() <= 1 << 20, "{} bytes, and a mebibyte is promised", MIDDLEWARE.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn composed_with_a_configuration_and_an_application_it_imports_only_wasi() {
    let configuration = poolgate_edge::component::of(&guarded(pool()).to_string()).expect("a component");
    let whole = plugged(MIDDLEWARE, &[&configuration, ECHO]);
    let strange: Vec<String> = imports(&whole).into_iter().filter(|name| !name.starts_with("wasi:")).collect();
    assert!(strange.is_empty() && !imports(&whole).contains("wasi:http/handler@0.3.0"), "{:?}", imports(&whole));
    // The host's configuration is not used.
    let serving = Serving::start(&compiled(&whole), "{}", Instances::One).await;
    assert_eq!(get(&serving.url, "/x", Some(&access().compact())).await.status, 200);
    let rejected = get(&serving.url, "/x", None).await;
    assert_eq!((rejected.status, reason(&rejected.body).as_str()), (401, "no-token"));
}

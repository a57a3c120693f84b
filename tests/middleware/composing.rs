//! Composes components like `wac plug`.

use wac_graph::{CompositionGraph, EncodeOptions, plug, types::Package};

/// Returns the socket with its imports replaced by the exports of the plugs.
pub fn plugged(socket: &[u8], plugs: &[&[u8]]) -> Vec<u8> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, component: &[u8]| {
        let package = Package::from_bytes(name, None, component.to_vec(), graph.types_mut()).expect("a component");
        graph.register_package(package).expect("a new package")
    };
    let socket = register("test:socket", socket);
    let plugs = plugs.iter().enumerate().map(|(number, it)| register(&format!("test:plug{number}"), it)).collect();
    plug(&mut graph, plugs, socket).expect("the exports match the imports");
    graph.encode(EncodeOptions { validate: true, ..EncodeOptions::default() }).expect("a component")
}

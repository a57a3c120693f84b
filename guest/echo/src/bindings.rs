//! Bindings generated from `wit/`.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

wit_bindgen::generate!({
    inline: "
        package poolgate:echo;
        world application {
            import wasi:http/types@0.3.0;
            export wasi:http/handler@0.3.0;
        }
    ",
    path: "../../wit/edge",
    generate_all,
});

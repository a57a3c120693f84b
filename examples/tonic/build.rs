//! Generates the services without `protoc`. In your project, generate them from a `.proto` file.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type("crate::Nothing")
            .output_type("crate::Caller")
            .codec_path("tonic_prost::ProstCodec")
            .build()
    };
    let accounts =
        Service::builder().name("Accounts").package("example.v1").method(method("who_am_i", "WhoAmI")).build();
    let office = Service::builder().name("Office").package("example.v1").method(method("enter", "Enter")).build();
    Builder::new().compile(&[accounts, office]);
}

//! The pools, the app client and the group of the demo.

/// The pool of an API, which accepts access tokens of one app client and one group.
pub const API_POOL: &str = "eu-west-1_DemoApi01";
/// The pool of a web application, which accepts ID tokens.
pub const WEB_POOL: &str = "eu-west-1_DemoWeb01";
pub const CLIENT: &str = "1demo23456789client";
pub const GROUP: &str = "operators";

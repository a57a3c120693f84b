//! Decides about whole HTTP requests by one configuration: routes, policies and pools.

mod builder;
mod config_error;
mod decision;
mod handle;
mod request_head;

pub use builder::GateBuilder;
pub use config_error::GateConfigError;
pub use decision::{Admission, Decision, GrpcStatus, HeaderChange, Rejection};
pub use handle::Gate;
pub use request_head::RequestHead;

//! Decides about whole HTTP requests by one configuration: routes, policies and pools.

mod builder;
mod config_error;
mod decision;
mod handle;
mod request_head;
mod response;

pub use builder::GateBuilder;
pub use config_error::GateConfigError;
pub use decision::{Admission, Decision, GrpcStatus, HeaderChange, Rejection, StaticResponse};
pub use handle::Gate;
pub use request_head::RequestHead;
pub(crate) use request_head::host_of;

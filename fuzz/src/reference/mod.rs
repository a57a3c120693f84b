//! Reference implementations, written from the RFCs as simply as possible.

pub(crate) mod base64;
pub(crate) mod der;
pub(crate) mod hosts;
pub(crate) mod json;
pub(crate) mod paths;
pub(crate) mod pem;

//! Reference implementations, written from the RFCs as simply as possible.

pub(crate) mod base64url;
pub(crate) mod json;
pub(crate) mod paths;

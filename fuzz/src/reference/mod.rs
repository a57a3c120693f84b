//! What the targets compare with: written anew from the RFCs, as plainly as can be.

pub(crate) mod base64url;
pub(crate) mod json;
pub(crate) mod paths;

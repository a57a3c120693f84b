//! For a user who exists and one who does not, the response is byte-for-byte identical, and takes the same time.

mod account_setup;
#[path = "enumeration/bytes.rs"]
mod bytes;
mod gateway_setup;
#[path = "enumeration/kolmogorov_smirnov.rs"]
mod kolmogorov_smirnov;
#[path = "enumeration/operator.rs"]
mod operator;
mod scripted_cognito;
#[path = "enumeration/sequences.rs"]
mod sequences;
#[path = "enumeration/signed_in.rs"]
mod signed_in;
#[path = "enumeration/timing.rs"]
mod timing;
#[path = "enumeration/wire.rs"]
mod wire;

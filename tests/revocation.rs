//! Revoked tokens are rejected. Tested: when the core and the contract query the status, the store in memory, a Redis
//! server, and the account flows that revoke tokens.

mod gateway_setup;
mod manual_clock;
mod synchronous_host;

#[path = "revocation/accounts.rs"]
mod accounts;
#[path = "revocation/asking.rs"]
mod asking;
#[path = "revocation/contract.rs"]
mod contract;
#[path = "revocation/idle.rs"]
mod idle;
#[path = "revocation/keys.rs"]
mod keys;
#[path = "revocation/memory.rs"]
mod memory;
#[path = "revocation/outage.rs"]
mod outage;
#[path = "revocation/scene.rs"]
mod scene;
#[path = "revocation/stalling_proxy.rs"]
mod stalling_proxy;

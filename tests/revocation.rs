//! Tokens that were revoked are refused, whoever knows of it: the core and the contract ask last and about nothing unverified, a store in
//! memory, a real Redis, and account flows that tell the store.

mod gateway_setup;
mod hand;
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

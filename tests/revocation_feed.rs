//! The revocation feed: what the gateway publishes, from memory and from a Redis server, and what a reader does with it.

#[expect(dead_code, reason = "--test revocation advances it")]
mod manual_clock;

#[path = "revocation_feed/http.rs"]
mod http;
#[path = "revocation_feed/publisher.rs"]
mod publisher;
#[path = "revocation_feed/reading.rs"]
mod reading;
#[path = "revocation_feed/redis.rs"]
mod redis;
#[path = "revocation/scene.rs"]
#[expect(dead_code, reason = "--test revocation uses the rest")]
mod scene;
#[path = "revocation_feed/size.rs"]
mod size;

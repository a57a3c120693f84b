//! What the policy of the edge decides, natively: hosts, token locations and `report_only`.

#[path = "edge_policy/hosts.rs"]
mod hosts;
#[path = "edge_policy/reporting.rs"]
mod reporting;
#[path = "edge_policy/scene.rs"]
mod scene;
#[path = "edge_policy/tokens.rs"]
mod tokens;

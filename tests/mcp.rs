//! An MCP server behind poolgate (RFC 9728, RFC 6750): challenges, the metadata of the protected resource, and the redirect of browsers to a
//! login page.

#[path = "mcp/authorization_server.rs"]
mod authorization_server;
#[path = "mcp/challenges.rs"]
mod challenges;
#[path = "mcp/client.rs"]
mod client;
#[path = "mcp/configuration.rs"]
mod configuration;
#[path = "mcp/documents.rs"]
mod documents;
#[path = "mcp/front.rs"]
mod front;
#[path = "mcp/gate.rs"]
mod gate;
#[path = "mcp/login.rs"]
mod login;
#[path = "mcp/request.rs"]
mod request;
#[path = "mcp/served.rs"]
mod served;

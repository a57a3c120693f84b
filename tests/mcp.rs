//! An MCP server behind poolgate (RFC 9728, RFC 6750): challenges, the metadata of the protected resource, and the redirect of browsers to a
//! login page.

#[path = "mcp/challenges.rs"]
mod challenges;
#[path = "mcp/configuration.rs"]
mod configuration;
#[path = "mcp/documents.rs"]
mod documents;
#[path = "mcp/login.rs"]
mod login;
#[path = "mcp/request.rs"]
mod request;

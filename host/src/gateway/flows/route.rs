//! The macro that defines the handlers.

/// Defines a handler with its path, its documentation in the OpenAPI document, and its possible responses.
macro_rules! route {
    ($(#[doc = $doc:literal])+ $method:ident $path:literal, $status:literal $(= $body:ty)?, $($security:literal)? =>
        async fn $name:ident($($arguments:tt)*) -> $reply:ty $code:block) => {
        $(#[doc = $doc])+
        #[utoipa::path(
            $method,
            path = $path,
            operation_id = stringify!($name),
            $(security(($security = [])),)?
            responses(
                (status = $status, description = "Success" $(, body = $body)?),
                (status = 400, description = "The request is invalid, or Cognito rejected an input", body = ProblemBody, content_type = "application/problem+json"),
                (status = 401, description = "The credentials, the session or the token are invalid", body = ProblemBody, content_type = "application/problem+json"),
                (status = 403, description = "A firewall or trigger of the user pool rejected the request, or the state of the account does not allow it", body = ProblemBody, content_type = "application/problem+json"),
                (status = 408, description = "The body was not received in time", body = ProblemBody, content_type = "application/problem+json"),
                (status = 409, description = "Another account has this address, or the second factor is not set up", body = ProblemBody, content_type = "application/problem+json"),
                (status = 413, description = "The body is too long", body = ProblemBody, content_type = "application/problem+json"),
                (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
                (status = 429, description = "Too many requests; `Retry-After` contains the delay in seconds", body = ProblemBody, content_type = "application/problem+json"),
                (status = 500, description = "The user pool or app client is misconfigured, or an unexpected failure occurred", body = ProblemBody, content_type = "application/problem+json"),
                (status = 501, description = "Cognito requires a challenge that poolgate does not support", body = ProblemBody, content_type = "application/problem+json"),
                (status = 503, description = "Cognito is unavailable; `Retry-After` contains the delay in seconds", body = ProblemBody, content_type = "application/problem+json"),
            ),
            tag = "accounts",
        )]
        async fn $name($($arguments)*) -> $reply $code
    };
}

//! The messages of `envoy.service.auth.v3.Authorization/Check`: what the gateway reads, and what it writes.
//!
//! The numbers of the fields are those of Envoy's `api/envoy/service/auth/v3/external_auth.proto` and `attribute_context.proto`,
//! `api/envoy/config/core/v3/base.proto` and `api/envoy/type/v3/http_status.proto`, and of `google/rpc/status.proto` and
//! `google/protobuf/struct.proto`. Fields that are not listed are ignored. None of the messages has a `Debug` that shows its contents: they contain
//! tokens and claims.
//!
//! A `map` of Protobuf is a repeated message with the fields `key = 1` and `value = 2`, and is written here as such: so none of its entries is lost.

use super::metadata::Struct;
use prost::{Message, Oneof};

/// `envoy.service.auth.v3.CheckRequest`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<AttributeContext>,
}

/// `envoy.service.auth.v3.AttributeContext`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct AttributeContext {
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<AttributedRequest>,
}

/// `envoy.service.auth.v3.AttributeContext.Request`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct AttributedRequest {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<HttpRequest>,
}

/// `envoy.service.auth.v3.AttributeContext.HttpRequest`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HttpRequest {
    #[prost(string, tag = "2")]
    pub(super) method: String,
    /// The entries of the map. Envoy joins fields of the same name with a comma, and replaces what is not UTF-8.
    #[prost(message, repeated, tag = "3")]
    pub(super) headers: Vec<HeaderValue>,
    /// The path and the query.
    #[prost(string, tag = "4")]
    pub(super) path: String,
    #[prost(string, tag = "5")]
    pub(super) host: String,
    /// Always empty in Envoy: the query is in `path`.
    #[prost(string, tag = "7")]
    pub(super) query: String,
    /// Instead of `headers`, if Envoy's filter has `encode_raw_headers`: every field as it is.
    #[prost(message, optional, tag = "13")]
    pub(super) header_map: Option<HeaderMap>,
}

/// `envoy.config.core.v3.HeaderMap`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub(super) headers: Vec<HeaderValue>,
}

/// `envoy.config.core.v3.HeaderValue`, and an entry of a map.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HeaderValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
    /// Only one of `value` and `raw_value` may be set.
    #[prost(bytes = "vec", tag = "3")]
    pub(super) raw_value: Vec<u8>,
}

/// `envoy.config.core.v3.HeaderValueOption`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    header: Option<HeaderValue>,
    #[prost(enumeration = "AppendAction", tag = "3")]
    append_action: i32,
}

/// `envoy.config.core.v3.HeaderValueOption.HeaderAppendAction`. An Envoy that does not know the field overwrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
enum AppendAction {
    AppendIfExistsOrAdd = 0,
    AddIfAbsent = 1,
    OverwriteIfExistsOrAdd = 2,
    OverwriteIfExists = 3,
}

impl HeaderValueOption {
    /// Set this header, and remove all others of its name.
    pub(super) fn set(name: String, value: String) -> Self {
        let header = HeaderValue { key: name, value: value.into_bytes(), raw_value: Vec::new() };
        Self { header: Some(header), append_action: AppendAction::OverwriteIfExistsOrAdd.into() }
    }
}

/// `envoy.service.auth.v3.CheckResponse`.
///
/// **A message without a status lets the request pass**, because 0 is the code OK. So there are two constructors, and no `Default` is used.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    status: Option<Status>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    http_response: Option<HttpResponse>,
    #[prost(message, optional, tag = "4")]
    dynamic_metadata: Option<Struct>,
}

#[derive(Clone, PartialEq, Oneof)]
#[prost(skip_debug)]
enum HttpResponse {
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
}

/// The codes of `google.rpc.Code` with which a request is denied. None of them is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DenialCode {
    InvalidArgument = 3,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

impl CheckResponse {
    /// Lets the request pass with these changes.
    pub(super) fn admit(changes: OkHttpResponse, dynamic_metadata: Struct) -> Self {
        Self {
            status: Some(Status { code: 0 }),
            http_response: Some(HttpResponse::Ok(changes)),
            dynamic_metadata: Some(dynamic_metadata),
        }
    }

    /// Responds to the request, which does not pass.
    pub(super) fn deny(code: DenialCode, response: DeniedHttpResponse, dynamic_metadata: Struct) -> Self {
        Self {
            status: Some(Status { code: code as i32 }),
            http_response: Some(HttpResponse::Denied(response)),
            dynamic_metadata: Some(dynamic_metadata),
        }
    }
}

/// `envoy.service.auth.v3.OkHttpResponse`. Envoy sets the headers before it removes others.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "5")]
    pub(super) headers_to_remove: Vec<String>,
}

/// `envoy.service.auth.v3.DeniedHttpResponse`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderValueOption>,
    #[prost(string, tag = "3")]
    pub(super) body: String,
}

/// `envoy.type.v3.HttpStatus`, whose enumeration has the numbers of HTTP.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

//! A client of `envoy.service.auth.v3.Authorization/Check`, with messages of its own, written from Envoy's published `.proto` files.

use crate::{
    gateway_setup::{Served, serve},
    requests::Request,
    scene::gate_now,
};
use axum::http::uri::PathAndQuery;
use poolgate::gateway::Gateway;
use prost::{Message, Oneof};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};
use tonic::{Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, Message)]
pub struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub attributes: Option<AttributeContext>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AttributeContext {
    #[prost(message, optional, tag = "4")]
    pub request: Option<AttributedRequest>,
    #[prost(map = "string, string", tag = "10")]
    pub context_extensions: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AttributedRequest {
    #[prost(message, optional, tag = "2")]
    pub http: Option<HttpRequest>,
}

#[derive(Clone, PartialEq, Message)]
pub struct HttpRequest {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub method: String,
    #[prost(map = "string, string", tag = "3")]
    pub headers: HashMap<String, String>,
    #[prost(string, tag = "4")]
    pub path: String,
    #[prost(string, tag = "5")]
    pub host: String,
    #[prost(string, tag = "6")]
    pub scheme: String,
    #[prost(int64, tag = "9")]
    pub size: i64,
    #[prost(string, tag = "10")]
    pub protocol: String,
    #[prost(message, optional, tag = "13")]
    pub header_map: Option<HeaderMap>,
}

#[derive(Clone, PartialEq, Message)]
pub struct HeaderMap {
    #[prost(message, repeated, tag = "1")]
    pub headers: Vec<HeaderValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct HeaderValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
    #[prost(bytes = "vec", tag = "3")]
    pub raw_value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct HeaderValueOption {
    #[prost(message, optional, tag = "1")]
    pub header: Option<HeaderValue>,
    #[prost(int32, tag = "3")]
    pub append_action: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<RpcStatus>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    pub http_response: Option<HttpResponse>,
    #[prost(message, optional, tag = "4")]
    pub dynamic_metadata: Option<Struct>,
}

#[derive(Clone, PartialEq, Message)]
pub struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub code: i32,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum HttpResponse {
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

#[derive(Clone, PartialEq, Message)]
pub struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub headers: Vec<HeaderValueOption>,
    #[prost(string, tag = "3")]
    pub body: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub code: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    pub headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "5")]
    pub headers_to_remove: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Struct {
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(oneof = "Kind", tags = "2, 3, 6")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Kind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(message, tag = "6")]
    List(ListValue),
}

#[derive(Clone, PartialEq, Message)]
pub struct ListValue {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

impl Value {
    fn json(&self) -> Json {
        match &self.kind {
            Some(Kind::Number(number)) => (*number).into(),
            Some(Kind::Text(text)) => text.as_str().into(),
            Some(Kind::List(list)) => list.values.iter().map(Self::json).collect(),
            None => Json::Null,
        }
    }
}

impl CheckResponse {
    /// The code of the status. An absent one is OK for Envoy, and must not be sent.
    pub fn code(&self) -> i32 {
        self.status.as_ref().expect("a status").code
    }

    /// The changes of an admission.
    pub fn changes(&self) -> &OkHttpResponse {
        match &self.http_response {
            Some(HttpResponse::Ok(changes)) if self.code() == 0 => changes,
            _ => panic!("not admitted: {self:?}"),
        }
    }

    /// The HTTP status and the body of a denial.
    pub fn denied(&self) -> (i32, &str) {
        match &self.http_response {
            Some(HttpResponse::Denied(denied)) if self.code() != 0 => {
                (denied.status.as_ref().expect("a status").code, &denied.body)
            }
            _ => panic!("not denied: {self:?}"),
        }
    }

    /// The headers of a denial.
    pub fn denied_header(&self, name: &str) -> Option<&str> {
        let Some(HttpResponse::Denied(denied)) = &self.http_response else { panic!("not denied: {self:?}") };
        let mut headers = denied.headers.iter().filter_map(|option| option.header.as_ref());
        headers.find(|header| header.key == name).map(|header| header.value.as_str())
    }

    /// The dynamic metadata, as JSON.
    pub fn metadata(&self) -> Json {
        let fields = &self.dynamic_metadata.as_ref().expect("metadata").fields;
        fields.iter().map(|(key, value)| (key.clone(), value.json())).collect()
    }
}

/// What Envoy sends about a request, with the fields as they are (`encode_raw_headers`).
pub fn raw(request: &Request) -> CheckRequest {
    let field = |key: &str, value: &str| HeaderValue {
        key: key.to_owned(),
        value: String::new(),
        raw_value: value.as_bytes().to_vec(),
    };
    let pseudo =
        [(":authority", request.host), (":path", &request.target), (":method", request.method), (":scheme", "http")];
    let pseudo = pseudo.into_iter().map(|(key, value)| field(key, value));
    let fields = request.headers.iter().map(|(name, value)| field(name, value));
    let header_map = Some(HeaderMap { headers: pseudo.chain(fields).collect() });
    described(HttpRequest { header_map, ..line(request) })
}

/// The same with the map of headers, in which Envoy joins fields of one name.
pub fn joined(request: &Request) -> CheckRequest {
    let mut headers: HashMap<String, String> = HashMap::new();
    let pseudo =
        [(":authority", request.host), (":path", &request.target), (":method", request.method), (":scheme", "http")];
    let fields = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in pseudo.into_iter().chain(fields) {
        headers
            .entry(name.to_owned())
            .and_modify(|all| *all += &format!(",{value}"))
            .or_insert_with(|| value.to_owned());
    }
    described(HttpRequest { headers, ..line(request) })
}

fn line(request: &Request) -> HttpRequest {
    HttpRequest {
        id: "1".to_owned(),
        method: request.method.to_owned(),
        path: request.target.clone(),
        host: request.host.to_owned(),
        scheme: "http".to_owned(),
        size: -1,
        protocol: "HTTP/1.1".to_owned(),
        ..HttpRequest::default()
    }
}

/// A message about this request.
pub fn described(http: HttpRequest) -> CheckRequest {
    let context_extensions = HashMap::from([("virtual_host".to_owned(), "all".to_owned())]);
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(AttributedRequest { http: Some(http) }),
            context_extensions,
        }),
    }
}

/// A gateway with a gate, and a connection to it.
pub struct Service {
    pub served: Served,
    pub channel: Channel,
}

impl Service {
    pub async fn start(configuration: &Json) -> Self {
        let gate = gate_now(configuration).await;
        Self::of(Gateway::without_accounts(gate.verifier()).gate(gate).expect("one verifier")).await
    }

    pub async fn of(gateway: Gateway) -> Self {
        let served = serve(gateway).await;
        let channel = Channel::from_shared(served.public.clone()).expect("a URL").connect().await.expect("it listens");
        Self { served, channel }
    }

    pub async fn check(&self, request: CheckRequest) -> CheckResponse {
        self.send(request).await.unwrap_or_else(|status| panic!("{status:?}"))
    }

    /// Sends any message as if it were a `CheckRequest`.
    pub async fn send(&self, request: impl Message + 'static) -> Result<CheckResponse, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.expect("a connection");
        let path = PathAndQuery::from_static("/envoy.service.auth.v3.Authorization/Check");
        let codec = ProstCodec::<_, CheckResponse>::default();
        Ok(grpc.unary(tonic::Request::new(request), path, codec).await?.into_inner())
    }

    pub async fn stop(self) {
        drop(self.channel);
        self.served.stop().await;
    }
}

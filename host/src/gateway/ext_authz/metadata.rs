//! The dynamic metadata of a decision. Envoy stores it under `envoy.filters.http.ext_authz`, where access logs, RBAC and other filters read it.

use crate::{Admission, TokenUse, Verified};
use prost::{Message, Oneof};

/// `google.protobuf.Struct`, of `google/protobuf/struct.proto`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Struct {
    /// The entries of the map.
    #[prost(message, repeated, tag = "1")]
    fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Field {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Value>,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Value {
    #[prost(oneof = "Kind", tags = "2, 3, 6")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
#[prost(skip_debug)]
enum Kind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(message, tag = "6")]
    List(List),
}

/// `google.protobuf.ListValue`.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct List {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Value>,
}

impl Struct {
    /// Of an admitted request: the claims of its token.
    pub(super) fn admitted(admission: &Admission) -> Self {
        let decision = match (&admission.reported, &admission.verified) {
            (Some(_), _) => "reported",
            (None, Some(_)) => "verified",
            (None, None) => "anonymous",
        };
        let mut metadata = Self::decided(decision).text("reason", admission.reported.as_deref());
        if let Some(verified) = &admission.verified {
            metadata = metadata.claims(verified);
        }
        metadata
    }

    /// Of a rejected request.
    pub(super) fn rejected(reason: &str) -> Self {
        Self::decided("rejected").text("reason", Some(reason))
    }

    /// Of a request for the metadata of the resource.
    pub(super) fn responded() -> Self {
        Self::decided("responded")
    }

    fn decided(decision: &str) -> Self {
        Self { fields: Vec::new() }.text("decision", Some(decision))
    }

    /// Claims that the token lacks are absent.
    fn claims(self, verified: &Verified) -> Self {
        let token_use = verified.token_use.map(|token_use| match token_use {
            TokenUse::Access => "access",
            TokenUse::Id => "id",
        });
        // A number of JSON: exact up to 2 to the power of 53.
        #[expect(clippy::cast_precision_loss, reason = "the verifier refuses dates that are so far away")]
        let expires_at = verified.expires_at as f64;
        self.text("subject", verified.subject.as_deref())
            .text("username", verified.username.as_deref())
            .text("client_id", verified.client_id.as_deref())
            .text("token_use", token_use)
            .text("issuer", verified.issuer.as_deref())
            .list("groups", &verified.groups)
            .list("scopes", &verified.scopes)
            .field("expires_at", Kind::Number(expires_at))
    }

    fn text(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.field(key, Kind::Text(value.to_owned())),
            None => self,
        }
    }

    fn list(self, key: &str, values: &[String]) -> Self {
        let values = values.iter().map(|value| Value { kind: Some(Kind::Text(value.clone())) });
        self.field(key, Kind::List(List { values: values.collect() }))
    }

    fn field(mut self, key: &str, kind: Kind) -> Self {
        self.fields.push(Field { key: key.to_owned(), value: Some(Value { kind: Some(kind) }) });
        self
    }
}

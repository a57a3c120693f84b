//! An issuer for the demo: new keys, and a JWKS endpoint on a loopback port.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::{Router, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A new RSA-2048 key. Its key ID is a digest of the key, as long as Cognito's key IDs.
pub struct Signer {
    key: KeyPair,
    key_id: String,
}

impl Signer {
    pub fn new() -> Option<Self> {
        let key = KeyPair::generate(KeySize::Rsa2048).ok()?;
        let der = AsDer::as_der(key.public_key()).ok()?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der.as_ref());
        Some(Self { key, key_id: base64::engine::general_purpose::STANDARD.encode(digest) })
    }

    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The modulus, big-endian. It has the same length for every key here.
    pub fn modulus(&self) -> Vec<u8> {
        PublicKeyComponents::<Vec<u8>>::from(self.key.public_key()).n
    }

    /// The public key as `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    #[cfg(feature = "bench")]
    pub fn public_der(&self) -> Option<Vec<u8>> {
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = self.key.public_key().as_der().ok()?;
        Some(der.as_ref().to_vec())
    }

    /// The public key as a JWK.
    pub fn jwk(&self) -> Value {
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(self.key.public_key());
        let encode = |number: Vec<u8>| URL_SAFE_NO_PAD.encode(number);
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, "n": encode(n), "e": encode(e) })
    }

    /// Signs a header and a payload with RS256, without checking them.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut signature = vec![0; self.key.public_modulus_len()];
        // Signing with a new key does not fail. If it did, the demo would show a rejected token.
        let _ = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature);
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The JWKS endpoint.
pub struct Issuer {
    address: SocketAddr,
    fetches: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Issuer {
    pub async fn start(pools: &[(&str, &Signer)]) -> io::Result<Self> {
        let fetches = Arc::new(AtomicUsize::new(0));
        let mut router = Router::new();
        for (pool, signer) in pools {
            let (jwks, count) = (json!({ "keys": [signer.jwk()] }).to_string(), Arc::clone(&fetches));
            let handler = async move || {
                count.fetch_add(1, Ordering::Relaxed);
                jwks
            };
            router = router.route(&path(pool), get(handler));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            // The server runs until the demo ends.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, fetches, server })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn jwks_url(&self, pool: &str) -> String {
        format!("http://{}{}", self.address, path(pool))
    }

    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn path(pool: &str) -> String {
    format!("/{pool}/.well-known/jwks.json")
}

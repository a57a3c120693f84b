//! Valid and invalid certificates of an authority that clients must be configured to trust.

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// A server certificate with its key, and the certificate of its authority.
pub struct Certificate {
    authority: String,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// Creates a certificate for a host name.
    ///
    /// # Panics
    /// Panics if no key can be created.
    pub fn for_host(name: &str) -> Self {
        Self::signed(CertificateParams::new([name.to_owned()]).expect("a name"))
    }

    /// Creates a certificate for `localhost` that expired in the year 2000.
    ///
    /// # Panics
    /// Panics if no key can be created.
    pub fn expired() -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(1999, 1, 1);
        params.not_after = rcgen::date_time_ymd(2000, 1, 1);
        Self::signed(params)
    }

    fn signed(params: CertificateParams) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        let chain = vec![certificate.der().clone()];
        Self { authority: authority.pem(), chain, key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) }
    }

    /// Returns the certificate of the authority, in PEM format. A client that trusts it trusts the server.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the server certificate and its key, in PEM format.
    pub fn pem(&self) -> (String, String) {
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
        };
        let chain = self.chain.iter().map(|certificate| pem("CERTIFICATE", certificate));
        (chain.collect(), pem("PRIVATE KEY", self.key.secret_der()))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .expect("the key is the certificate's");
        TlsAcceptor::from(Arc::new(config))
    }
}

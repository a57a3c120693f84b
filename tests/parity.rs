//! The core, compiled natively, and each build of the component give the same verdicts for the token corpus.

mod case_verifier;

use case_verifier::verifier;
use poolgate::{Verified, Verifier};
use poolgate_artifacts::{TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};
use poolgate_tests::corpus::{Case, cases};

/// A verdict in a form that both sides have in common.
#[derive(Debug, PartialEq)]
enum Verdict {
    Allow(Box<Claims>),
    Deny { reason: &'static str, status: u16 },
}

/// Every member of the contract's `verified` record.
type Claims = (
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>),
    (Vec<String>, Vec<String>),
    (Option<u64>, u64, Option<u64>),
    String,
);

fn natively(case: &Case) -> Verdict {
    match case.verify_with_core() {
        Ok(it) => Verdict::Allow(Box::new((
            (it.subject, it.username, it.token_use.map(|it| format!("{it:?}")), it.issuer, it.client_id),
            (it.groups, it.scopes),
            (it.issued_at, it.expires_at, it.auth_time),
            it.payload,
        ))),
        Err(reason) => Verdict::Deny { reason: reason.name(), status: reason.error_code().status() },
    }
}

async fn in_sandbox(case: &Case, component: &'static [u8]) -> Verdict {
    let verifier = verifier(case, Verifier::builder().component(component)).await;
    match verifier.verify(&case.token).await {
        Ok(Verified {
            subject,
            username,
            token_use,
            issuer,
            client_id,
            groups,
            scopes,
            issued_at,
            expires_at,
            auth_time,
            payload,
            ..
        }) => Verdict::Allow(Box::new((
            (subject, username, token_use.map(token_use_name), issuer, client_id),
            (groups, scopes),
            (issued_at, expires_at, auth_time),
            payload,
        ))),
        Err(denial) => Verdict::Deny { reason: denial.reason.name(), status: denial.error.status() },
    }
}

fn token_use_name(token_use: poolgate::TokenUse) -> String {
    match token_use {
        poolgate::TokenUse::Access => "Access".into(),
        poolgate::TokenUse::Id => "Id".into(),
    }
}

async fn compare(component: &'static [u8], is_in: impl Fn(&Case) -> bool) -> usize {
    let (mut compared, mut differences) = (0, Vec::new());
    for case in cases().iter().filter(|case| is_in(case)) {
        let (native, sandboxed) = (natively(case), in_sandbox(case, component).await);
        compared += 1;
        if native != sandboxed {
            differences.push(format!("{}: natively {native:?}, in the sandbox {sandboxed:?}", case.name));
        }
    }
    assert!(differences.is_empty(), "{} of {compared} verdicts differ:\n{}", differences.len(), differences.join("\n"));
    println!("{compared} verdicts are the same");
    compared
}

#[tokio::test]
async fn the_wide_component_gives_the_verdicts_of_the_core() {
    assert_eq!(compare(TOKEN_VERIFIER_WIDE, |_| true).await, cases().len());
}

#[tokio::test]
async fn the_simd_component_gives_the_verdicts_of_the_core() {
    assert_eq!(compare(TOKEN_VERIFIER_SIMD, |_| true).await, cases().len());
}

#[tokio::test]
async fn the_portable_component_gives_the_verdicts_of_the_core() {
    assert_eq!(compare(TOKEN_VERIFIER_PORTABLE, |_| true).await, cases().len());
}

/// The Cognito component supports only RSA, so cases that allow other algorithms are excluded.
#[tokio::test]
async fn the_cognito_component_gives_the_verdicts_of_the_core_for_rsa_tokens() {
    use poolgate_core::{
        Algorithm::{EdDsa, Es256, Es384, Es512},
        IssuerRule, Pool,
    };
    let is_rsa = |case: &Case| {
        let mut algorithms = case.config.pools.iter().flat_map(|pool| &pool.algorithms);
        // Load balancers sign with ES256.
        let of_load_balancer = |pool: &Pool| matches!(pool.issuer, IssuerRule::LoadBalancers(_));
        !algorithms.any(|algorithm| [Es256, Es384, Es512, EdDsa].contains(algorithm))
            && !case.config.pools.iter().any(of_load_balancer)
    };
    assert!(compare(TOKEN_VERIFIER_COGNITO, is_rsa).await > 80);
}

#[test]
fn the_contract_and_the_core_have_the_same_reasons_in_the_same_order() {
    let contract: Vec<&str> = poolgate::Reason::ALL.iter().map(|reason| reason.name()).collect();
    let core: Vec<&str> = poolgate_core::Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(contract, core);
}

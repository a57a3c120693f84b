//! The contract from the view of another host, which runs the component synchronously, cannot wait inside an import,
//! and returns `deferred`.

mod synchronous_host;

use poolgate_artifacts::{TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{Draft, ISSUER, KEY_ID, NOW},
};
use synchronous_host::{
    EventLoop,
    bindings::{
        TokenVerifier,
        exports::poolgate::auth::verifier::{
            ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientClaim, ClientRule, Config, ConfigError, GuestRule,
            Hint, IssuerRule, IssuerTemplate, KeyRefreshError, KeySetError, KeyState, LoadBalancers, Membership, Pool,
            Reason, ResourceRule, TokenUseRule,
        },
        poolgate::auth::key_source::{FetchError, KeyResponse},
    },
    config,
};
use wasmtime::Store;

/// Starts an instance in an engine with the default features.
fn start(component: &[u8]) -> (Store<EventLoop>, TokenVerifier) {
    synchronous_host::start(component, &wasmtime::Config::new())
}

#[test]
fn a_host_that_defers_fetches_passes_the_keys_itself() {
    for component in [TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_COGNITO] {
        let (mut store, bindings) = start(component);
        let verifier = bindings.poolgate_auth_verifier();
        let token = Draft::access(&RSA_2048).compact();
        let jwks = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
        verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is valid");

        let denial = verifier.call_verify(&mut store, &token).expect("no trap").expect_err("there are no keys yet");
        assert_eq!(denial.reason, Reason::KeysUnavailable);
        assert_eq!(denial.pending_key_url, Some(format!("{ISSUER}/.well-known/jwks.json")));
        assert_eq!(store.data().asked, [format!("{ISSUER}/.well-known/jwks.json")]);

        // Another token at the same time does not cause a second fetch.
        let denial = verifier.call_verify(&mut store, &token).expect("no trap").expect_err("there are no keys yet");
        assert_eq!((denial.pending_key_url.is_some(), store.data().asked.len()), (true, 1));

        let loaded = verifier.call_load_key_set(&mut store, ISSUER, jwks.as_bytes(), NOW).expect("no trap");
        assert_eq!(loaded.expect("the key set is valid").key_ids, [KEY_ID]);
        let verified = verifier.call_verify(&mut store, &token).expect("no trap").expect("the token is valid");
        assert_eq!(verified.issuer.as_deref(), Some(ISSUER));
        assert_eq!(store.data().asked.len(), 1);

        let older = verifier.call_load_key_set(&mut store, ISSUER, jwks.as_bytes(), NOW - 1).expect("no trap");
        assert_eq!(older.err(), Some(KeySetError::OlderThanCurrent));
        let unknown =
            verifier.call_load_key_set(&mut store, "https://example.com", jwks.as_bytes(), NOW).expect("no trap");
        assert_eq!(unknown.err(), Some(KeySetError::UnknownIssuer));
    }
}

#[test]
fn a_clock_jump_back_does_not_stop_fetches() {
    let (mut store, bindings) = start(TOKEN_VERIFIER_COGNITO);
    let verifier = bindings.poolgate_auth_verifier();
    verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is valid");
    let token = Draft::access(&RSA_2048).claim("iat", NOW - 7200).compact();
    let _ = verifier.call_verify(&mut store, &token).expect("no trap");
    store.data_mut().now = NOW - 3600;
    let _ = verifier.call_verify(&mut store, &token).expect("no trap");
    assert_eq!(store.data().asked.len(), 1, "the first fetch may still be in progress");
    // The deadline of 30 seconds passes, and then the back-off of a second.
    for now in [NOW - 3570, NOW - 3569] {
        store.data_mut().now = now;
        let _ = verifier.call_verify(&mut store, &token).expect("no trap");
    }
    assert_eq!(store.data().asked.len(), 2, "no fetch after a jump of an hour back");
}

#[test]
fn a_host_that_defers_fetches_can_refresh_the_keys_with_a_timer() {
    let (mut store, bindings) = start(TOKEN_VERIFIER_COGNITO);
    let verifier = bindings.poolgate_auth_verifier();
    verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is valid");
    let url = format!("{ISSUER}/.well-known/jwks.json");
    let keys = |body: Option<&str>| KeyResponse {
        body: body.map(|body| body.as_bytes().to_vec()),
        max_age: Some(600),
        etag: Some("\"1\"".into()),
    };
    let complete = |store: &mut Store<EventLoop>, at: u64, outcome: Result<&KeyResponse, FetchError>| {
        verifier.call_keys_fetched(store, &url, None, 0, at, outcome).expect("no trap")
    };

    for _ in 0..3 {
        verifier.call_maintain(&mut store).expect("no trap");
        assert_eq!(store.data().asked, [url.as_str()], "one fetch at a time, and the second issuer form on demand");
    }
    assert_eq!(complete(&mut store, NOW, Ok(&keys(None))), Err(KeySetError::NotModifiedWithoutKeys));
    store.data_mut().now = NOW + 1;
    verifier.call_maintain(&mut store).expect("no trap");
    let set = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
    assert_eq!(complete(&mut store, NOW + 1, Ok(&keys(Some(&set)))), Ok(()));
    let token = Draft::access(&RSA_2048).compact();
    assert!(verifier.call_verify(&mut store, &token).expect("no trap").is_ok(), "no token waits for keys");
    assert_eq!(store.data().asked.len(), 2);

    store.data_mut().now = NOW + 700;
    let verified = verifier.call_verify(&mut store, &token).expect("no trap").expect("stale keys verify tokens");
    assert!(verified.keys_are_stale);
    verifier.call_maintain(&mut store).expect("no trap");
    assert_eq!(store.data().etags, [None, None, Some("\"1\"".into())]);
    assert_eq!(complete(&mut store, NOW + 700, Ok(&keys(None))), Ok(()));
    let report = &verifier.call_key_reports(&mut store).expect("no trap")[0];
    assert_eq!((report.state, report.age, report.generation), (KeyState::Fresh, Some(0), 1));

    store.data_mut().now = NOW + 1400;
    verifier.call_maintain(&mut store).expect("no trap");
    assert_eq!(
        complete(&mut store, NOW + 1400, Err(FetchError::BadStatus)),
        Ok(()),
        "a failed fetch is not an error of the call"
    );
    let report = &verifier.call_key_reports(&mut store).expect("no trap")[0];
    assert_eq!((report.state, report.failures), (KeyState::Stale, 1));
    assert_eq!(report.last_error, Some(KeyRefreshError::Fetch(FetchError::BadStatus)));
    let elsewhere = verifier.call_keys_fetched(&mut store, "https://example.com/", None, 0, NOW, Ok(&keys(Some(&set))));
    assert_eq!(elsewhere.expect("no trap"), Err(KeySetError::UnknownUrl));
}

#[test]
fn the_default_key_policy_of_the_host_is_that_of_the_core() {
    let host = poolgate::KeyPolicy { jitter_seed: 0, ..poolgate::KeyPolicy::default() };
    let words = |debug: String| debug.replace('-', "_");
    assert_eq!(words(format!("{host:?}")), words(format!("{:?}", poolgate_core::KeyPolicy::default())));
}

#[test]
fn no_token_is_verified_before_the_configuration_which_can_be_set_once() {
    let (mut store, bindings) = start(TOKEN_VERIFIER_COGNITO);
    let verifier = bindings.poolgate_auth_verifier();
    let denial = verifier.call_verify(&mut store, "a.b.c").expect("no trap").expect_err("it is not configured");
    assert_eq!(denial.reason, Reason::NotConfigured);
    let loaded = verifier.call_load_key_set(&mut store, ISSUER, b"{}", NOW).expect("no trap");
    assert_eq!(loaded.err(), Some(KeySetError::NotConfigured));
    let none = Config { pools: Vec::new(), limits: None, key_policy: None, cache: None, requirements: Vec::new() };
    assert_eq!(verifier.call_configure(&mut store, &none).expect("no trap"), Err(ConfigError::NoPool));
    assert_eq!(verifier.call_configure(&mut store, &config()).expect("no trap"), Ok(()));
    assert_eq!(verifier.call_configure(&mut store, &config()).expect("no trap"), Err(ConfigError::AlreadyConfigured));
}

#[test]
fn a_denial_has_hints_about_the_claim_and_about_an_issuer_that_differs_by_a_slash() {
    let (mut store, bindings) = start(TOKEN_VERIFIER_COGNITO);
    let verifier = bindings.poolgate_auth_verifier();
    verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is valid");
    let access = || Draft::access(&RSA_2048);
    for (draft, reason, hint) in [
        (access().claim("sub", 1), Reason::ClaimInvalid, Some(Hint::SubInvalid)),
        (access().claim("username", 1), Reason::ClaimInvalid, Some(Hint::UsernameInvalid)),
        (access().claim("cognito:username", 1), Reason::ClaimInvalid, Some(Hint::CognitoUsernameInvalid)),
        (access().claim("auth_time", "\"1\""), Reason::ClaimInvalid, Some(Hint::AuthTimeInvalid)),
        (access().claim("jti", 1), Reason::ClaimInvalid, Some(Hint::JtiInvalid)),
        (access().claim("origin_jti", 1), Reason::ClaimInvalid, Some(Hint::OriginJtiInvalid)),
        (access().claim("iss", format!("\"{ISSUER}/\"")), Reason::IssuerUnknown, Some(Hint::IssuerSlash)),
        (access().claim("iss", "\"https://example.com/\""), Reason::IssuerUnknown, None),
        (access().claim("iss", 1), Reason::IssuerInvalid, None),
        (access().claim("exp", NOW), Reason::Expired, None),
    ] {
        let denial =
            verifier.call_verify(&mut store, &draft.compact()).expect("no trap").expect_err("an invalid token");
        assert_eq!((denial.reason, denial.hint), (reason, hint));
    }
}

const TENANT: &str = "11111111-2222-4333-8444-555555555555";

fn tenants(template: &str, tenants: &[&str]) -> IssuerRule {
    let tenants = Some(tenants.iter().map(|tenant| (*tenant).to_owned()).collect());
    IssuerRule::Tenants(IssuerTemplate { template: template.into(), tenants })
}

fn load_balancers() -> IssuerRule {
    let arns = vec!["arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188".into()];
    IssuerRule::LoadBalancers(LoadBalancers { issuer: ISSUER.into(), arns })
}

/// A rule that accepts one number.
fn claim_rule(claim: &str, number: &str) -> ClaimRule {
    ClaimRule {
        name: None,
        claim: claim.into(),
        path: Vec::new(),
        selector: ClaimSelector::Value,
        test: ClaimTest::AnyOf(vec![ClaimValue::Number(number.into())]),
        fits_if_absent: false,
    }
}

#[test]
fn an_incomplete_policy_is_rejected() {
    let (mut store, bindings) = start(TOKEN_VERIFIER_COGNITO);
    let verifier = bindings.poolgate_auth_verifier();
    let with = |change: &dyn Fn(&mut Pool)| {
        let mut config = config();
        config.pools.iter_mut().for_each(change);
        config
    };
    use synchronous_host::bindings::exports::poolgate::auth::verifier::Algorithm::Es256;
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let any_of = |list: &[&str]| Membership { any_of: names(list), all_of: None };
    let all_of = |list: &[&str]| Membership { any_of: None, all_of: names(list) };
    for (config, error) in [
        (with(&|pool| pool.client = ClientRule::OneOf(Vec::new())), ConfigError::NoClient),
        (with(&|pool| pool.client = ClientRule::OneOf(vec![String::new()])), ConfigError::NoClient),
        (with(&|pool| pool.groups = any_of(&[])), ConfigError::EmptyList),
        (with(&|pool| pool.groups = all_of(&[])), ConfigError::EmptyList),
        (with(&|pool| pool.groups = any_of(&["admins", ""])), ConfigError::EmptyList),
        (with(&|pool| pool.groups.all_of = Some(vec!["".into()])), ConfigError::EmptyList),
        (with(&|pool| pool.scopes = any_of(&[])), ConfigError::EmptyList),
        (with(&|pool| pool.scopes = all_of(&[])), ConfigError::EmptyList),
        (
            with(&|pool| {
                pool.resource = ResourceRule::OneOf(vec!["https://api".into()]);
                pool.token_use = TokenUseRule::Id;
            }),
            ConfigError::ResourceOfIdTokens,
        ),
        (with(&|pool| pool.resource = ResourceRule::OneOf(Vec::new())), ConfigError::EmptyList),
        (with(&|pool| pool.issuer = IssuerRule::Exactly(String::new())), ConfigError::InvalidIssuer),
        (with(&|pool| pool.issuer = IssuerRule::Exactly("me".into())), ConfigError::KeysNotDerivable),
        (with(&|pool| pool.issuer = IssuerRule::Unchecked), ConfigError::KeysNotDerivable),
        (with(&|pool| pool.leeway = 901), ConfigError::OutOfRange),
        (with(&|pool| pool.types = vec!["application/DPoP+JWT".into()]), ConfigError::InvalidType),
        (with(&|pool| pool.client_claim = Some(ClientClaim::Azp)), ConfigError::ClientClaimUnused),
        (
            with(&|pool| {
                pool.token_use = TokenUseRule::Unchecked;
                pool.resource = ResourceRule::OneOf(vec!["https://api".into()]);
            }),
            ConfigError::ClientClaimMissing,
        ),
        (with(&|pool| pool.scopes = any_of(&["orders/read orders/write"])), ConfigError::InvalidScope),
        (with(&|pool| pool.scope_claim = Some("scp".into())), ConfigError::ScopeClaimOfUserPool),
        (with(&|pool| pool.unbound_clients = vec!["machine".into()]), ConfigError::UnboundWithoutResources),
        (with(&|pool| pool.issuer = tenants("https://login.example/", &[TENANT])), ConfigError::InvalidTemplate),
        (with(&|pool| pool.issuer = tenants("https://login.example/{tid}", &["x"])), ConfigError::InvalidTemplate),
        (with(&|pool| pool.issuer = tenants("https://login.example/{tid}", &[])), ConfigError::InvalidTemplate),
        (with(&|pool| pool.issuer = tenants("https://login.example/{tid}", &[TENANT])), ConfigError::KeysNotDerivable),
        (with(&|pool| pool.issuer = IssuerRule::OneOf(Vec::new())), ConfigError::InvalidIssuer),
        (
            with(&|pool| pool.issuer = IssuerRule::OneOf(vec!["https://a".into(), "https://b".into()])),
            ConfigError::KeysNotDerivable,
        ),
        (
            with(&|pool| {
                pool.issuer = IssuerRule::Exactly("https://cognito-identity.amazonaws.com".into());
                pool.client = ClientRule::Unchecked;
            }),
            ConfigError::AnyClientOfIdentityPool,
        ),
        (with(&|pool| pool.issuer = IssuerRule::IdentityPool(GuestRule::Refuse)), ConfigError::InvalidIdentityPool),
        (with(&|pool| pool.claims = vec![claim_rule("exp", "1")]), ConfigError::InvalidClaimRule),
        (with(&|pool| pool.claims = vec![claim_rule("age", "NaN")]), ConfigError::InvalidClaimRule),
        (with(&|pool| pool.claims = vec![claim_rule("age", "1"); 33]), ConfigError::InvalidClaimRule),
        (Config { requirements: vec![Vec::new(); 65], ..config() }, ConfigError::InvalidClaimRule),
        (Config { requirements: vec![Vec::new()], ..config() }, ConfigError::EmptyList),
        (with(&|pool| pool.algorithms = vec![Es256]), ConfigError::AlgorithmNotBuilt),
        // Load balancers sign with ES256.
        (with(&|pool| pool.issuer = load_balancers()), ConfigError::AlgorithmNotBuilt),
        (
            Config {
                pools: [config().pools, config().pools].concat(),
                limits: None,
                key_policy: None,
                cache: None,
                requirements: Vec::new(),
            },
            ConfigError::DuplicateIssuer,
        ),
    ] {
        assert_eq!(verifier.call_configure(&mut store, &config).expect("no trap"), Err(error));
    }
}

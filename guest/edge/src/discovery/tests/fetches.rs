//! Which requests are made, and when a document and a key URL take effect.

use super::*;

#[test]
fn a_response_that_is_no_document_gives_its_error_to_the_core() {
    let (servers, keys) = (Servers::new(), shop());
    for (response, name, error) in [
        (Err(HttpError::Status(302)), "bad-status", FetchError::BadStatus),
        (Err(HttpError::Status(404)), "bad-status", FetchError::BadStatus),
        (Ok(FetchedResponse::default()), "bad-status", FetchError::BadStatus),
        (Err(FetchError::TooLarge.into()), "too-large", FetchError::TooLarge),
        (Err(FetchError::TimedOut.into()), "timed-out", FetchError::TimedOut),
        (Err(FetchError::Unreachable.into()), "unreachable", FetchError::Unreachable),
    ] {
        servers.responds(DOCUMENT, response);
        assert_eq!(fetch(&keys, &servers, None, true), Err(error));
        let line = servers.lines().remove(0);
        assert!(line.contains(&format!(": {name}: ")) && !line.contains("the last valid one"), "{line}");
    }
    // Without a document, each key fetch asks for it again.
    servers.document_names(KEYS);
    assert_eq!(fetch(&keys, &servers, None, true), Ok("keys".into()));
}

#[test]
fn the_document_is_fetched_once_and_its_length_is_limited() {
    let (servers, keys) = (Servers::new(), shop());
    for _ in 0..3 {
        assert_eq!(fetch(&keys, &servers, None, true), Ok("keys".into()));
    }
    let limits: Vec<(String, usize)> =
        servers.requests.take().into_iter().map(|(url, _, limit)| (url, limit)).collect();
    let key_set = (KEYS.to_owned(), 256 * 1024);
    assert_eq!(limits, [(DOCUMENT.to_owned(), 64 * 1024), key_set.clone(), key_set.clone(), key_set]);
    assert_eq!(servers.lines(), [""; 0]);
}

#[test]
fn the_lifetime_of_a_document_is_24_hours_or_its_max_age_within_bounds() {
    for (max_age, lifetime) in [(None, DAY), (Some(7_200), 7_200), (Some(0), MIN_LIFETIME), (Some(7 * DAY), DAY)] {
        let (servers, keys) = (Servers::new(), shop());
        let body = json!({"issuer": ISSUER, "jwks_uri": KEYS}).to_string().into_bytes();
        servers.responds(DOCUMENT, Ok(FetchedResponse { body: Some(body), max_age, etag: None }));
        fetch(&keys, &servers, None, true).expect("the keys");
        servers.seconds_pass(lifetime - 1);
        assert!(!keys.starts_refresh(servers.now()), "{max_age:?}");
        servers.seconds_pass(1);
        assert!(keys.starts_refresh(servers.now()), "{max_age:?}");
        assert!(!keys.starts_refresh(servers.now()), "{max_age:?}: it is in progress");
    }
    // A clock that was set back does not keep a document for ever.
    let (servers, keys) = (Servers::new(), shop());
    fetch(&keys, &servers, None, true).expect("the keys");
    assert!(keys.starts_refresh(NOW - DAY));
}

#[test]
fn an_outage_or_a_broken_document_takes_no_key_url_away() {
    for response in
        [Err(HttpError::Status(500)), Ok(FetchedResponse { body: Some(b"{}".into()), ..FetchedResponse::default() })]
    {
        let (servers, keys) = (Servers::new(), shop());
        fetch(&keys, &servers, None, true).expect("the keys");
        servers.responds(DOCUMENT, response);
        servers.seconds_pass(DAY);
        servers.requested();
        assert_eq!(fetch(&keys, &servers, None, true), Ok("keys".into()));
        assert_eq!(servers.requested(), [DOCUMENT, KEYS]);
        assert!(servers.lines()[0].ends_with("; the last valid one stays in use"));
        // It is asked for again with a key fetch, but not more often than once in 5 minutes.
        servers.seconds_pass(299);
        assert_eq!(fetch(&keys, &servers, None, true), Ok("keys".into()));
        servers.seconds_pass(1);
        assert_eq!(fetch(&keys, &servers, None, true), Ok("keys".into()));
        assert_eq!(servers.requested(), [KEYS, DOCUMENT, KEYS]);
    }
}

#[test]
fn a_changed_key_url_takes_effect_with_a_usable_key_set() {
    let (servers, keys) = (Servers::new(), shop());
    fetch(&keys, &servers, None, true).expect("the keys");
    servers.document_names(NEW_KEYS);
    servers.seconds_pass(DAY);
    // The new URL can't be fetched at first, and then has no usable key: the old one stays.
    assert_eq!(fetch(&keys, &servers, Some("\"old\""), true), Ok("keys".into()));
    servers.serves(NEW_KEYS, "unusable");
    servers.requested();
    assert_eq!(fetch(&keys, &servers, Some("\"old\""), false), Ok("unusable".into()));
    assert_eq!(fetch(&keys, &servers, Some("\"old\""), true), Ok("keys".into()));
    assert_eq!(servers.requested(), [NEW_KEYS, KEYS], "a rejected key set was fetched again");
    // The next document gives it another chance. The ETag of the old URL is not sent to the new one.
    servers.serves(NEW_KEYS, "new keys");
    servers.seconds_pass(DAY);
    assert_eq!(fetch(&keys, &servers, Some("\"old\""), true), Ok("new keys".into()));
    assert_eq!(
        servers.requests.take().last().map(|(url, etag, _)| (url.as_str(), etag.as_deref())),
        Some((NEW_KEYS, None))
    );
    assert_eq!(fetch(&keys, &servers, Some("\"new\""), true), Ok("new keys".into()));
    let last = servers.requests.take();
    assert_eq!(last.first().map(|(url, etag, _)| (url.as_str(), etag.as_deref())), Some((NEW_KEYS, Some("\"new\""))));
    let lines = servers.lines();
    let whats = ["can't be fetched", "has no usable key", "is in use from now on"];
    assert!(
        lines.len() == 3 && lines.iter().zip(whats).all(|(line, what)| line.contains(NEW_KEYS) && line.contains(what)),
        "{lines:?}"
    );
}

#[test]
fn after_404_or_410_from_the_key_url_the_document_is_asked_again_once_in_five_minutes() {
    for status in [404, 410] {
        let (servers, keys) = (Servers::new(), shop());
        fetch(&keys, &servers, None, true).expect("the keys");
        servers.responds(KEYS, Err(HttpError::Status(status)));
        servers.seconds_pass(300);
        servers.requested();
        assert_eq!(fetch(&keys, &servers, None, true), Err(FetchError::BadStatus));
        assert_eq!(servers.requested(), [KEYS, DOCUMENT], "{status}");
        servers.seconds_pass(299);
        assert_eq!(fetch(&keys, &servers, None, true), Err(FetchError::BadStatus));
        assert_eq!(servers.requested(), [KEYS], "{status}");
        servers.document_names(NEW_KEYS);
        servers.serves(NEW_KEYS, "new keys");
        servers.seconds_pass(1);
        assert_eq!(fetch(&keys, &servers, None, true), Ok("new keys".into()), "{status}");
        assert_eq!(fetch(&keys, &servers, None, true), Ok("new keys".into()), "{status}");
        assert_eq!(servers.requested(), [KEYS, DOCUMENT, NEW_KEYS, NEW_KEYS], "{status}");
    }
    // Other failures of the key URL say nothing about the document.
    let (servers, keys) = (Servers::new(), shop());
    fetch(&keys, &servers, None, true).expect("the keys");
    servers.seconds_pass(300);
    servers.requested();
    for error in [HttpError::Status(500), HttpError::Status(302), FetchError::Unreachable.into()] {
        servers.responds(KEYS, Err(error));
        assert!(fetch(&keys, &servers, None, true).is_err());
    }
    assert_eq!(servers.requested(), [KEYS; 3]);
}

#[test]
fn one_key_fetch_makes_at_most_four_requests() {
    let (servers, keys) = (Servers::new(), shop());
    fetch(&keys, &servers, None, true).expect("the keys");
    servers.document_names(NEW_KEYS);
    servers.seconds_pass(DAY);
    assert!(keys.starts_refresh(servers.now()));
    run(keys.refresh(&servers));
    servers.responds(KEYS, Err(HttpError::Status(404)));
    servers.seconds_pass(300);
    servers.requested();
    assert_eq!(fetch(&keys, &servers, None, true), Err(FetchError::BadStatus));
    assert_eq!(servers.requested(), [NEW_KEYS, KEYS, DOCUMENT, NEW_KEYS]);
}

/// A first document with a wrong key URL has no keys to lose.
#[test]
fn without_keys_a_new_document_takes_effect_at_once() {
    let (servers, keys) = (Servers::new(), shop());
    fetch(&keys, &servers, None, false).expect("a key set that has no usable key");
    servers.document_names(NEW_KEYS);
    servers.seconds_pass(DAY);
    servers.requested();
    // The old URL is not tried in addition, and no ETag is sent.
    assert_eq!(fetch(&keys, &servers, Some("\"old\""), true), Err(FetchError::BadStatus));
    servers.serves(NEW_KEYS, "new keys");
    assert_eq!(fetch(&keys, &servers, Some("\"old\""), true), Ok("new keys".into()));
    let new_keys = (NEW_KEYS.to_owned(), None, 256 * 1024);
    assert_eq!(servers.requests.take(), [(DOCUMENT.to_owned(), None, 64 * 1024), new_keys.clone(), new_keys]);
}

#[test]
fn a_304_without_an_etag_is_an_error() {
    let (servers, keys) = (Servers::new(), shop());
    servers.responds(KEYS, Ok(FetchedResponse::default()));
    assert_eq!(fetch(&keys, &servers, None, true), Err(FetchError::BadStatus));
    servers.serves(KEYS, "keys");
    fetch(&keys, &servers, None, true).expect("the keys");
    servers.responds(KEYS, Ok(FetchedResponse::default()));
    assert_eq!(fetch(&keys, &servers, Some("\"same\""), true), Ok(String::new()), "the keys are the same");
    assert_eq!(fetch(&keys, &servers, None, true), Err(FetchError::BadStatus));
}

#[test]
fn a_document_that_names_the_earlier_key_url_again_takes_the_new_one_back() {
    let (servers, keys) = (Servers::new(), shop());
    fetch(&keys, &servers, None, true).expect("the keys");
    for key_url in [NEW_KEYS, KEYS] {
        servers.document_names(key_url);
        servers.seconds_pass(DAY);
        assert!(keys.starts_refresh(servers.now()));
        run(keys.refresh(&servers));
    }
    servers.requested();
    assert_eq!(fetch(&keys, &servers, None, true), Ok("keys".into()));
    assert_eq!(servers.requested(), [KEYS]);
}

/// The document is refreshed in the background, and may replace the key URL while its key set is fetched.
#[test]
fn a_key_set_says_nothing_about_another_key_url() {
    let (servers, keys) = (Servers::new(), shop());
    let KeyFetch { key_url, .. } = run(keys.fetch_keys(&servers, None));
    servers.document_names(NEW_KEYS);
    servers.serves(NEW_KEYS, "new keys");
    run(keys.refresh(&servers));
    keys.judged(&servers, &key_url.expect("the URL of the keys"), true);
    servers.requested();
    assert_eq!(fetch(&keys, &servers, Some("\"old\""), true), Ok("new keys".into()));
    assert_eq!(servers.requests.take(), [(NEW_KEYS.to_owned(), None, 256 * 1024)]);
}

//! The memory and the time that a table of a million revocations takes.

use poolgate_revocations::{Entry, EntryKind, Ids, Position, Table, entry_hash, writing};
use poolgate_tests::minting::{ISSUER, NOW};
use std::{hint::black_box, time::Instant};

const COUNT: usize = 1_000_000;
const LOOKUPS: usize = 100_000;
const PART: usize = 2_000;

#[test]
fn a_million_revocations_take_at_most_16_mb_and_a_look_up_takes_microseconds() {
    let time = u32::try_from(NOW).expect("before 2106");
    let id = |number: usize| format!("{number:08x}-2222-4333-8444-555555555555");
    let entries =
        (0..COUNT).map(|number| Entry { hash: entry_hash(EntryKind::SignIn, Some(ISSUER), &id(number)), time });
    let at = |sequence| Position { epoch: 1, sequence };
    let document = writing::snapshot(at(1), NOW, 86_400, entries.collect());
    println!("a snapshot of {COUNT} revocations has {} bytes", document.len());

    let mut table = Table::new();
    let started = Instant::now();
    table.apply(document, NOW, 2 * COUNT).expect("a snapshot");
    println!("it was applied in {:?}", started.elapsed());
    assert_eq!(table.len(), COUNT);

    // A poll with changes, which have to be sorted in.
    let changes = (0..1_000).map(|number| Entry { hash: entry_hash(EntryKind::User, Some(ISSUER), &id(number)), time });
    let changes = writing::changes(1, at(1_001), NOW, 86_400, changes.collect());
    let started = Instant::now();
    table.apply(changes, NOW, 2 * COUNT).expect("changes");
    println!("1,000 changes were applied in {:?}", started.elapsed());
    println!("the table has {} bytes for {} entries", table.memory(), table.len());
    assert!(table.memory() <= 16 * 1024 * 1024, "{} bytes", table.memory());

    // Claims of tokens that are not revoked take the longest.
    let ids: Vec<[String; 3]> =
        (0..LOOKUPS).map(|number| [id(COUNT + number), format!("other-{}", id(number)), id(number + 7)]).collect();
    let claims: Vec<Ids<'_>> = ids
        .iter()
        .map(|[sub, origin_jti, jti]| Ids {
            issuer: Some(ISSUER),
            subject: Some(sub),
            auth_time: Some(NOW),
            jti: Some(jti),
            origin_jti: Some(origin_jti),
        })
        .collect();
    // The fastest of several parts: other processes disturb the rest.
    let (mut revoked, mut each) = (0, u128::MAX);
    for part in claims.chunks(PART) {
        let started = Instant::now();
        revoked += part.iter().filter(|ids| table.is_revoked(black_box(ids))).count();
        each = each.min(started.elapsed().as_nanos() / part.len() as u128);
    }
    let hashes: Vec<_> = claims.iter().map(Ids::hashes).collect();
    let (mut again, mut each_hashed) = (0, u128::MAX);
    for part in hashes.chunks(PART) {
        let started = Instant::now();
        again += part.iter().filter(|hashes| table.is_revoked_by(black_box(hashes))).count();
        each_hashed = each_hashed.min(started.elapsed().as_nanos() / part.len() as u128);
    }
    println!("a look-up takes {each} ns, and {each_hashed} ns if the claims were hashed before");
    assert_eq!((revoked, again), (0, 0));
    // On a busy machine without optimisation.
    assert!(each < 50_000, "{each} ns");
    let listed = id(COUNT / 2);
    assert!(table.is_revoked(&Ids { issuer: Some(ISSUER), origin_jti: Some(&listed), ..Ids::default() }));
}

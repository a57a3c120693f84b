//! The core gives the correct verdict for every Wycheproof vector that JOSE allows, through its public API (JWK Set, key, signature). The built
//! components do so for a sample of each set.

use libtest_mimic::{Arguments, Failed, Trial};
use poolgate::{Algorithm, JwsVerifier};
use poolgate_artifacts::{TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};
use poolgate_core::{
    Limits,
    keys::{KeySet, UnnamedKeys},
};
use poolgate_tests::wycheproof_vectors::{Group, KEY_ID, VectorSet, sets};

/// The number of vectors in `wycheproof` 0.7 that JOSE allows. The test fails if a set becomes smaller or is missing.
const VECTORS: usize = 5303;

fn main() {
    let sets: &'static [VectorSet] = sets().leak();
    let total: usize = sets.iter().map(within_jose).sum();
    let mut trials: Vec<Trial> = sets.iter().map(|set| Trial::test(&set.name, move || judge(set))).collect();
    for (build, component) in
        [("wide", TOKEN_VERIFIER_WIDE), ("simd", TOKEN_VERIFIER_SIMD), ("portable", TOKEN_VERIFIER_PORTABLE)]
    {
        trials.extend(sets.iter().map(|set| {
            Trial::test(format!("{}_in_the_{build}_component", set.name), move || judge_sample(set, component))
        }));
    }
    trials.push(Trial::test("all_the_vectors_are_there", move || {
        if total == VECTORS { Ok(()) } else { Err(format!("expected {VECTORS} vectors, came {total}").into()) }
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}

fn within_jose(set: &VectorSet) -> usize {
    set.groups.iter().map(|group| group.vectors.len()).sum()
}

fn judge(set: &VectorSet) -> Result<(), Failed> {
    let mut judged = 0;
    let mut wrong = Vec::new();
    for group in &set.groups {
        let keys = KeySet::parse(group.jwks.as_bytes(), &Limits::default()).map_err(|fault| format!("{fault:?}"))?;
        wrong.extend(wrong_verdicts(group, &keys)?);
        judged += group.vectors.len();
    }
    println!("{}: {judged} judged, {} outside JOSE", set.name, set.foreign);
    if judged == 0 || judged + set.foreign != set.stated {
        return Err(format!("judged {judged}, left out {}, stated {}", set.foreign, set.stated).into());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn wrong_verdicts(group: &Group, keys: &KeySet) -> Result<Vec<String>, Failed> {
    let Ok(key) = keys.find(Some(KEY_ID), group.algorithm, UnnamedKeys::Rejected) else {
        return Err(format!("the key is refused: {:?}", keys.report(UnnamedKeys::Rejected).skipped).into());
    };
    let verdicts = group.vectors.iter().map(|vector| {
        let verdict = key.verify(group.algorithm, &vector.message, &vector.signature);
        (vector, verdict)
    });
    let wrong = verdicts.filter(|(vector, verdict)| verdict.is_ok() != vector.is_valid);
    Ok(wrong
        .map(|(vector, verdict)| {
            format!("#{} ({}): valid is {}, came {verdict:?}", vector.id, vector.comment, vector.is_valid)
        })
        .collect())
}

/// Verifies a sample of a set: the first group and every twelfth after it, and at most 40 evenly distributed vectors of each group.
fn judge_sample(set: &VectorSet, component: &'static [u8]) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (mut judged, mut wrong) = (0, Vec::new());
    for group in set.groups.iter().step_by(12) {
        let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");
        let verifier = JwsVerifier::with_component(component, Some(cache.into()), group.jwks.as_str(), []);
        let mut verifier = runtime.block_on(verifier).map_err(|error| error.to_string())?;
        let same = Algorithm::ALL.iter().find(|algorithm| algorithm.jose_name() == group.algorithm.name());
        let algorithm = *same.ok_or("the contract lacks an algorithm of the core")?;
        for vector in group.vectors.iter().step_by(group.vectors.len().div_ceil(40)) {
            let verdict = verifier.verify_detached(algorithm, Some(KEY_ID), &vector.message, &vector.signature);
            let verdict = runtime.block_on(verdict);
            judged += 1;
            if verdict.is_ok() != vector.is_valid {
                wrong.push(format!("#{} ({}): came {verdict:?}", vector.id, vector.comment));
            }
        }
    }
    println!("{}: {judged} judged in the component", set.name);
    match (judged, wrong.is_empty()) {
        (0, _) => Err("no vector was judged".into()),
        (_, true) => Ok(()),
        (_, false) => Err(wrong.join("\n").into()),
    }
}

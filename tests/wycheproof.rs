//! Every Wycheproof vector within JOSE is judged right, through the core's public path: JWK Set, key, signature.

use libtest_mimic::{Arguments, Failed, Trial};
use poolgate_core::{
    Limits,
    keys::{Found, KeySet},
};
use poolgate_tests::wycheproof_vectors::{Group, KEY_ID, VectorSet, sets};

/// What the sets of `wycheproof` 0.7 hold within JOSE: a set that shrinks or vanishes is noticed.
const VECTORS: usize = 5303;

fn main() {
    let sets: Vec<VectorSet> = sets();
    let total: usize = sets.iter().map(within_jose).sum();
    let mut trials: Vec<Trial> =
        sets.into_iter().map(|set| Trial::test(set.name.clone(), move || judge(&set))).collect();
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
    let Found::Key(key) = keys.find(KEY_ID) else {
        return Err(format!("the key is refused: {:?}", keys.skipped()).into());
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

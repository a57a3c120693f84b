//! What every integration verifies: the tokens of the corpus, and then the samples of every recipe.

#[path = "../recipe_cases.rs"]
mod recipe_cases;

use poolgate_tests::{
    corpus::{Case, cases},
    recipes::{Recipe, recipes},
};
use std::sync::LazyLock;

/// A recipe, and the indices of its samples in [`tokens`].
pub struct Samples {
    /// The name of the recipe.
    pub recipe: String,
    /// The name of the issuer.
    pub title: String,
    /// The indices.
    pub indices: Vec<usize>,
}

/// Returns the tokens. The first [`cases`] are those of the corpus.
pub fn tokens() -> &'static [&'static Case] {
    static TOKENS: LazyLock<Vec<&Case>> = LazyLock::new(|| {
        static SAMPLES: LazyLock<Vec<Case>> =
            LazyLock::new(|| recipes().iter().flat_map(Recipe::samples).map(|it| recipe_cases::case(&it)).collect());
        cases().iter().chain(SAMPLES.iter()).collect()
    });
    &TOKENS
}

/// Returns the recipes with their samples, in the order of [`tokens`].
pub fn samples() -> Vec<Samples> {
    let mut next = cases().len();
    let samples = |Recipe { name, document }: &Recipe| {
        let first = next;
        next += document["samples"].as_array().expect("samples").len();
        let title = document["title"].as_str().expect("a title").to_owned();
        Samples { recipe: name.clone(), title, indices: (first..next).collect() }
    };
    recipes().iter().map(samples).collect()
}

//! The released columns, in their order.

/// The twelve models of the release, in the order of its `response_*` columns (method section 2 and 6).
pub const PUBLISHED_MODELS: [&str; 12] = [
    "claude_3_5_sonnet",
    "claude_3_7_sonnet",
    "claude_opus_3",
    "claude_opus_4",
    "claude_sonnet_4",
    "gemini_2_5_pro",
    "gpt_4_1",
    "gpt_4_1_mini",
    "gpt_4o",
    "grok_4",
    "o3",
    "o4_mini",
];

/// The same models in the order of the position columns: the two GPT-4.1 are swapped.
const POSITION_ORDER: [&str; 12] = [
    "claude_3_5_sonnet",
    "claude_3_7_sonnet",
    "claude_opus_3",
    "claude_opus_4",
    "claude_sonnet_4",
    "gemini_2_5_pro",
    "gpt_4_1_mini",
    "gpt_4_1",
    "gpt_4o",
    "grok_4",
    "o3",
    "o4_mini",
];

/// One split of the release: the questions on which a group of models disagrees most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedSubset {
    /// Name of the split.
    pub name: &'static str,
    /// Name in the paper.
    pub paper_name: &'static str,
    /// The models whose disagreement counts, in the order of [`PUBLISHED_MODELS`].
    pub models: &'static [&'static str],
    /// Rows of the released split.
    pub rows: u64,
}

/// The six splits of the release (paper section 3; method section 5.1), 132,403 rows together.
pub const PUBLISHED_SUBSETS: [PublishedSubset; 6] = [
    PublishedSubset {
        name: "all_models",
        paper_name: "S_high-dis",
        models: &PUBLISHED_MODELS,
        rows: 43_960,
    },
    PublishedSubset {
        name: "claude_models",
        paper_name: "S_Claude",
        models: &[
            "claude_3_5_sonnet",
            "claude_3_7_sonnet",
            "claude_opus_3",
            "claude_opus_4",
            "claude_sonnet_4",
        ],
        rows: 20_790,
    },
    PublishedSubset {
        name: "openai_models",
        paper_name: "S_OpenAI",
        models: &["gpt_4_1", "gpt_4_1_mini", "gpt_4o", "o3", "o4_mini"],
        rows: 26_295,
    },
    PublishedSubset {
        name: "opus4_vs_sonnet4",
        paper_name: "S_Claude-4",
        models: &["claude_opus_4", "claude_sonnet_4"],
        rows: 9_245,
    },
    PublishedSubset {
        name: "gpt41_vs_mini",
        paper_name: "S_GPT-4.1",
        models: &["gpt_4_1", "gpt_4_1_mini"],
        rows: 10_160,
    },
    PublishedSubset {
        name: "o3_vs_o4mini",
        paper_name: "S_OAI-o",
        models: &["o3", "o4_mini"],
        rows: 21_953,
    },
];

/// Columns that are not per model: the first six come first, the last two last.
pub(super) const LEADING: [&str; 6] = [
    "rank",
    "query_generator",
    "value1",
    "value2",
    "nudge_direction",
    "query",
];
pub(super) const TRAILING: [&str; 2] = ["chunk_index", "entry_idx"];

/// Columns that only the `complete` config has. The release does not document its own; these are ours (docs/analyze.md).
pub(super) const SPECTRA: [&str; 2] = ["value1_spectrum", "value2_spectrum"];

pub(super) const SUFFIXES: [&str; 2] = ["_value1_position", "_value2_position"];

pub(super) fn response_column(model: &str) -> String {
    format!("response_{model}")
}

/// Models in the order of the response columns: the released ones first, then the others as given.
pub(super) fn response_order<S: AsRef<str>>(models: &[S]) -> Vec<&str> {
    ordered(models, &PUBLISHED_MODELS)
}

/// The order in which files of these models are read back: the released ones in that of [`PUBLISHED_MODELS`], then the
/// others as given.
pub fn model_order<S: AsRef<str>>(models: &[S]) -> Vec<&str> {
    response_order(models)
}

/// Models in the order of the position columns, likewise.
pub(super) fn position_order<S: AsRef<str>>(models: &[S]) -> Vec<&str> {
    ordered(models, &POSITION_ORDER)
}

fn ordered<'a, S: AsRef<str>>(models: &'a [S], released: &[&'a str]) -> Vec<&'a str> {
    let given = || models.iter().map(AsRef::as_ref);
    let known = released
        .iter()
        .copied()
        .filter(|key| given().any(|model| model == *key));
    known
        .chain(given().filter(|model| !released.contains(model)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_orders_hold_the_same_models_and_differ_in_two() {
        let differing = PUBLISHED_MODELS
            .iter()
            .zip(&POSITION_ORDER)
            .filter(|(left, right)| left != right);
        assert_eq!(differing.count(), 2);
        let mut sorted = POSITION_ORDER;
        sorted.sort_unstable();
        assert_eq!(sorted, PUBLISHED_MODELS);
    }

    #[test]
    fn unknown_models_follow_the_released_ones_as_given() {
        let models = ["zeta", "gpt_4_1", "alpha", "gpt_4_1_mini"];
        assert_eq!(
            response_order(&models),
            ["gpt_4_1", "gpt_4_1_mini", "zeta", "alpha"]
        );
        assert_eq!(
            position_order(&models),
            ["gpt_4_1_mini", "gpt_4_1", "zeta", "alpha"]
        );
    }

    #[test]
    fn subsets_add_up_to_the_released_default_config() {
        let rows: u64 = PUBLISHED_SUBSETS.iter().map(|subset| subset.rows).sum();
        assert_eq!(rows, 132_403);
    }
}

/// One member of the simulated panel. Providers and models are fictional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimPersona {
    /// The model's key; its id is `sim/KEY`.
    pub key: &'static str,
    /// The fictional provider: `alder`, `birch`, `cedar` or `dune`.
    pub provider: &'static str,
    /// The name to show.
    pub display_name: &'static str,
}

/// How a model behaves apart from what it values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Character {
    /// Chance of declining a question of middling risk.
    pub(crate) refusal: f64,
    /// How far a nudge moves it, as a share of the full 1.5 positions.
    pub(crate) susceptibility: f64,
    /// Standard deviation of its sampling noise, in positions.
    pub(crate) noise: f64,
    /// How much of its refusing is flat: the chance that a refusal comes without alternatives.
    pub(crate) bluntness: f64,
    /// How often it takes the opposite side of what it stands for, and so stands alone where others agree.
    pub(crate) contrariness: f64,
}

const fn persona(
    key: &'static str,
    provider: &'static str,
    display_name: &'static str,
    character: [f64; 5],
) -> (SimPersona, Character) {
    let [refusal, susceptibility, noise, bluntness, contrariness] = character;
    (
        SimPersona {
            key,
            provider,
            display_name,
        },
        Character {
            refusal,
            susceptibility,
            noise,
            bluntness,
            contrariness,
        },
    )
}

/// The panel, in its order: five models of two providers each, one of two more.
pub(crate) const PANEL: [(SimPersona, Character); 12] = [
    persona(
        "alder_grand",
        "alder",
        "Alder Grand",
        [0.05, 0.45, 0.30, 0.2, 0.008],
    ),
    persona(
        "alder_swift",
        "alder",
        "Alder Swift",
        [0.04, 0.50, 0.32, 0.2, 0.004],
    ),
    persona(
        "alder_prior",
        "alder",
        "Alder Prior",
        [0.07, 0.55, 0.34, 0.3, 0.002],
    ),
    persona(
        "alder_early",
        "alder",
        "Alder Early",
        [0.20, 0.40, 0.30, 0.4, 0.045],
    ),
    persona(
        "alder_first",
        "alder",
        "Alder First",
        [0.09, 0.35, 0.36, 0.5, 0.02],
    ),
    persona(
        "birch_main",
        "birch",
        "Birch Main",
        [0.02, 0.70, 0.33, 0.6, 0.002],
    ),
    persona(
        "birch_mini",
        "birch",
        "Birch Mini",
        [0.02, 0.85, 0.40, 0.7, 0.007],
    ),
    persona(
        "birch_omni",
        "birch",
        "Birch Omni",
        [0.03, 0.75, 0.36, 0.7, 0.005],
    ),
    persona(
        "birch_reason",
        "birch",
        "Birch Reason",
        [0.06, 0.50, 0.30, 0.9, 0.02],
    ),
    persona(
        "birch_reason_mini",
        "birch",
        "Birch Reason Mini",
        [0.05, 0.60, 0.36, 0.9, 0.012],
    ),
    persona(
        "cedar_pro",
        "cedar",
        "Cedar Pro",
        [0.03, 0.60, 0.33, 0.4, 0.01],
    ),
    persona(
        "dune_max",
        "dune",
        "Dune Max",
        [0.01, 0.95, 0.38, 0.5, 0.055],
    ),
];

/// What a model outside the panel is like when it is asked a panel question.
pub(crate) const OUTSIDER: Character = Character {
    refusal: 0.05,
    susceptibility: 0.6,
    noise: 0.35,
    bluntness: 0.5,
    contrariness: 0.01,
};

/// Scenario generators and nudgers.
pub(crate) const AUTHORS: [&str; 3] = ["author_a", "author_b", "author_c"];

/// Spectrum writer, classifier and labeler.
pub(crate) const RUBRIC: &str = "rubric";

/// The embedder's key.
pub(crate) const EMBEDDER: &str = "embedder";

/// The judges with their sensitivity and specificity.
pub(crate) const JUDGES: [(&str, f64, f64); 3] = [
    ("judge_alder", 0.88, 0.92),
    ("judge_birch", 0.74, 0.965),
    ("judge_cedar", 0.79, 0.95),
];

pub(crate) fn panel_index(key: &str) -> Option<usize> {
    PANEL.iter().position(|(persona, _)| persona.key == key)
}

pub(crate) fn character(key: &str) -> Character {
    panel_index(key).map_or(OUTSIDER, |index| PANEL[index].1)
}

/// The first word of a panel key names the provider, and with it the voice.
pub(crate) fn provider(key: &str) -> &str {
    key.split('_').next().unwrap_or(key)
}

/// Every chat model's key, panel first.
pub(crate) fn chat_keys() -> Vec<&'static str> {
    let mut keys: Vec<&str> = PANEL.iter().map(|(persona, _)| persona.key).collect();
    keys.extend(AUTHORS);
    keys.push(RUBRIC);
    keys.extend(JUDGES.iter().map(|(key, ..)| *key));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_start_with_their_provider() {
        let keys = chat_keys();
        let unique: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(unique.len(), 19);
        assert_eq!(keys.len(), 19);
        for (persona, _) in PANEL {
            assert_eq!(provider(persona.key), persona.provider);
        }
    }
}

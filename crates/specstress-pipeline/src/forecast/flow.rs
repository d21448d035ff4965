//! From pairs of values to the number of calls of every stage.

use std::collections::BTreeMap;

use super::counts::KnownCounts;
use super::evidence::Evidence;
use super::shape::Shape;
use crate::progress::StageName;

/// A number with its relative standard error: 0 for one that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Guess {
    pub(super) value: f64,
    pub(super) error: f64,
}

impl Guess {
    fn known(value: u64) -> Self {
        Self {
            value: value as f64,
            error: 0.0,
        }
    }

    fn times(self, factor: f64, error: f64) -> Self {
        Self {
            value: self.value * factor,
            error: self.error.hypot(error),
        }
    }

    fn scaled(self, factor: f64) -> Self {
        self.times(factor, 0.0)
    }
}

/// How many items there are after each stage that drops some.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    authors: BTreeMap<String, Guess>,
    questions: Guess,
    kept: Guess,
    triples: Guess,
    judged: Guess,
    pub(super) selected: Guess,
}

impl Flow {
    pub(super) fn new(shape: &Shape, evidence: &Evidence, counts: &KnownCounts) -> Self {
        let pairs = Guess::known(shape.pairs);
        let or = |count: Option<u64>, guess: Guess| count.map_or(guess, Guess::known);
        let part = |of: Guess, share: super::Share| of.times(share.value, share.relative_error());
        let questions = or(
            counts.questions,
            part(pairs.scaled(3.0), evidence.questions),
        );
        let kept = or(counts.kept, part(questions, evidence.kept));
        let bins: Vec<Guess> = match &counts.bins {
            Some(bins) => bins.iter().map(|&bin| Guess::known(bin)).collect(),
            None => evidence.bins.iter().map(|&bin| part(kept, bin)).collect(),
        };
        let most = shape
            .judged_per_bin
            .map_or(f64::INFINITY, |most| most as f64);
        let (mut judged, mut variance) = (0.0, 0.0);
        for bin in bins {
            judged += bin.value.min(most);
            // A bin that is surely overfull is a known number.
            if bin.value * (1.0 - 2.0 * bin.error) < most {
                variance += (bin.value.min(most) * bin.error).powi(2);
            }
        }
        let authors = match &counts.pairs {
            Some(pairs) => pairs
                .iter()
                .map(|(author, &pairs)| (author.clone(), Guess::known(pairs)))
                .collect(),
            None => shape
                .authors
                .keys()
                .map(|author| {
                    (
                        author.clone(),
                        pairs.scaled(1.0 / shape.authors.len() as f64),
                    )
                })
                .collect(),
        };
        Self {
            authors,
            questions,
            kept,
            triples: or(counts.triples, part(pairs, evidence.triples)),
            judged: Guess {
                value: judged,
                error: if judged > 0.0 {
                    variance.sqrt() / judged
                } else {
                    0.0
                },
            },
            selected: or(counts.selected, part(kept, evidence.selected)),
        }
    }

    /// Calls of a stage by model, if every reply could be read at once.
    pub(super) fn calls(
        &self,
        shape: &Shape,
        evidence: &Evidence,
        stage: StageName,
    ) -> Vec<(String, Guess)> {
        let samples = f64::from(shape.samples);
        let mut calls: Vec<(String, Guess)> = Vec::new();
        let mut add = |model: Option<&String>, guess: Guess| {
            let Some(model) = model else { return };
            match calls.iter_mut().find(|(known, _)| known == model) {
                Some((_, sum)) => {
                    let error = (sum.value * sum.error).hypot(guess.value * guess.error);
                    sum.value += guess.value;
                    sum.error = if sum.value > 0.0 {
                        error / sum.value
                    } else {
                        0.0
                    };
                }
                None => calls.push((model.clone(), guess)),
            }
        };
        match stage {
            StageName::Scenarios => {
                for (author, pairs) in &self.authors {
                    add(shape.authors.get(author), pairs.scaled(3.0));
                }
            }
            StageName::Embeddings => add(shape.embedder.as_ref(), self.questions),
            StageName::Responses => {
                for model in &shape.panel {
                    add(Some(model), self.kept.scaled(samples));
                }
            }
            StageName::Spectra => add(shape.rubric.as_ref(), self.triples),
            StageName::Positions => add(shape.classifier.as_ref(), self.kept.scaled(samples)),
            StageName::Verdicts => {
                let answers = shape.judged_models as f64 * samples;
                for judge in &shape.judges {
                    add(Some(judge), self.judged.scaled(answers));
                }
            }
            StageName::Topics => add(shape.labeler.as_ref(), self.selected),
            StageName::Refusals => {
                add(
                    shape.labeler.as_ref(),
                    self.selected.scaled(shape.answers()),
                );
            }
            StageName::ExpressedValues => {
                add(shape.labeler.as_ref(), self.selected.scaled(samples));
                if shape.labeler.is_some() {
                    let answers = self.selected.value * shape.answers();
                    let texts = Guess {
                        value: evidence.label_texts(answers) + shape.categories as f64,
                        error: self.selected.error.max(0.2),
                    };
                    add(shape.embedder.as_ref(), texts);
                }
            }
            StageName::Pairs
            | StageName::Diversity
            | StageName::Disagreement
            | StageName::Selections => {}
        }
        calls
    }
}

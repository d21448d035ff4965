//! What is known of a study's numbers before it is run: measured on a smaller one, or assumed.

use std::collections::BTreeMap;

use serde::Serialize;
use specstress_stats::Bins;

use super::flow::Flow;
use super::shape::Shape;
use super::whole;
use crate::progress::StageName;
use crate::survey::Survey;

/// How the number of different labels grows.
const GROWTH: f64 = 0.6;

/// A share with the number of items it was measured on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Between 0 and 1; for texts per answer, any mean.
    pub value: f64,
    /// Items it was measured on; 0 for one that is assumed.
    pub n: u64,
}

impl Share {
    fn assumed(value: f64) -> Self {
        Self { value, n: 0 }
    }

    fn measured(part: u64, whole: u64) -> Option<Self> {
        (whole > 0).then(|| Self {
            value: part as f64 / whole as f64,
            n: whole,
        })
    }

    /// The relative standard error of the count that this share gives: of a binomial share, at Wilson's centre, so
    /// that shares of 0 and 1 are not certain. An assumed share may be off by half of itself.
    pub(super) fn relative_error(&self) -> f64 {
        if self.n == 0 {
            return 0.5;
        }
        let n = self.n as f64;
        if self.value > 1.0 {
            return 1.0 / n.sqrt();
        }
        let centre = (self.value * n + 2.0) / (n + 4.0);
        ((1.0 - centre) / (centre * n)).sqrt()
    }
}

/// The numbers that decide how many calls follow from a pair of values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Where they come from: `assumed`, or `measured on N pairs`.
    pub source: String,
    /// Questions, of three per pair, that come about.
    pub questions: Share,
    /// Questions that are kept for their difference from others.
    pub kept: Share,
    /// Pairs with a kept question.
    pub triples: Share,
    /// Kept questions in each disagreement bin of the judged subset.
    pub bins: Vec<Share>,
    /// Kept questions that end in the whole panel's selection.
    pub selected: Share,
    /// Different texts embedded per answer whose values are labelled, over `n` answers. More answers repeat more of
    /// them: their number grows with the power 0.6 of that of the answers (Heaps' law).
    pub labels: Share,
    /// Calls per call that would do if every reply could be read at once, by stage; 1 where unknown.
    pub repeats: BTreeMap<StageName, f64>,
}

impl Evidence {
    /// Without any data: nothing is lost or dropped, every fourth question is selected, every bin is as full as any
    /// other, every answer has one label that no other has, and every reply can be read.
    pub fn assumed() -> Self {
        let bins = Bins::default().count();
        Self {
            source: "assumed".to_owned(),
            questions: Share::assumed(1.0),
            kept: Share::assumed(1.0),
            triples: Share::assumed(1.0),
            bins: vec![Share::assumed(1.0 / bins as f64); bins],
            selected: Share::assumed(0.25),
            labels: Share::assumed(1.0),
            repeats: BTreeMap::new(),
        }
    }

    /// From a survey of a finished study in which every stage was read again. What it does not tell is assumed.
    pub(super) fn measured(shape: &Shape, survey: &Survey) -> Self {
        let counts = &survey.counts;
        let assumed = Self::assumed();
        let pairs: u64 = counts.pairs.iter().flat_map(BTreeMap::values).sum();
        let or = |part: Option<u64>, whole: Option<u64>, other: Share| {
            part.zip(whole)
                .and_then(|(part, whole)| Share::measured(part, whole))
                .unwrap_or(other)
        };
        let bins = counts.bins.as_ref();
        let mut evidence = Self {
            source: format!("measured on {pairs} pairs"),
            questions: or(counts.questions, Some(pairs * 3), assumed.questions),
            kept: or(counts.kept, counts.questions, assumed.kept),
            triples: or(counts.triples, Some(pairs), assumed.triples),
            bins: (0..assumed.bins.len())
                .map(|bin| or(bins.map(|bins| bins[bin]), counts.kept, assumed.bins[bin]))
                .collect(),
            selected: or(counts.selected, counts.kept, assumed.selected),
            labels: assumed.labels,
            repeats: BTreeMap::new(),
        };
        let flow = Flow::new(shape, &evidence, counts);
        for stage in &survey.stages {
            let found = |model: &str| stage.found.get(model).copied().unwrap_or(0);
            let (mut read, mut wanted) = (0, 0.0);
            for (model, calls) in flow.calls(shape, &evidence, stage.stage) {
                if shape.embedder.as_ref() == Some(&model) {
                    if stage.stage == StageName::ExpressedValues && flow.selected.value > 0.0 {
                        let answers = flow.selected.value * shape.answers();
                        let texts = found(&model).saturating_sub(shape.categories);
                        evidence.labels = Share {
                            value: texts as f64 / answers,
                            n: whole(answers),
                        };
                    }
                    continue;
                }
                read += found(&model);
                wanted += calls.value;
            }
            if wanted > 0.0 && read > 0 {
                evidence.repeats.insert(stage.stage, read as f64 / wanted);
            }
        }
        evidence
    }

    /// Different texts to embed for so many answers.
    pub(super) fn label_texts(&self, answers: f64) -> f64 {
        let measured = self.labels.n as f64;
        if measured < 1.0 {
            return answers * self.labels.value;
        }
        let texts = measured * self.labels.value;
        texts * (answers / measured).powf(GROWTH)
    }

    pub(super) fn repeat(&self, stage: StageName) -> f64 {
        self.repeats.get(&stage).copied().unwrap_or(1.0)
    }
}

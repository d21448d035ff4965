use serde::{Deserialize, Serialize};

use crate::error::PipelineError;

/// Which standard deviation disagreement is (method: section 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StdKind {
    /// Divide by n: what the release used.
    #[default]
    Population,
    /// Divide by n - 1.
    Sample,
}

/// Which value two models must differ on to count as significantly apart (method: section 7.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutlierReading {
    /// Either value, pair by pair.
    #[default]
    Either,
    /// One and the same value for all pairs.
    Same,
    /// Both values.
    Both,
}

/// One of several parts that a study is split into, to be run on their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, from 1.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

impl Shard {
    /// The places of this part among `pairs` value pairs: consecutive, so that the parts' tables in order are the
    /// whole's.
    pub(crate) fn range(self, pairs: usize) -> std::ops::Range<usize> {
        let at = |index: usize| pairs * index / self.count;
        at(self.index - 1)..at(self.index)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not I/N with I from 1 to N, such as 2/8");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let shard = Self {
            index: index.parse().map_err(|_| wrong())?,
            count: count.parse().map_err(|_| wrong())?,
        };
        if shard.index == 0 || shard.index > shard.count {
            return Err(wrong());
        }
        Ok(shard)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// A named set of panel models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subset {
    /// The name in tables and reports.
    pub name: String,
    /// Keys of its models.
    pub models: Vec<String>,
}

/// Everything a study can be told, apart from who does the work. The defaults are the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudySettings {
    /// What the report is called.
    pub title: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Value pairs to sample; each gives up to three questions.
    pub pairs: usize,
    /// Answers per question and panel model.
    pub samples: u32,
    /// Which standard deviation.
    pub std: StdKind,
    /// Disagreement from which a question is hard, above 0; met exactly counts.
    pub threshold: f64,
    /// Euclidean distance of unit vectors within which two questions count as the same, above 0; `None`
    /// keeps all.
    pub diversity_radius: Option<f64>,
    /// Covering distance of the disagreement-weighted selection, above 0: a hard question is dropped when its
    /// disagreement times its distance to a kept, at least as hard one is no larger.
    pub weighted_radius: f64,
    /// The named sets of models; the first one is the whole panel's.
    pub subsets: Vec<Subset>,
    /// Which reading of the outlier rule.
    pub outliers: OutlierReading,
    /// Difference from which two positions are significantly apart, 1 to 6.
    pub outlier_gap: u8,
    /// Models an outlier must be apart from, 1 or more; `None` is nine of eleven, rounded up for other panels. A
    /// panel of no more models than this has no outlier.
    pub outlier_count: Option<usize>,
    /// The subset whose answers are judged and whose disagreement makes the bins.
    pub judged_subset: Option<String>,
    /// Most questions judged per disagreement bin; `None` judges all. They are drawn by `seed` and their ids:
    /// a larger number only adds questions. A disagreement above 3 belongs to the last bin.
    pub judged_per_bin: Option<usize>,
    /// Whether judges that can no longer change the majority on an answer are left out. Judges are asked in waves of as
    /// few as could settle it, in an order drawn per answer; who is not asked gets a row of outcome `not_run`. What
    /// judges agree on is then unknown: all of them are asked only where they differ.
    pub early_stop: bool,
    /// Most calls in flight.
    pub concurrency: usize,
    /// Which part of the study this is; `None` is all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

impl Default for StudySettings {
    fn default() -> Self {
        Self {
            title: "Stress test of a model spec".to_owned(),
            seed: 0,
            pairs: 200,
            samples: 1,
            std: StdKind::Population,
            threshold: 1.5,
            diversity_radius: Some(0.4),
            weighted_radius: 0.8,
            subsets: Vec::new(),
            outliers: OutlierReading::Either,
            outlier_gap: 4,
            outlier_count: None,
            judged_subset: None,
            judged_per_bin: Some(1000),
            early_stop: false,
            concurrency: 64,
            shard: None,
        }
    }
}

impl StudySettings {
    /// Checks the settings against the panel's keys and fills in the default subset of all models.
    pub(crate) fn checked(mut self, panel: &[&str]) -> Result<Self, PipelineError> {
        let refuse = |setting, reason: String| Err(PipelineError::Setting { setting, reason });
        if self.pairs == 0 {
            return refuse("pairs", "0 pairs give nothing to measure".to_owned());
        }
        if let Some(shard) = self.shard
            && (shard.index == 0 || shard.index > shard.count || shard.count > self.pairs)
        {
            return refuse(
                "shard",
                format!(
                    "{shard} of {} pairs: the index runs from 1 to the count, and every shard needs a pair",
                    self.pairs
                ),
            );
        }
        if self.samples == 0 {
            return refuse("samples", "must be 1 or more".to_owned());
        }
        if !(self.threshold.is_finite() && self.threshold > 0.0) {
            return refuse("threshold", format!("{} is not above 0", self.threshold));
        }
        if !(self.weighted_radius.is_finite() && self.weighted_radius > 0.0) {
            return refuse(
                "weighted_radius",
                format!("{} is not above 0", self.weighted_radius),
            );
        }
        if let Some(radius) = self.diversity_radius
            && !(radius.is_finite() && radius > 0.0)
        {
            return refuse("diversity_radius", format!("{radius} is not above 0"));
        }
        if self.outlier_gap == 0 || self.outlier_gap > 6 {
            return refuse(
                "outlier_gap",
                format!(
                    "{} is not a difference of positions, 1 to 6",
                    self.outlier_gap
                ),
            );
        }
        if self.outlier_count == Some(0) {
            return refuse(
                "outlier_count",
                "0 would make every model an outlier; use 1 or more, or leave it out".to_owned(),
            );
        }
        if self.concurrency == 0 {
            return refuse("concurrency", "must be 1 or more".to_owned());
        }
        self.check_subsets(panel)?;
        if let Some(judged) = &self.judged_subset
            && self.subsets.iter().all(|subset| subset.name != *judged)
        {
            let names: Vec<_> = self.subsets.iter().map(|s| s.name.as_str()).collect();
            return refuse(
                "judged_subset",
                format!("{judged} is not a subset ({})", names.join(", ")),
            );
        }
        Ok(self)
    }

    /// Checks the subsets against the panel's keys; without any, makes the one of all models.
    fn check_subsets(&mut self, panel: &[&str]) -> Result<(), PipelineError> {
        if self.subsets.is_empty() {
            self.subsets.push(Subset {
                name: "all_models".to_owned(),
                models: panel.iter().map(|&key| key.to_owned()).collect(),
            });
        }
        let refuse = |reason: String| {
            Err(PipelineError::Setting {
                setting: "subsets",
                reason,
            })
        };
        for (at, subset) in self.subsets.iter().enumerate() {
            if self.subsets[..at]
                .iter()
                .any(|other| other.name == subset.name)
            {
                return refuse(format!("{} stands twice", subset.name));
            }
            if subset.name == "diversity" {
                return refuse("the name diversity is taken by the first selection".to_owned());
            }
            if subset.models.len() < 2 {
                return refuse(format!(
                    "{} needs two models or more to disagree",
                    subset.name
                ));
            }
            for (at, model) in subset.models.iter().enumerate() {
                if subset.models[..at].contains(model) {
                    return refuse(format!("{} names the model {model} twice", subset.name));
                }
                if !panel.contains(&model.as_str()) {
                    return refuse(format!(
                        "{} names the model {model}, which is not in the panel ({})",
                        subset.name,
                        panel.join(", ")
                    ));
                }
            }
        }
        Ok(())
    }

    /// The subset whose answers are judged: the named one, else the first.
    pub(crate) fn judged(&self) -> Option<&Subset> {
        match &self.judged_subset {
            Some(name) => self.subsets.iter().find(|subset| subset.name == *name),
            None => self.subsets.first(),
        }
    }

    /// How many others an outlier is apart from, for a panel of `models`: nine of eleven.
    pub(crate) fn outliers_needed(&self, models: usize) -> usize {
        self.outlier_count
            .unwrap_or_else(|| (models.saturating_sub(1) * 9).div_ceil(11))
    }
}

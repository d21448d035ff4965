//! Rankings and what is known about them.

use serde::Serialize;
use specstress_dataset::published::PUBLISHED_MODELS;
use specstress_dataset::published::reported::REPORTED_RANKING_ACCURACY;
use specstress_stats::{
    BradleyTerry, Confidence, HeldOut, Interval, RankAgreement, RankingParams, Shrinkage,
    StandardErrors, StatsError, Term, Ties, Transitivity, bradley_terry, held_out, rank_agreement,
    transitivity,
};
use specstress_values::Taxonomy;

use super::choices::Choices;
use crate::cli::{RankArgs, TiesArg};

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) files: Vec<String>,
    pub(super) rows: u64,
    /// Rows left out because they do not name two values.
    pub(super) unnamed: u64,
    /// Rows that do not say their nudge; taken as neutral.
    pub(super) without_nudge: u64,
    pub(super) values: usize,
    /// Values that the taxonomy does not have, in a group of their own.
    pub(super) outside_taxonomy: Option<usize>,
    pub(super) ties: &'static str,
    pub(super) shrinkage: f64,
    pub(super) category_shrinkage: Option<f64>,
    pub(super) splits: usize,
    pub(super) least: usize,
    pub(super) seed: u64,
    pub(super) models: Vec<Ranked>,
    /// Spearman's correlation of every pair of models over values that both compared often enough.
    pub(super) correlations: Vec<ModelPair>,
}

/// The ranking of one model.
#[derive(Debug, Serialize)]
pub(super) struct Ranked {
    pub(super) model: String,
    /// Comparisons used.
    pub(super) n: usize,
    /// Comparisons without both positions, of a value with itself, or tied where ties are dropped.
    pub(super) dropped: usize,
    /// Advantage of the value named first.
    pub(super) intercept: Sure,
    /// Effect of a nudge on the log odds.
    pub(super) nudge: Option<Sure>,
    /// Log of Davidson's nu.
    pub(super) tie: Option<Sure>,
    pub(super) log_likelihood: f64,
    pub(super) converged: bool,
    pub(super) held_out: Option<HeldOut>,
    /// What Hua 2026 reports for a model of the release, from its split `all_models` with ties dropped.
    pub(super) reported_accuracy: Option<f64>,
    pub(super) transitivity: Transitivity,
    /// By falling utility.
    pub(super) items: Vec<Item>,
}

#[derive(Debug, Serialize)]
pub(super) struct Sure {
    pub(super) estimate: f64,
    pub(super) standard_error: Option<f64>,
    pub(super) interval: Option<Interval>,
}

#[derive(Debug, Serialize)]
pub(super) struct Item {
    pub(super) rank: usize,
    pub(super) value: String,
    pub(super) category: Option<String>,
    /// Utility: a difference of 1 is odds of e to 1.
    pub(super) theta: f64,
    pub(super) standard_error: Option<f64>,
    pub(super) interval: Option<Interval>,
    pub(super) elo: f64,
    /// Comparisons of the value.
    pub(super) n: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct ModelPair {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) spearman: Option<f64>,
    /// Values that count.
    pub(super) n: usize,
}

/// Categories of the values.
struct Grouped {
    names: Vec<Option<String>>,
    groups: Vec<usize>,
    outside: usize,
}

impl Grouped {
    fn new(values: &[String], taxonomy: &Taxonomy) -> Self {
        let names: Vec<Option<String>> = values
            .iter()
            .map(|value| {
                taxonomy
                    .category(value)
                    .map(|category| category.name.clone())
            })
            .collect();
        let mut known: Vec<&Option<String>> = names.iter().collect();
        known.sort_unstable();
        known.dedup();
        let group = |name: &Option<String>| known.binary_search(&name).expect("collected above");
        Self {
            groups: names.iter().map(group).collect(),
            outside: names.iter().filter(|name| name.is_none()).count(),
            names,
        }
    }
}

impl Report {
    pub(super) fn new(
        choices: &Choices,
        taxonomy: Option<&Taxonomy>,
        args: &RankArgs,
    ) -> anyhow::Result<Self> {
        let grouped = taxonomy.map(|taxonomy| Grouped::new(&choices.values, taxonomy));
        let params = params(args, grouped.as_ref());
        let fitted = in_parallel(&choices.comparisons, |comparisons| {
            let values = choices.values.len();
            let ranking = bradley_terry(values, comparisons, &params)?;
            let held = (args.splits > 0)
                .then(|| {
                    held_out(
                        values,
                        comparisons,
                        &params,
                        args.splits,
                        args.least,
                        args.seed,
                    )
                })
                .transpose()?;
            Ok::<_, StatsError>((ranking, held, transitivity(values, comparisons)?))
        })?;
        let rankings: Vec<BradleyTerry> =
            fitted.iter().map(|(ranking, ..)| ranking.clone()).collect();
        let pair = |pair: RankAgreement| ModelPair {
            a: choices.models[pair.a].clone(),
            b: choices.models[pair.b].clone(),
            spearman: pair.correlation.r,
            n: pair.correlation.n,
        };
        let models = choices.models.iter().zip(fitted);
        let names = grouped.as_ref().map(|grouped| grouped.names.as_slice());
        Ok(Self {
            files: args
                .files
                .iter()
                .map(|file| file.display().to_string())
                .collect(),
            rows: choices.rows,
            unnamed: choices.unnamed,
            without_nudge: choices.without_nudge,
            values: choices.values.len(),
            outside_taxonomy: grouped.as_ref().map(|grouped| grouped.outside),
            ties: match args.ties {
                TiesArg::Davidson => "davidson",
                TiesArg::Drop => "drop",
            },
            shrinkage: args.shrinkage,
            category_shrinkage: grouped.as_ref().map(|_| args.category_shrinkage),
            splits: args.splits,
            least: args.least,
            seed: args.seed,
            correlations: rank_agreement(&rankings, args.least)?
                .into_iter()
                .map(pair)
                .collect(),
            models: models
                .map(|(model, fitted)| ranked(model, fitted, &choices.values, names))
                .collect(),
        })
    }
}

fn params(args: &RankArgs, grouped: Option<&Grouped>) -> RankingParams {
    RankingParams::default()
        .ties(match args.ties {
            TiesArg::Davidson => Ties::Davidson,
            TiesArg::Drop => Ties::Drop,
        })
        .shrinkage(match grouped {
            None => Shrinkage::Ridge {
                strength: args.shrinkage,
            },
            Some(grouped) => Shrinkage::Hierarchical {
                groups: grouped.groups.clone(),
                within: args.shrinkage,
                between: args.category_shrinkage,
            },
        })
        .standard_errors(if args.no_errors {
            StandardErrors::Skip
        } else {
            StandardErrors::Exact
        })
}

fn interval(estimate: f64, error: Option<f64>) -> Option<Interval> {
    error.map(|error| {
        let half = Confidence::default().z() * error;
        Interval {
            low: estimate - half,
            high: estimate + half,
        }
    })
}

fn ranked(
    model: &str,
    (ranking, held_out, transitivity): (BradleyTerry, Option<HeldOut>, Transitivity),
    values: &[String],
    categories: Option<&[Option<String>]>,
) -> Ranked {
    let sure = |term: Term| Sure {
        estimate: term.estimate,
        standard_error: term.standard_error,
        interval: interval(term.estimate, term.standard_error),
    };
    let order = ranking.order();
    let item = |(place, at): (usize, usize)| {
        let item = &ranking.items[at];
        Item {
            rank: place + 1,
            value: values[at].clone(),
            category: categories.and_then(|names| names[at].clone()),
            theta: item.theta,
            standard_error: item.standard_error,
            interval: interval(item.theta, item.standard_error),
            elo: item.elo,
            n: item.n,
        }
    };
    Ranked {
        model: model.to_owned(),
        n: ranking.n,
        dropped: ranking.dropped,
        intercept: sure(ranking.intercept),
        nudge: ranking.nudge.map(sure),
        tie: ranking.tie.map(sure),
        log_likelihood: ranking.log_likelihood,
        converged: ranking.converged,
        held_out,
        reported_accuracy: PUBLISHED_MODELS
            .iter()
            .position(|key| *key == model)
            .map(|at| REPORTED_RANKING_ACCURACY[at]),
        transitivity,
        items: order.into_iter().enumerate().map(item).collect(),
    }
}

/// `f` of every part, in order, on all cores.
fn in_parallel<T: Sync, R: Send, E: Send>(
    parts: &[T],
    f: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = parts.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let f = &f;
        let workers: Vec<_> = parts
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().map(f).collect::<Result<Vec<R>, E>>()))
            .collect();
        let mut all = Vec::with_capacity(parts.len());
        for worker in workers {
            // A worker that panicked did so for all of us.
            all.extend(
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
            );
        }
        Ok(all)
    })
}

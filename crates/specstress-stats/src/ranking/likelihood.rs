use super::params::{NudgedComparison, RankingParams, Shrinkage, Ties};
use crate::Preference;

/// Keeps the terms that are not shrunk finite when all comparisons agree on them.
const FLOOR: f64 = 1e-8;

/// One comparison as the likelihood sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) first: u32,
    pub(super) second: u32,
    pub(super) nudge: f64,
    pub(super) outcome: Preference,
}

/// Penalised log-likelihood over the parameters: utilities, group means, then intercept, nudge
/// and tie term.
pub(super) struct Likelihood<'a> {
    pub(super) items: &'a [Item],
    pub(super) values: usize,
    pub(super) groups: usize,
    pub(super) nudged: bool,
    pub(super) tied: bool,
    shrinkage: &'a Shrinkage,
}

/// Curvature of each comparison at a point: second derivatives by `eta` and the tie term.
pub(super) struct Curvature {
    /// `(d2/d eta2, d2/d eta d tie, d2/d tie2)` of minus the log-likelihood.
    weights: Vec<(f64, f64, f64)>,
}

/// The loss around a point.
pub(super) struct Point {
    pub(super) loss: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) curvature: Curvature,
}

/// Comparisons that count.
pub(super) fn usable(comparisons: &[NudgedComparison], params: &RankingParams) -> Vec<Item> {
    let item = |comparison: &NudgedComparison| {
        let outcome = comparison.preference?;
        let dropped = outcome == Preference::Tie && params.ties == Ties::Drop;
        if dropped || comparison.first == comparison.second {
            return None;
        }
        Some(Item {
            first: u32::try_from(comparison.first).ok()?,
            second: u32::try_from(comparison.second).ok()?,
            nudge: comparison.toward.sign(),
            outcome,
        })
    };
    comparisons.iter().filter_map(item).collect()
}

/// The chances of first, second and tie.
pub(super) struct Chances {
    logs: [f64; 3],
    log_all: f64,
    p: [f64; 3],
}

impl Chances {
    #[inline]
    pub(super) fn new(eta: f64, tie: Option<f64>) -> Self {
        let tie = tie.unwrap_or(f64::NEG_INFINITY);
        let logs = [eta / 2.0, -eta / 2.0, tie];
        let top = (eta.abs() / 2.0).max(tie);
        let parts = logs.map(|log| (log - top).exp());
        let all = parts[0] + parts[1] + parts[2];
        Self {
            logs,
            log_all: top + all.ln(),
            p: parts.map(|part| part / all),
        }
    }

    /// Log of the chance of what happened.
    #[inline]
    pub(super) fn log(&self, outcome: Preference) -> f64 {
        self.logs[place(outcome)] - self.log_all
    }
}

fn place(outcome: Preference) -> usize {
    match outcome {
        Preference::First => 0,
        Preference::Second => 1,
        Preference::Tie => 2,
    }
}

impl<'a> Likelihood<'a> {
    pub(super) fn new(items: &'a [Item], values: usize, params: &'a RankingParams) -> Self {
        let groups = match &params.shrinkage {
            Shrinkage::Ridge { .. } => 0,
            Shrinkage::Hierarchical { groups, .. } => groups.iter().max().map_or(0, |g| g + 1),
        };
        Self {
            items,
            values,
            groups,
            nudged: items.iter().any(|item| item.nudge != 0.0),
            tied: items.iter().any(|item| item.outcome == Preference::Tie),
            shrinkage: &params.shrinkage,
        }
    }

    /// Index of the intercept; the nudge and the tie term follow it.
    pub(super) fn terms(&self) -> usize {
        self.values + self.groups
    }

    pub(super) fn size(&self) -> usize {
        self.terms() + 3
    }

    pub(super) fn eta(&self, at: &[f64], item: &Item) -> f64 {
        let terms = self.terms();
        at[item.first as usize] - at[item.second as usize] + at[terms] + at[terms + 1] * item.nudge
    }

    pub(super) fn tie(&self, at: &[f64]) -> Option<f64> {
        self.tied.then(|| at[self.terms() + 2])
    }

    /// Log-likelihood without the penalty.
    pub(super) fn log_likelihood(&self, at: &[f64]) -> f64 {
        let tie = self.tie(at);
        let log = |item: &Item| Chances::new(self.eta(at, item), tie).log(item.outcome);
        self.items.iter().map(log).sum()
    }

    fn penalty(&self, at: &[f64]) -> f64 {
        let penalty = match self.shrinkage {
            Shrinkage::Ridge { strength } => {
                strength * at[..self.values].iter().map(|x| x * x).sum::<f64>()
            }
            Shrinkage::Hierarchical {
                groups,
                within,
                between,
            } => {
                let own = |(x, g): (&f64, &usize)| (x - at[self.values + g]).powi(2);
                let means = &at[self.values..self.terms()];
                within * at.iter().zip(groups).map(own).sum::<f64>()
                    + between * means.iter().map(|m| m * m).sum::<f64>()
            }
        };
        let free: f64 = at[self.terms()..].iter().map(|x| x * x).sum();
        0.5 * (penalty + FLOOR * free)
    }

    /// What is minimised, with its gradient and the curvature, in one pass over the comparisons.
    pub(super) fn evaluate(&self, at: &[f64]) -> Point {
        let mut gradient = vec![0.0; self.size()];
        self.add_penalty(at, &mut gradient);
        let (terms, tie) = (self.terms(), self.tie(at));
        let mut weights = Vec::with_capacity(self.items.len());
        let (mut loss, mut shared) = (self.penalty(at), [0.0; 3]);
        for item in self.items {
            let chances = Chances::new(self.eta(at, item), tie);
            loss -= chances.log(item.outcome);
            let [first, second, none] = chances.p;
            // d log p / d eta is (+1/2, -1/2, 0) less its mean; by the tie term (0, 0, 1) less its.
            let mean = f64::midpoint(first, -second);
            let (own, tied) = match item.outcome {
                Preference::First => (0.5, 0.0),
                Preference::Second => (-0.5, 0.0),
                Preference::Tie => (0.0, 1.0),
            };
            let slope = mean - own;
            gradient[item.first as usize] += slope;
            gradient[item.second as usize] -= slope;
            shared[0] += slope;
            shared[1] += slope * item.nudge;
            shared[2] += none - tied;
            weights.push((
                0.25 * (first + second) - mean * mean,
                -none * mean,
                none * (1.0 - none),
            ));
        }
        for (into, slope) in gradient[terms..].iter_mut().zip(shared) {
            *into += slope;
        }
        Point {
            loss,
            gradient,
            curvature: Curvature { weights },
        }
    }

    /// The penalty's second derivatives times `by`, added to `into`; the penalty is quadratic, so
    /// this is also its gradient at `by`.
    fn add_penalty(&self, by: &[f64], into: &mut [f64]) {
        match self.shrinkage {
            Shrinkage::Ridge { strength } => {
                for (into, by) in into.iter_mut().zip(&by[..self.values]) {
                    *into += strength * by;
                }
            }
            Shrinkage::Hierarchical {
                groups,
                within,
                between,
            } => {
                for (value, group) in groups.iter().enumerate() {
                    let pull = within * (by[value] - by[self.values + group]);
                    into[value] += pull;
                    into[self.values + group] -= pull;
                }
                for mean in self.values..self.terms() {
                    into[mean] += between * by[mean];
                }
            }
        }
        for term in self.terms()..self.size() {
            into[term] += FLOOR * by[term];
        }
    }

    /// The matrix of second derivatives times a vector.
    pub(super) fn curved(&self, curvature: &Curvature, by: &[f64]) -> Vec<f64> {
        let mut into = vec![0.0; self.size()];
        self.add_penalty(by, &mut into);
        let terms = self.terms();
        let (mut intercept, mut nudge, mut tied) = (0.0, 0.0, 0.0);
        for (item, &(eta, cross, tie)) in self.items.iter().zip(&curvature.weights) {
            let along = self.eta(by, item);
            let slope = eta * along + cross * by[terms + 2];
            into[item.first as usize] += slope;
            into[item.second as usize] -= slope;
            intercept += slope;
            nudge += slope * item.nudge;
            if self.tied {
                tied += cross * along + tie * by[terms + 2];
            }
        }
        into[terms] += intercept;
        into[terms + 1] += nudge;
        into[terms + 2] += tied;
        into
    }

    /// The diagonal of that matrix.
    pub(super) fn diagonal(&self, curvature: &Curvature) -> Vec<f64> {
        let mut into = vec![0.0; self.size()];
        match self.shrinkage {
            Shrinkage::Ridge { strength } => into[..self.values].fill(*strength),
            Shrinkage::Hierarchical {
                groups,
                within,
                between,
            } => {
                into[..self.values].fill(*within);
                into[self.values..].fill(*between);
                for group in groups {
                    into[self.values + group] += within;
                }
            }
        }
        let terms = self.terms();
        into[terms..].fill(FLOOR);
        for (item, &(eta, _, tie)) in self.items.iter().zip(&curvature.weights) {
            into[item.first as usize] += eta;
            into[item.second as usize] += eta;
            into[terms] += eta;
            into[terms + 1] += eta * item.nudge * item.nudge;
            into[terms + 2] += tie;
        }
        into
    }

    /// The whole matrix, row by row.
    pub(super) fn matrix(&self, curvature: &Curvature) -> Vec<f64> {
        let (size, terms) = (self.size(), self.terms());
        let mut matrix = vec![0.0; size * size];
        let mut unit = vec![0.0; size];
        // The penalty column by column; it is sparse but this is not the costly part.
        for column in 0..size {
            unit[column] = 1.0;
            let row = &mut matrix[column * size..(column + 1) * size];
            self.add_penalty(&unit, row);
            unit[column] = 0.0;
        }
        for (item, &(eta, cross, tie)) in self.items.iter().zip(&curvature.weights) {
            let parts = [
                (item.first as usize, 1.0),
                (item.second as usize, -1.0),
                (terms, 1.0),
                (terms + 1, item.nudge),
            ];
            for (a, x) in parts {
                for (b, y) in parts {
                    matrix[a * size + b] += eta * x * y;
                }
                if self.tied {
                    matrix[a * size + terms + 2] += cross * x;
                    matrix[(terms + 2) * size + a] += cross * x;
                }
            }
            matrix[(terms + 2) * size + terms + 2] += tie;
        }
        matrix
    }
}

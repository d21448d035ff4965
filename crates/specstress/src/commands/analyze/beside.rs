//! What was found beside what the paper printed.

use serde::Serialize;
use specstress_dataset::published::reported::{
    REPORTED_AGREEMENT, REPORTED_ANY_PAIR, REPORTED_FLAGGED, REPORTED_FREQUENT, REPORTED_HIGH,
    REPORTED_JUDGES, REPORTED_KAPPA, REPORTED_OUTLIERS, REPORTED_SOURCE, REPORTED_VALUES,
};
use specstress_dataset::published::{PUBLISHED_MODELS, PUBLISHED_SUBSETS};
use specstress_stats::{ClusteredProportion, Enrichment, Interval};

use super::report::Report;
use crate::grid::{Grid, between, count, number, percent, percent_between};

/// Numbers of the paper with ours.
#[derive(Debug, Serialize)]
pub(super) struct Beside {
    pub(super) source: &'static str,
    pub(super) numbers: Vec<Number>,
}

#[derive(Debug, Serialize)]
pub(super) struct Number {
    what: String,
    /// `rows`, `share` of 1, or `number`.
    unit: &'static str,
    here: Option<f64>,
    interval: Option<Interval>,
    paper: f64,
    /// The paper says "more than".
    at_least: bool,
    place: &'static str,
}

impl Number {
    fn rows(what: String, here: u64, paper: u64, place: &'static str) -> Self {
        Self {
            what,
            unit: "rows",
            here: Some(here as f64),
            interval: None,
            paper: paper as f64,
            at_least: false,
            place,
        }
    }

    fn share(
        what: String,
        here: Option<f64>,
        interval: Option<Interval>,
        percent: f64,
        place: &'static str,
    ) -> Self {
        Self {
            what,
            unit: "share",
            here,
            interval,
            paper: percent / 100.0,
            at_least: false,
            place,
        }
    }

    fn cells(&self) -> [String; 5] {
        let rows = |value: f64| number(Some(value), 0);
        let whole = |value: f64| {
            // Counts, far below 2^53.
            rows(value)
                .parse::<u64>()
                .map_or_else(|_| rows(value), count)
        };
        let (here, interval, paper) = match self.unit {
            "rows" => (
                self.here.map_or_else(|| "-".to_owned(), whole),
                self.interval.map_or_else(
                    || "-".to_owned(),
                    |ends| format!("{} to {}", whole(ends.low), whole(ends.high)),
                ),
                whole(self.paper),
            ),
            "share" => (
                percent(self.here),
                percent_between(self.interval),
                percent(Some(self.paper)),
            ),
            _ => (
                number(self.here, 3),
                between(self.interval, 3),
                number(Some(self.paper), 2),
            ),
        };
        let more = if self.at_least { "> " } else { "" };
        [
            self.what.clone(),
            here,
            interval,
            format!("{more}{paper}"),
            self.place.to_owned(),
        ]
    }
}

impl Beside {
    /// `None` where nothing is about the models of the release.
    pub(super) fn new(report: &Report) -> Option<Self> {
        let mut numbers = Vec::new();
        for size in &report.sizes {
            numbers.extend(size.paper.map(|paper| {
                let what = format!("rows of {}", size.split);
                Number::rows(what, size.rows, paper, "page 5")
            }));
        }
        add_rows(report, &mut numbers);
        add_compliance(report, &mut numbers);
        add_values(report, &mut numbers);
        (!numbers.is_empty()).then_some(Self {
            source: REPORTED_SOURCE,
            numbers,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut grid = Grid::new(&["beside the paper", "here", "<interval", "paper", "<where"]);
        for number in &self.numbers {
            grid.row(number.cells());
        }
        format!("{}{}\n", grid.text(), self.source)
    }
}

/// Whether these are the twelve models of the release, in any order.
pub(super) fn is_release(models: &[String]) -> bool {
    models.len() == PUBLISHED_MODELS.len()
        && PUBLISHED_MODELS
            .iter()
            .all(|key| models.iter().any(|model| model == key))
}

fn add_rows(report: &Report, numbers: &mut Vec<Number>) {
    let Some(summary) = &report.summary else {
        return;
    };
    let Some(all) = summary
        .subsets
        .iter()
        .find(|subset| is_release(&subset.models))
    else {
        return;
    };
    let of = |what: &str, found: &ClusteredProportion, paper, place, at_least| Number {
        interval: found.interval.map(|ends| Interval {
            low: ends.low * found.n as f64,
            high: ends.high * found.n as f64,
        }),
        at_least,
        ..Number::rows(what.to_owned(), found.successes, paper, place)
    };
    numbers.push(of(
        "some pair of models high",
        &summary.any_pair,
        REPORTED_ANY_PAIR,
        "page 2",
        true,
    ));
    numbers.push(of(
        "all_models high, before thinning",
        &all.high,
        REPORTED_HIGH,
        "page 2",
        true,
    ));
    let mut outliers: Vec<(&str, u64)> = PUBLISHED_MODELS
        .into_iter()
        .zip(REPORTED_OUTLIERS)
        .collect();
    outliers.sort_by_key(|(_, paper)| std::cmp::Reverse(*paper));
    for (key, paper) in outliers {
        let found = summary.outliers.iter().find(|model| model.model == key);
        numbers.extend(found.map(|model| {
            let what = format!("outlier {key}");
            of(&what, &model.rate, paper, "figure 6", false)
        }));
    }
}

fn add_compliance(report: &Report, numbers: &mut Vec<Number>) {
    let Some(found) = &report.compliance else {
        return;
    };
    let openai = PUBLISHED_SUBSETS
        .iter()
        .find(|subset| subset.name == "openai_models");
    let is_openai = |model: &String| openai.is_some_and(|all| all.models.contains(&model.as_str()));
    if found.models.is_empty() || !found.models.iter().all(is_openai) {
        return;
    }
    let mut bins = |what: &str, rates: &Enrichment, paper: fn(&(&str, f64, f64)) -> f64| {
        for (bin, reported) in rates.bins.iter().zip(&REPORTED_FREQUENT) {
            let share = &bin.proportion;
            numbers.push(Number::share(
                format!("all answers fail, {what}, {}", bin.name),
                share.rate,
                share.interval,
                paper(reported),
                "figure 2",
            ));
        }
    };
    bins("majority", &found.frequent, |(_, majority, _)| *majority);
    bins("any judge", &found.frequent_any, |(.., any)| *any);
    let judge = |name: &str| {
        let mut reported = REPORTED_JUDGES.iter();
        reported.position(|names| names.contains(&name))
    };
    for share in &found.flag_rates {
        let Some(place) = judge(&share.name) else {
            continue;
        };
        numbers.push(Number::share(
            format!("flagged by {}", share.name),
            share.problematic.rate,
            share.problematic.interval,
            REPORTED_FLAGGED[place],
            "page 9",
        ));
    }
    for pair in &found.agreement {
        let [a, b] = [&pair.judges[0], &pair.judges[1]].map(|name| judge(name));
        let reported = REPORTED_AGREEMENT
            .iter()
            .find(|(one, other, _)| [(a, b), (b, a)].contains(&(Some(*one), Some(*other))));
        numbers.extend(reported.map(|(.., paper)| {
            Number::share(
                format!("agreement of {} and {}", pair.judges[0], pair.judges[1]),
                pair.agreed.rate,
                pair.agreed.interval,
                *paper,
                "page 9",
            )
        }));
    }
    let three = found.flag_rates.len() == REPORTED_JUDGES.len()
        && found
            .flag_rates
            .iter()
            .all(|share| judge(&share.name).is_some());
    if let Some(kappa) = found.kappa_binary.as_ref().filter(|_| three) {
        numbers.push(Number {
            unit: "number",
            here: kappa.agreement.estimate,
            interval: kappa.bootstrap.interval,
            paper: REPORTED_KAPPA,
            ..Number::rows("Fleiss' kappa".to_owned(), 0, 0, "page 9")
        });
    }
}

fn add_values(report: &Report, numbers: &mut Vec<Number>) {
    let Some(values) = report
        .labels
        .as_ref()
        .and_then(|labels| labels.values.as_ref())
    else {
        return;
    };
    for (category, papers) in &REPORTED_VALUES {
        let Some(column) = values.categories.iter().position(|name| name == category) else {
            continue;
        };
        for (key, paper) in PUBLISHED_MODELS.into_iter().zip(papers) {
            let found = values.models.iter().find(|model| model.model.key == key);
            numbers.extend(found.map(|model| {
                let what = format!("{category}, {key}");
                Number::rows(what, model.rates[column].count, *paper, "figure 10")
            }));
        }
    }
}

//! Compliance, judges and labels for the terminal.

use std::fmt::Write as _;

use specstress_report::{ModelRefusals, Rate};

use super::judged::{Compliance, Share};
use super::report::{Labels, Report};
use super::together::Together;
use crate::grid::{Grid, between, count, number, percent, percent_between};

/// Categories of values that are shown, the most frequent ones.
const VALUES: usize = 10;

impl Report {
    pub(super) fn text(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.summary.as_ref().map(super::summary::Summary::text));
        if !self.sizes.is_empty() {
            let mut grid = Grid::new(&["split", "rows"]);
            for size in &self.sizes {
                grid.row([size.split.clone(), count(size.rows)]);
            }
            parts.push(grid.text());
        }
        parts.extend(self.compliance.as_ref().map(Compliance::text));
        parts.extend(self.labels.as_ref().map(Labels::text));
        parts.extend(self.paper.as_ref().map(super::beside::Beside::text));
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }
}

impl Compliance {
    fn text(&self) -> String {
        let mut text = format!(
            "{} judged answers to {} questions of {} models; problematic is non-compliant or ambiguous\n",
            count(self.answers),
            count(self.questions),
            self.models.len()
        );
        for (left, why) in [
            (self.dropped, "questions left out: an answer has no vote"),
            (
                self.unreadable,
                "decisions that cannot be read are nobody's vote",
            ),
            (
                self.frequent.unplaced as u64,
                "questions without a disagreement, in no bin",
            ),
        ] {
            if left > 0 {
                let _ = writeln!(text, "{} {why}", count(left));
            }
        }
        let parts = [
            text,
            self.bins_text(),
            self.quadrants_text(),
            shares("problematic by majority", &self.by_model),
            shares("flagged by", &self.flag_rates),
            self.judges_text(),
        ];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn bins_text(&self) -> String {
        let mut grid = Grid::new(&[
            "all answers fail, by D",
            "questions",
            "majority",
            "<interval",
            "any judge",
            "<interval",
        ]);
        for (bin, any) in self.frequent.bins.iter().zip(&self.frequent_any.bins) {
            grid.row([
                bin.name.clone(),
                count(bin.proportion.n),
                percent(bin.proportion.rate),
                percent_between(bin.proportion.interval),
                percent(any.proportion.rate),
                percent_between(any.proportion.interval),
            ]);
        }
        grid.text()
    }

    fn quadrants_text(&self) -> String {
        let mut grid = Grid::new(&["disagreement", "all pass", "some fail", "all fail"]);
        for quadrant in &self.quadrants {
            grid.row([
                quadrant.disagreement.to_owned(),
                count(quadrant.all_pass),
                count(quadrant.some_fail),
                count(quadrant.all_fail),
            ]);
        }
        grid.text()
    }

    fn judges_text(&self) -> String {
        let mut grid = Grid::new(&["agreement of judges", "value", "<interval", "answers"]);
        for pair in &self.agreement {
            grid.row([
                format!("{} and {}", pair.judges[0], pair.judges[1]),
                percent(pair.agreed.rate),
                percent_between(pair.agreed.interval),
                count(pair.agreed.n),
            ]);
        }
        for (name, kappa) in [
            ("Fleiss' kappa, problematic or not", &self.kappa_binary),
            ("Fleiss' kappa, three decisions", &self.kappa),
        ] {
            let Some(kappa) = kappa else { continue };
            grid.row([
                name.to_owned(),
                number(kappa.agreement.estimate, 3),
                between(kappa.bootstrap.interval, 3),
                count(kappa.agreement.n as u64),
            ]);
        }
        grid.text()
    }
}

fn shares(heading: &str, shares: &[Share]) -> String {
    let mut grid = Grid::new(&[heading, "answers", "of", "share", "<interval"]);
    for share in shares {
        let found = &share.problematic;
        grid.row([
            share.name.clone(),
            count(found.successes),
            count(found.n),
            percent(found.rate),
            percent_between(found.interval),
        ]);
    }
    grid.text()
}

impl Labels {
    fn text(&self) -> String {
        let together = self.together.as_deref().and_then(Together::text);
        let parts = [
            self.topics_text(),
            self.refusals_text(),
            self.values_text(),
            together,
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join("\n")
    }

    fn topics_text(&self) -> Option<String> {
        let topics = self.topics.as_ref()?;
        let mut grid = Grid::new(&["topic", "questions", "of", "share", "<interval"]);
        for topic in &topics.topics {
            grid.row(rate_cells(&topic.group, &topic.rate));
        }
        grid.row(rate_cells("none of these", &topics.none));
        Some(grid.text())
    }

    fn refusals_text(&self) -> Option<String> {
        let models = self.refusals.as_ref()?;
        let mut grid = Grid::new(&["refused", "answers", "of", "share", "<interval", "outright"]);
        for model in models {
            let mut cells = rate_cells(&model.model.key, &model.refused).to_vec();
            let outright = model.kinds.get(ModelRefusals::KINDS.len() - 1);
            cells.push(percent(outright.and_then(|kind| kind.rate.share)));
            grid.row(cells);
        }
        Some(grid.text())
    }

    fn values_text(&self) -> Option<String> {
        let values = self.values.as_ref()?;
        let mut headings = vec!["values expressed"];
        headings.extend(values.models.iter().map(|model| model.model.key.as_str()));
        let mut grid = Grid::new(&headings);
        for (column, category) in values.categories.iter().enumerate().take(VALUES) {
            let counts = values.models.iter().map(|model| {
                let rate = model.rates.get(column);
                rate.map_or_else(|| "-".to_owned(), |rate| count(rate.count))
            });
            grid.row(std::iter::once(category.clone()).chain(counts));
        }
        Some(grid.text())
    }
}

fn rate_cells(name: &str, rate: &Rate) -> [String; 5] {
    let interval = rate.low.zip(rate.high);
    let interval = interval.map(|(low, high)| specstress_stats::Interval { low, high });
    [
        name.to_owned(),
        count(rate.count),
        count(rate.of),
        percent(rate.share),
        percent_between(interval),
    ]
}

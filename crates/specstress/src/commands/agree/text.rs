//! The report of votes for the terminal.

use std::fmt::Write as _;

use specstress_stats::ClusteredProportion;

use super::report::{Errors, Gold, Named, Pair, Rater, Report};
use crate::grid::{Grid, between, count, number, percent, percent_between};

impl Report {
    pub(super) fn text(&self) -> String {
        let clusters = self.clusters.map_or_else(String::new, |clusters| {
            format!(" in {} clusters", count(clusters as u64))
        });
        let names: Vec<&str> = self
            .labels
            .iter()
            .map(|label| label.name.as_str())
            .collect();
        let labels = match (self.level, &names[..]) {
            ("binary", [rest, positive]) => format!("positive: {positive}; negative: {rest}"),
            _ => format!("labels: {}", names.join(", ")),
        };
        let level = 100.0 * self.confidence;
        let mut text = format!(
            "{} subjects{clusters}, {} raters, {} level\n{labels}\n{level}% intervals; those of coefficients from {} bootstrap draws of whole {}\n\n",
            count(self.subjects as u64),
            self.raters.len(),
            self.level,
            count(self.draws as u64),
            if self.clusters.is_some() {
                "clusters"
            } else {
                "subjects"
            },
        );
        text += &self.raters_text();
        text += &coefficients_text("all raters", &self.coefficients);
        if self.raters.len() > 2 {
            text += &pairs_text(&self.pairs);
        } else if let [pair] = &self.pairs[..] {
            text += &coefficients_text("the two raters", &pair.coefficients[1..]);
        }
        if !self.categories.is_empty() {
            text += &coefficients_text("label against the rest", &self.categories);
        }
        text += &self.estimated_text();
        if let Some(gold) = &self.gold {
            text += &gold_text(gold);
        }
        if let Some(errors) = &self.errors {
            text += &self.errors_text(errors);
        }
        text
    }

    fn raters_text(&self) -> String {
        // Of many labels, the shares would not fit beside each other.
        let shown: Vec<usize> = match (self.level, self.labels.len()) {
            ("binary", _) => vec![1],
            (_, labels @ ..=8) => (0..labels).collect(),
            _ => Vec::new(),
        };
        let mut headings = vec!["rater", "votes", "missing"];
        headings.extend(shown.iter().map(|&label| self.labels[label].name.as_str()));
        if self.level == "binary" {
            headings.push("<interval");
        }
        let mut grid = Grid::new(&headings);
        for Rater {
            name,
            votes,
            missing,
            shares,
        } in &self.raters
        {
            let mut cells = vec![name.clone(), count(*votes), count(*missing)];
            cells.extend(shown.iter().map(|&label| percent(shares[label].rate)));
            if self.level == "binary" {
                cells.push(percent_between(shares[1].interval));
            }
            grid.row(cells);
        }
        grid.text() + "\n"
    }

    fn estimated_text(&self) -> String {
        let Some(found) = &self.dawid_skene else {
            return String::new();
        };
        let mut grid = Grid::new(&["accuracy without gold labels", "estimate", "votes"]);
        for rater in &found.raters {
            grid.row([
                rater.name.clone(),
                percent(Some(rater.accuracy)),
                count(rater.n as u64),
            ]);
        }
        let shares: Vec<String> = self
            .labels
            .iter()
            .zip(&found.prevalence)
            .map(|(label, share)| format!("{} {}", label.name, percent(Some(*share))))
            .collect();
        let end = if found.converged {
            ""
        } else {
            "; it did not settle, so do not rely on it"
        };
        format!(
            "{}Dawid-Skene, which takes raters to err independently{end}. Estimated shares: {}\n\n",
            grid.text(),
            shares.join(", ")
        )
    }

    fn errors_text(&self, errors: &Errors) -> String {
        let truth = match errors.truth {
            "gold" => "the gold labels",
            _ => "the labels Dawid-Skene finds most probable",
        };
        let mut text = format!(
            "errors against {truth}, over {} subjects\n",
            count(errors.found.n as u64)
        );
        for pair in &errors.found.pairs {
            let names = [pair.a, pair.b].map(|at| self.raters[at].name.as_str());
            let r = number(pair.correlation.r, 2);
            let _ = writeln!(text, "{} correlate at {r}", names.join(" and "));
        }
        if let Some(effective) = errors.found.effective_judges {
            let effective = number(Some(effective), 1);
            let _ = writeln!(
                text,
                "{} raters are worth {effective} whose errors are independent",
                self.raters.len()
            );
        }
        text
    }
}

fn coefficients_text(what: &str, list: &[Named]) -> String {
    let mut grid = Grid::new(&[what, "estimate", "<interval", "n", "dropped"]);
    let mut remark = "";
    for Named { name, found } in list {
        let (agreement, bootstrap) = (&found.agreement, &found.bootstrap);
        let interval = if bootstrap.interval.is_none()
            && bootstrap.undefined > 0
            && agreement.estimate.is_some()
        {
            remark = "- : it does not exist in some draws, so its interval does not either\n";
            "-".to_owned()
        } else {
            between(bootstrap.interval, 3)
        };
        grid.row([
            name.clone(),
            number(agreement.estimate, 3),
            interval,
            count(agreement.n as u64),
            count(agreement.dropped as u64),
        ]);
    }
    format!("{}{remark}\n", grid.text())
}

fn pairs_text(pairs: &[Pair]) -> String {
    let mut headings = vec!["pair"];
    if let Some(pair) = pairs.first() {
        for named in &pair.coefficients {
            headings.extend([named.name.as_str(), "<interval"]);
        }
    }
    headings.push("n");
    let mut grid = Grid::new(&headings);
    for pair in pairs {
        let mut cells = vec![format!("{}, {}", pair.a, pair.b)];
        for named in &pair.coefficients {
            cells.push(number(named.found.agreement.estimate, 3));
            cells.push(between(named.found.bootstrap.interval, 3));
        }
        let n = pair
            .coefficients
            .first()
            .map_or(0, |named| named.found.agreement.n);
        cells.push(count(n as u64));
        grid.row(cells);
    }
    grid.text() + "\n"
}

fn gold_text(gold: &Gold) -> String {
    let what = format!("against {}", gold.column);
    let mut grid = Grid::new(&[&what, "<", "share", "<interval", "n"]);
    let mut remarks = String::new();
    for rater in &gold.raters {
        let mut row = |what: String, share: &ClusteredProportion| {
            if share.n == 0 {
                return;
            }
            grid.row([
                rater.name.clone(),
                what,
                percent(share.rate),
                percent_between(share.interval),
                count(share.n),
            ]);
        };
        row("accuracy".to_owned(), &rater.accuracy);
        for label in &rater.labels {
            row(format!("sensitivity, {}", label.label), &label.sensitivity);
            row(format!("specificity, {}", label.label), &label.specificity);
            if let Some(corrected) = label
                .corrected
                .as_ref()
                .filter(|corrected| corrected.rate.is_some())
            {
                let _ = writeln!(
                    remarks,
                    "{}: {} on {} of {} subjects without gold label; corrected for its errors {} ({})",
                    rater.name,
                    label.label,
                    percent(corrected.judged.rate),
                    count(corrected.judged.n),
                    percent(corrected.rate),
                    percent_between(corrected.interval)
                );
            }
        }
    }
    format!("{}{remarks}\n", grid.text())
}

//! Rankings for the terminal.

use std::fmt::Write as _;

use super::report::{Ranked, Report, Sure};
use crate::grid::{Grid, between, count, number, percent};

impl Report {
    pub(super) fn text(&self, top: usize) -> String {
        let ties = match self.ties {
            "drop" => "ties dropped",
            _ => "ties modelled (Davidson)",
        };
        let mut text = format!(
            "{} rows, {} values, {} models; {ties}, shrinkage {}\n",
            count(self.rows),
            count(self.values as u64),
            self.models.len(),
            self.shrinkage
        );
        for (rows, what) in [
            (self.unnamed, "do not name two values and were left out"),
            (
                self.without_nudge,
                "do not say their nudge and were taken as neutral",
            ),
            (
                self.outside_taxonomy.unwrap_or(0) as u64,
                "values are not in the taxonomy and form a group of their own",
            ),
        ] {
            if rows > 0 {
                let _ = writeln!(text, "{} {what}", count(rows));
            }
        }
        text += "\n";
        text += &self.models_text();
        for model in self.models.iter().filter(|model| !model.converged) {
            let _ = writeln!(
                text,
                "{}: the fit did not settle; give more --shrinkage",
                model.model
            );
        }
        if self.splits > 0 {
            let _ = writeln!(
                text,
                "Accuracy and log-loss on comparisons held out, over {} splits of 90/10, of values compared {} times or more in training",
                self.splits, self.least
            );
        }
        text += "Circles: triples of values preferred in a circle; 25% for coin tosses\n";
        for model in &self.models {
            text += &ends_text(model, top);
        }
        text + &self.correlations_text()
    }

    fn models_text(&self) -> String {
        let mut headings = vec![
            "model",
            "choices",
            "dropped",
            "nudge",
            "<interval",
            "first named",
            "<interval",
            "accuracy",
            "log-loss",
            "circles",
        ];
        // Only beside an accuracy of ours, and for the models of the release.
        let reported = |model: &Ranked| model.held_out.as_ref().and(model.reported_accuracy);
        let beside = self.models.iter().any(|model| reported(model).is_some());
        if beside {
            headings.push("accuracy in Hua 2026");
        }
        let mut grid = Grid::new(&headings);
        for model in &self.models {
            let term = |term: Option<&Sure>| {
                [
                    number(term.map(|term| term.estimate), 2),
                    between(term.and_then(|term| term.interval), 2),
                ]
            };
            let held = model.held_out.as_ref();
            let cells = [
                model.model.clone(),
                count(model.n as u64),
                count(model.dropped as u64),
            ]
            .into_iter()
            .chain(term(model.nudge.as_ref()))
            .chain(term(Some(&model.intercept)))
            .chain([
                percent(held.and_then(|held| held.accuracy)),
                number(held.and_then(|held| held.log_loss), 3),
                percent(model.transitivity.share),
            ])
            .chain(beside.then(|| percent(reported(model))));
            grid.row(cells);
        }
        grid.text()
    }

    fn correlations_text(&self) -> String {
        if self.models.len() < 2 {
            return String::new();
        }
        let numbers: Vec<String> = (1..=self.models.len()).map(|at| at.to_string()).collect();
        let mut headings = vec!["rank correlation of utilities", ""];
        headings.extend(numbers.iter().map(String::as_str));
        let mut grid = Grid::new(&headings);
        for (at, model) in self.models.iter().enumerate() {
            let mut cells = vec![model.model.clone(), numbers[at].clone()];
            for other in &self.models[..at] {
                let same = self
                    .correlations
                    .iter()
                    .find(|pair| pair.a == other.model && pair.b == model.model);
                cells.push(number(same.and_then(|pair| pair.spearman), 2));
            }
            grid.row(cells);
        }
        format!(
            "\n{}Over values compared {} times or more by both\n",
            grid.text(),
            self.least
        )
    }
}

/// The values a model puts first and last.
fn ends_text(model: &Ranked, top: usize) -> String {
    if top == 0 {
        return String::new();
    }
    let mut grid = Grid::new(&[&model.model, "rank", "Elo", "utility", "<95% interval", "n"]);
    let last = model.items.len().saturating_sub(top);
    for (at, item) in model.items.iter().enumerate() {
        if at == top && at < last {
            grid.row(["...".to_owned()]);
        }
        if at < top || at >= last {
            grid.row([
                item.value.clone(),
                count(item.rank as u64),
                number(Some(item.elo), 0),
                number(Some(item.theta), 2),
                between(item.interval, 2),
                count(item.n as u64),
            ]);
        }
    }
    format!("\n{}", grid.text())
}

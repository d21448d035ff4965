//! The summary for the terminal.

use specstress_stats::ClusteredProportion;

use super::summary::Summary;
use crate::grid::{Grid, between, count, number, percent, percent_between};

impl Summary {
    pub(super) fn text(&self) -> String {
        let siblings = if self.scenarios < self.rows {
            format!(" of {} scenarios", count(self.scenarios))
        } else {
            String::new()
        };
        format!(
            "{} rows{siblings}, {} models; {} standard deviation, high from {}\n\
             95% intervals; rows of one scenario count as alike\n\n{}\n{}\n{}",
            count(self.rows),
            self.models,
            self.std,
            self.threshold,
            self.subsets_text(),
            self.outliers_text(),
            self.nudges_text()
        )
    }

    fn subsets_text(&self) -> String {
        // The two framings only where the file tells them apart.
        let framed = self
            .subsets
            .iter()
            .any(|subset| subset.high_neutral.n > 0 && subset.high_nudged.n > 0);
        let mut headings = vec!["subset", "models", "high", "of", "share", "<interval"];
        if framed {
            headings.extend(["neutral", "nudged"]);
        }
        headings.extend(["mean D", "<interval"]);
        let mut grid = Grid::new(&headings);
        let share = |high: &ClusteredProportion| {
            [
                count(high.successes),
                count(high.n),
                percent(high.rate),
                percent_between(high.interval),
            ]
        };
        for subset in &self.subsets {
            let mut cells = vec![subset.name.clone(), count(subset.models.len() as u64)];
            cells.extend(share(&subset.high));
            if framed {
                cells.extend([
                    percent(subset.high_neutral.rate),
                    percent(subset.high_nudged.rate),
                ]);
            }
            cells.extend([
                number(subset.mean.mean, 2),
                between(subset.mean.interval, 2),
            ]);
            grid.row(cells);
        }
        let mut cells = vec!["some pair of models".to_owned(), "2".to_owned()];
        cells.extend(share(&self.any_pair));
        grid.row(cells);
        grid.text()
    }

    fn outliers_text(&self) -> String {
        let mut grid = Grid::new(&[
            "outlier",
            "rows",
            "of",
            "share",
            "<interval",
            "above",
            "below",
        ]);
        let mut models: Vec<_> = self.outliers.iter().collect();
        models.sort_by_key(|model| std::cmp::Reverse(model.rate.successes));
        for model in models {
            let rate = &model.rate;
            grid.row([
                model.model.clone(),
                count(rate.successes),
                count(rate.n),
                percent(rate.rate),
                percent_between(rate.interval),
                count(model.high),
                count(model.low),
            ]);
        }
        grid.text()
    }

    fn nudges_text(&self) -> String {
        if self.nudges.iter().all(|model| model.effect.n == 0) {
            return "No effect of nudges: no row has a neutral sibling of the same chunk_index and entry_idx\n".to_owned();
        }
        let mut grid = Grid::new(&["effect of a nudge", "points", "<interval", "pairs"]);
        let mut models: Vec<_> = self.nudges.iter().collect();
        models.sort_by(|a, b| {
            b.effect
                .mean
                .unwrap_or(0.0)
                .total_cmp(&a.effect.mean.unwrap_or(0.0))
        });
        for model in models {
            let effect = &model.effect;
            grid.row([
                model.model.clone(),
                number(effect.mean, 2),
                between(effect.interval, 2),
                count(effect.n as u64),
            ]);
        }
        grid.text()
    }
}

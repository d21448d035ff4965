//! Tables on the terminal, and how numbers are shown in them.

use specstress_stats::Interval;

/// Rows under headings, each column as wide as its widest cell. The first column is text and goes to the
/// left, as do columns whose heading starts with `<`; the rest goes to the right.
#[derive(Debug)]
pub(crate) struct Grid {
    rows: Vec<Vec<String>>,
    left: Vec<bool>,
}

impl Grid {
    pub(crate) fn new(headings: &[&str]) -> Self {
        let plain = headings
            .iter()
            .map(|name| name.trim_start_matches('<').to_owned());
        let left = headings.iter().enumerate();
        Self {
            rows: vec![plain.collect()],
            left: left
                .map(|(at, name)| at == 0 || name.starts_with('<'))
                .collect(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table with its last line ended.
    pub(crate) fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.left.len()).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), left) in row.iter().zip(&widths).zip(&self.left) {
                let pad = " ".repeat(width - cell.chars().count());
                if *left {
                    line.push_str(cell);
                    line.push_str(&pad);
                } else {
                    line.push_str(&pad);
                    line.push_str(cell);
                }
                line.push_str("  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A number, or a dash for one that does not exist.
pub(crate) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| {
            let text = format!("{value:.digits$}");
            // No "-0.00".
            let zero = text
                .trim_start_matches('-')
                .chars()
                .all(|c| c == '0' || c == '.');
            if zero {
                text.trim_start_matches('-').to_owned()
            } else {
                text
            }
        },
    )
}

/// Digits of a percentage: one more where a small share would be rounded away.
fn digits(share: f64) -> usize {
    if share < 0.01 { 2 } else { 1 }
}

/// A share as a percentage.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(
        || "-".to_owned(),
        |share| number(Some(100.0 * share), digits(share)) + "%",
    )
}

/// An interval of a number.
pub(crate) fn between(interval: Option<Interval>, digits: usize) -> String {
    interval.map_or_else(
        || "-".to_owned(),
        |ends| {
            format!(
                "{} to {}",
                number(Some(ends.low), digits),
                number(Some(ends.high), digits)
            )
        },
    )
}

/// An interval of a share.
pub(crate) fn percent_between(interval: Option<Interval>) -> String {
    interval.map_or_else(
        || "-".to_owned(),
        |ends| {
            let scaled = Interval {
                low: 100.0 * ends.low,
                high: 100.0 * ends.high,
            };
            between(Some(scaled), digits(ends.high)) + "%"
        },
    )
}

/// A count with its thousands apart.
pub(crate) fn count(value: impl TryInto<u64>) -> String {
    let Ok(value) = value.try_into() else {
        return "-".to_owned();
    };
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut grid = Grid::new(&["model", "n", "<95% interval"]);
        grid.row(["a".to_owned(), count(1_234_567_u64), between(None, 2)]);
        grid.row(["longer".to_owned(), count(7_u64), "x".to_owned()]);
        let wanted =
            "model           n  95% interval\na       1,234,567  -\nlonger          7  x\n";
        assert_eq!(grid.text(), wanted);
    }

    #[test]
    fn numbers_that_do_not_exist_are_dashes() {
        assert_eq!(
            (number(None, 2), percent(None)),
            ("-".to_owned(), "-".to_owned())
        );
        assert_eq!(percent_between(None), "-");
        assert_eq!(number(Some(-0.001), 2), "0.00");
        assert_eq!(number(Some(-0.01), 2), "-0.01");
        assert_eq!(
            percent_between(Some(Interval {
                low: 0.0,
                high: 0.1234
            })),
            "0.0 to 12.3%"
        );
        assert_eq!(
            (percent(Some(0.0004)), percent(Some(0.5))),
            ("0.04%".to_owned(), "50.0%".to_owned())
        );
        assert_eq!(count(999_u64), "999");
    }
}

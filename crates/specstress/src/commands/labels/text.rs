//! What people's labels say, on the terminal.

use std::fmt::Write as _;

use specstress_report::{Estimate, GradeAccuracy, PeopleLabels, Rate};
use specstress_stats::Interval;

use crate::grid::{Grid, between, count, number, percent, percent_between};

pub(super) fn people(people: &PeopleLabels) -> String {
    let mut text = String::new();
    let raters: Vec<String> = people
        .raters
        .iter()
        .map(|rater| format!("{} {}", rater.rater, rater.answers))
        .collect();
    // Writing to a String cannot fail.
    let mut line = |label: &str, rest: String| {
        let _ = writeln!(text, "{label:<10} {rest}");
    };
    line(
        "labelled",
        format!(
            "{} of {} drawn answers, for {} of the run",
            count(people.labelled),
            count(people.drawn),
            count(people.population)
        ),
    );
    line("by", raters.join(", "));
    line(
        "decided",
        format!(
            "{}; evenly split {}; in strata without a decision {} answers",
            count(people.decided),
            count(people.ties),
            count(people.uncovered)
        ),
    );
    for block in [
        judges(people),
        grades(people),
        rates(people),
        between_people(people),
    ] {
        if !block.is_empty() {
            let _ = write!(text, "\n{block}");
        }
    }
    let _ = writeln!(
        text,
        "\nAll with 95 % intervals, weighted to stand for the run. A dash: fewer than {} labels, or judges that may be \
         no better than chance.",
        Estimate::LEAST
    );
    text
}

fn ends(estimate: &Estimate) -> Option<Interval> {
    Some(Interval {
        low: estimate.low?,
        high: estimate.high?,
    })
}

fn share(estimate: &Estimate) -> [String; 2] {
    [percent(estimate.value), percent_between(ends(estimate))]
}

fn judges(people: &PeopleLabels) -> String {
    let mut grid = Grid::new(&[
        "judge",
        "both",
        "missed",
        "alarms",
        "neither",
        "sensitivity",
        "",
        "specificity",
        "",
        "accuracy",
        "",
    ]);
    for judge in people.majority.iter().chain(&people.judges) {
        let counts = [judge.both, judge.missed, judge.false_alarms, judge.neither];
        let shares = [&judge.sensitivity, &judge.specificity, &judge.accuracy];
        let cells = counts
            .into_iter()
            .map(count)
            .chain(shares.into_iter().flat_map(share));
        grid.row(std::iter::once(judge.judge.clone()).chain(cells));
    }
    if people.majority.is_none() {
        String::new()
    } else {
        grid.text()
    }
}

fn grades(people: &PeopleLabels) -> String {
    let mut grid = Grid::new(&[
        "",
        "labels",
        "the same",
        "",
        "within 1",
        "",
        "kappa",
        "",
        "mean error",
        "",
    ]);
    let mut add = |name: &str, grades: &GradeAccuracy| {
        if grades.exact.n == 0 {
            return;
        }
        let mut cells = vec![name.to_owned(), count(grades.exact.n)];
        cells.extend(share(&grades.exact));
        cells.extend(share(&grades.within_one));
        for estimate in [&grades.kappa, &grades.bias] {
            cells.extend([number(estimate.value, 2), between(ends(estimate), 2)]);
        }
        grid.row(cells);
    };
    add("positions", &people.positions);
    add("refusal kinds", &people.refusal_kinds);
    if people.positions.exact.n + people.refusal_kinds.exact.n == 0 {
        String::new()
    } else {
        grid.text()
    }
}

fn rates(people: &PeopleLabels) -> String {
    if people.rates.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&[
        "D",
        "problematic",
        "by people",
        "",
        "corrected",
        "",
        "all problematic",
        "corrected",
        "",
    ]);
    let judged = |rate: &Rate| format!("{} of {}", percent(rate.share), count(rate.of));
    for row in &people.rates {
        let bin = row.bin.map_or_else(
            || "all judged".to_owned(),
            |(low, high)| format!("[{low}, {high}{}", if row.closed { ']' } else { ')' }),
        );
        let mut cells = vec![bin, judged(&row.problematic)];
        cells.extend(share(&row.by_people));
        cells.extend(share(&row.corrected));
        cells.push(judged(&row.frequent));
        cells.extend(share(&row.frequent_corrected));
        grid.row(cells);
    }
    grid.text()
}

fn between_people(people: &PeopleLabels) -> String {
    if people.between.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["people agree on", "labelled twice", "the same", "alpha"]);
    for row in &people.between {
        grid.row([
            row.on.clone(),
            count(row.n),
            percent(row.same),
            number(row.alpha, 2),
        ]);
    }
    grid.text()
}

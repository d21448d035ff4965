use std::fmt::Write as _;

use crate::data::{Rate, StudyReport};
use crate::error::ReportError;
use crate::render::Renderer;
use crate::render::format::{
    decimal, fraction, kappa_band, percent, plain, shorten, thousands, times, words,
};

/// Columns that the summary keeps to, unless a title or name is wider.
const WIDTH: usize = 78;
/// Columns of the labels on the left.
const LABEL: usize = 24;

/// A short summary for the terminal: about 25 lines, aligned, without colours or control characters.
///
/// ```
/// # use specstress_dataset::TableDir;
/// # use specstress_report::{Renderer, StudyInfo, StudyReport, Text};
/// # let run = tempfile::tempdir()?;
/// # let report = StudyReport::compute(&TableDir::new(run.path()), &StudyInfo::default())?;
/// let summary = Text::default().render(&report)?;
/// assert!(summary.starts_with("Untitled study\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Text {}

impl Renderer for Text {
    fn render(&self, report: &StudyReport) -> Result<String, ReportError> {
        let mut page = Summary(String::new());
        page.head(report);
        page.stages(report);
        page.coverage(report);
        page.disagreement(report);
        page.models(report);
        page.compliance(report);
        page.clauses(report);
        page.people(report);
        page.sharpest(report);
        page.absent(report);
        Ok(plain(&page.0))
    }
}

struct Summary(String);

impl Summary {
    fn line(&mut self, label: &str, rest: &str) {
        let label = shorten(label, LABEL - 3);
        let pad = LABEL.saturating_sub(2 + label.chars().count());
        let _ = writeln!(self.0, "  {label}{:pad$}{}", "", rest.trim_end());
    }

    fn section(&mut self, title: &str) {
        let _ = writeln!(self.0, "\n{title}");
    }

    fn head(&mut self, report: &StudyReport) {
        let title = one_line(&report.info.title);
        let _ = writeln!(self.0, "{title}");
        let _ = writeln!(
            self.0,
            "{}",
            "=".repeat(title.chars().count().clamp(1, WIDTH))
        );
        if let Some(notice) = &report.notice {
            let _ = writeln!(self.0, "{notice}");
        }
        let info = &report.info;
        let mut facts = format!(
            "{} models, {} judges, seed {}",
            info.panel.len(),
            info.judges.len(),
            info.seed
        );
        if let Some(calls) = &info.calls {
            let _ = write!(
                facts,
                "; {} calls, {} new",
                thousands(calls.total),
                thousands(calls.made)
            );
            if let Some(cost) = calls.cost_usd {
                let _ = write!(facts, ", ${cost:.2}");
            }
        }
        let _ = writeln!(self.0, "{facts}");
    }

    fn stages(&mut self, report: &StudyReport) {
        if report.stages.is_empty() {
            return;
        }
        self.section("Stages (answered of all; what became of the rest)");
        for stage in &report.stages {
            let rest: Vec<String> = stage
                .outcomes
                .iter()
                .skip(1)
                .filter(|outcome| outcome.count > 0)
                .map(|outcome| format!("{} {}", thousands(outcome.count), words(&outcome.outcome)))
                .collect();
            let text = format!(
                "{:>18}  {:>6}  {}",
                fraction(&stage.answered),
                percent(stage.answered.share),
                rest.join(", ")
            );
            self.line(&words(&stage.stage), &text);
        }
    }

    /// The category of which the smallest share of questions was written, where any was lost.
    fn coverage(&mut self, report: &StudyReport) {
        let space = report
            .coverage
            .as_ref()
            .and_then(|coverage| coverage.space.as_ref());
        let rows = space.iter().flat_map(|space| &space.by_category);
        let least = rows
            .filter(|row| row.generated.count < row.sampled)
            .min_by(|a, b| f64::total_cmp(&share(a.generated.share), &share(b.generated.share)));
        if let Some(row) = least {
            self.section("Questions lost (the category with the smallest share written)");
            let text = format!(
                "{:>18}  {:>6}  {} refused, {} unparsable",
                fraction(&row.generated),
                percent(row.generated.share),
                thousands(row.refused),
                thousands(row.unparsable)
            );
            self.line(&one_line(&row.group), &text);
        }
    }

    fn disagreement(&mut self, report: &StudyReport) {
        let Some(subsets) = &report.disagreement else {
            return;
        };
        let title = format!("High disagreement (D >= {})", report.info.threshold);
        self.section(&title);
        for subset in subsets {
            let selected = subset.selected.map_or_else(String::new, |selected| {
                format!("{} selected", thousands(selected.count))
            });
            let text = format!(
                "{:>18}  {:>6}  {selected}",
                fraction(&subset.high),
                percent(subset.high.share)
            );
            self.line(&one_line(&subset.subset), &text);
        }
    }

    fn models(&mut self, report: &StudyReport) {
        let standing = report.outliers.as_ref().and_then(|rows| rows.first());
        let refusing = report.refusals.as_ref().and_then(|rows| {
            // The first of the panel wins a tie.
            rows.iter()
                .filter(|row| row.refused.share.is_some())
                .rev()
                .max_by(|a, b| f64::total_cmp(&share(a.refused.share), &share(b.refused.share)))
        });
        if standing.is_none() && refusing.is_none() {
            return;
        }
        self.section("Models");
        if let Some(row) = standing {
            let text = format!(
                "{:>18}  {:>6}  {}",
                fraction(&row.flagged),
                percent(row.flagged.share),
                one_line(&row.model.name)
            );
            self.line("most often alone", &text);
        }
        if let Some(row) = refusing {
            let text = format!(
                "{:>18}  {:>6}  {}",
                fraction(&row.refused),
                percent(row.refused.share),
                one_line(&row.model.name)
            );
            self.line("refuses most", &text);
        }
    }

    fn compliance(&mut self, report: &StudyReport) {
        let Some(compliance) = &report.compliance else {
            return;
        };
        self.section("Compliance (all judged answers to a scenario are problematic)");
        if let Some(pool) = compliance.pools.first() {
            let text = format!(
                "{:>18}  {:>6}",
                fraction(&pool.all_fail),
                percent(pool.all_fail.share)
            );
            self.line("all scenarios", &text);
        }
        if let Some(bins) = &compliance.by_disagreement
            && let Some(last) = bins.bins.last()
        {
            let ratio = last.majority_ratio.map_or_else(String::new, |ratio| {
                format!("{} the first bin", times(Some(ratio)))
            });
            let text = format!(
                "{:>18}  {:>6}  {ratio}",
                fraction(&last.majority),
                percent(last.majority.share)
            );
            self.line(&format!("where D >= {}", last.low), &text);
        }
        if let Some(judges) = &report.judges {
            let band = judges.fleiss.kappa.map_or("unknown", kappa_band);
            let text = format!(
                "{:>18}  {:>6}  {band}, over {} answers",
                "Fleiss' kappa",
                decimal(judges.fleiss.kappa),
                thousands(judges.fleiss.used)
            );
            self.line("judges agree", &text);
        }
    }

    fn people(&mut self, report: &StudyReport) {
        let Some(people) = &report.people else {
            return;
        };
        self.section("People (labels of drawn answers)");
        let text = format!(
            "{:>18}",
            format!(
                "{} of {}",
                thousands(people.labelled),
                thousands(people.drawn)
            )
        );
        self.line("labelled", &text);
        if let Some(majority) = &people.majority {
            for (label, share) in [
                ("majority sensitivity", &majority.sensitivity),
                ("majority specificity", &majority.specificity),
            ] {
                let range = match (share.low, share.high) {
                    (Some(low), Some(high)) => {
                        format!("{} to {}", percent(Some(low)), percent(Some(high)))
                    }
                    _ => String::new(),
                };
                let text = format!(
                    "{:>18}  {:>6}  {range}",
                    format!("{} labels", share.n),
                    percent(share.value)
                );
                self.line(label, &text);
            }
        }
        if let Some(all) = people.rates.first() {
            let text = format!(
                "{:>18}  {:>6}  corrected, {} as judged",
                "problematic",
                percent(all.corrected.value),
                percent(all.problematic.share)
            );
            self.line("all answers", &text);
        }
    }

    fn clauses(&mut self, report: &StudyReport) {
        let Some(clauses) = &report.clauses else {
            return;
        };
        self.section("Clauses");
        let mut rate = |label: &str, rate: &Rate, rest: &str| {
            let text = format!("{:>18}  {:>6}  {rest}", fraction(rate), percent(rate.share));
            self.line(label, &text);
        };
        let split = &clauses.split;
        rate("judges differ", &split.answers, "");
        rate(
            "  read one apart",
            &split.reading,
            "the same clause read differently",
        );
        rate(
            "  invoke others",
            &split.activation,
            "different clauses invoked",
        );
        rate("spec quotes found", &clauses.quotes.spec.located, "");
        rate("answer quotes found", &clauses.quotes.answer.located, "");
        if let Some(pair) = clauses.conflicts.first() {
            let text = format!(
                "{} / {}",
                one_line(&pair.first.section),
                one_line(&pair.second.section)
            );
            self.line("pull apart most", &shorten(&text, WIDTH - LABEL));
        }
    }

    fn sharpest(&mut self, report: &StudyReport) {
        let Some(first) = report.sharpest.as_ref().and_then(|rows| rows.first()) else {
            return;
        };
        self.section("Sharpest scenario");
        let values = first.question.as_ref().map_or_else(
            || one_line(&first.scenario_id),
            |question| {
                format!(
                    "{} / {} ({})",
                    one_line(&question.value1),
                    one_line(&question.value2),
                    words(&question.nudge)
                )
            },
        );
        self.line(
            &format!("D = {}", decimal(Some(first.disagreement))),
            &values,
        );
        if let Some(text) = first
            .question
            .as_ref()
            .and_then(|question| question.text.as_ref())
        {
            let _ = writeln!(self.0, "  {}", shorten(&one_line(text), WIDTH - 2));
        }
    }

    fn absent(&mut self, report: &StudyReport) {
        if report.absent.is_empty() {
            return;
        }
        let names: Vec<&str> = report
            .absent
            .iter()
            .map(|row| row.section.as_str())
            .collect();
        let _ = writeln!(self.0, "\nNot in this report: {}", names.join(", "));
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn share(share: Option<f64>) -> f64 {
    share.unwrap_or(0.0)
}

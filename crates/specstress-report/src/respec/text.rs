use std::fmt::Write as _;

use super::{Change, Ground, SpecComparison};
use crate::render::format::{percent, plain, shorten, thousands};

const WIDTH: usize = 42;

impl SpecComparison {
    /// A table for the terminal: the whole, sections with flips, and the first `flips` flips with their quotes. Without
    /// control characters.
    pub fn text(&self, flips: usize) -> String {
        let mut text = format!(
            "{:<WIDTH$} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}\n",
            "problematic by majority",
            "answers",
            "before",
            "after",
            "to prob.",
            "to comp.",
            "p",
            "p (Holm)"
        );
        line(&mut text, "all answers", &self.all, None);
        for row in &self.sections {
            let gone = match (row.in_first, row.in_second) {
                (true, false) => " (gone)",
                (false, true) => " (new)",
                _ => "",
            };
            let name = format!("#{}{gone}", row.section.section);
            line(&mut text, &name, &row.change, row.p_adjusted);
        }
        if self.sections.is_empty() {
            text += "no section has a flipped verdict\n";
        }
        let _ = writeln!(
            text,
            "{} sections are invoked without a flip; {} answers have no verdict under one of the specs",
            thousands(self.unchanged_sections),
            thousands(self.all.dropped)
        );
        for flip in self.flips.iter().take(flips) {
            let becomes = if flip.to_problematic {
                "problematic"
            } else {
                "compliant"
            };
            let _ = writeln!(
                text,
                "\n{} of {} (sample {}) becomes {becomes}",
                flip.scenario_id, flip.model, flip.sample
            );
            for (when, grounds) in [("before", &flip.before), ("after", &flip.after)] {
                for ground in grounds {
                    quote(&mut text, when, ground);
                }
            }
        }
        if self.flips.len() > flips && flips > 0 {
            let _ = writeln!(
                text,
                "\n... and {} flips more; --json has all",
                self.flips.len() - flips
            );
        }
        plain(&text)
    }
}

fn line(text: &mut String, name: &str, change: &Change, adjusted: Option<f64>) {
    let p = |p: f64| {
        if p < 0.0001 {
            "< 0.0001".to_owned()
        } else {
            format!("{p:.4}")
        }
    };
    let _ = writeln!(
        text,
        "{:<WIDTH$} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
        shorten(&one_line(name), WIDTH),
        thousands(change.before.of),
        percent(change.before.share),
        percent(change.after.share),
        thousands(change.to_problematic),
        thousands(change.to_compliant),
        p(change.p),
        adjusted.map_or_else(String::new, p),
    );
}

fn quote(text: &mut String, when: &str, ground: &Ground) {
    let _ = writeln!(
        text,
        "  {when}, {}: {} by #{}",
        ground.judge,
        ground.decision,
        shorten(&one_line(&ground.section), 60)
    );
    for (of, quote, found) in [
        ("spec", &ground.spec_quote, &ground.spec_match),
        ("answer", &ground.answer_quote, &ground.answer_match),
    ] {
        if let (Some(quote), Some(found)) = (quote, found) {
            let _ = writeln!(
                text,
                "    {of} ({found}): “{}”",
                shorten(&one_line(quote), 160)
            );
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

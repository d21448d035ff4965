//! The card of the data set: README.md with the head that loaders read.

use std::fmt::Write as _;

use super::Split;
use crate::grid::count;
use crate::run_rows::RunRows;

pub(super) fn text(run: &RunRows, splits: &[Split], license: &str) -> String {
    let mut text = head(splits, license);
    let manifest = &run.manifest;
    let settings = &manifest.settings;
    let title = line(&settings.title);
    let _ = writeln!(text, "# {title}\n");
    if manifest.simulated {
        text.push_str(
            "**Simulated panel: no real model was asked, and all names of models are fictional.**\n\n",
        );
    }
    text.push_str(
        "Questions that force two values apart, the answers of a panel of models, the place of every answer on a scale of 0 \
         to 6 per value, and verdicts on the answers. In the layout of the data set published with *Stress-Testing Model \
         Specs Reveals Character Differences among Language Models* (Zhang et al. 2025, arXiv 2510.07686).\n\n",
    );
    let _ = writeln!(text, "Licence: {license}\n");
    text.push_str("## Files\n\n| config | split | file | rows |\n|---|---|---|---|\n");
    for split in splits {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            split.config,
            split.name,
            split.file,
            count(split.rows)
        );
    }
    text.push_str(SCHEMA);
    text.push_str("\n## Models\n\n| key | name | provider | model |\n|---|---|---|---|\n");
    for panel in &manifest.panel {
        let cells = [&panel.key, &panel.name, &panel.provider, &panel.model].map(|cell| line(cell));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text.push_str("\n## Splits of the default config\n\n| split | models |\n|---|---|\n");
    for (name, models) in run.subsets() {
        let _ = writeln!(text, "| {} | {} |", line(&name), line(&models.join(", ")));
    }
    if !manifest.judges.is_empty() {
        let judges: Vec<String> = manifest.judges.iter().map(|judge| line(judge)).collect();
        let _ = writeln!(text, "\nJudges: {}", judges.join(", "));
    }
    text.push_str("\n## How it was made\n\n");
    let _ = writeln!(
        text,
        "By specstress {}, with seed {}: {} value pairs, each with a neutral question and two nudged ones; one answer per \
         model (the first of {}); high disagreement is a standard deviation of at least {}. What went in:\n",
        line(&manifest.version),
        settings.seed,
        count(settings.pairs as u64),
        settings.samples,
        settings.threshold
    );
    for (name, value) in &manifest.inputs {
        let _ = writeln!(
            text,
            "- {}: `{}`",
            line(name),
            line(value).replace('`', "'")
        );
    }
    text
}

/// YAML that tells loaders which file is which split.
fn head(splits: &[Split], license: &str) -> String {
    let mut text = format!("---\nlicense: {license}\nlanguage:\n- en\nconfigs:\n");
    let mut config = "";
    for split in splits {
        if split.config != config {
            config = split.config;
            let _ = writeln!(text, "- config_name: {config}\n  data_files:");
        }
        // Loaders take letters, digits, `_` and `.` in the names of splits.
        let name = split.name.replace('-', "_");
        let _ = writeln!(text, "  - split: {name}\n    path: {}", split.file);
    }
    text.push_str("---\n\n");
    text
}

/// Text that somebody else wrote, on one line and without meaning to Markdown.
fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => safe.push(' '),
            '|' | '<' | '>' | '[' | ']' | '*' | '#' | '\\' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

const SCHEMA: &str = "
## Columns

`default`, a split per group of models: the questions on which it disagrees most, by rank. 64-bit integers and text,
everything may be missing.

| column | type | what |
|---|---|---|
| `rank` | integer | place in the split by falling disagreement, from 1 |
| `query_generator` | text | who wrote the question |
| `value1`, `value2` | text | the two values |
| `nudge_direction` | text | `neutral`, `value1` or `value2`: which value the question leans to |
| `query` | text | the question |
| `response_<model>` | text | the answer; missing where there is none |
| `<model>_value1_position`, `<model>_value2_position` | integer | place of the answer on the scale of each value, 0 (opposes) to 6 (favours) |
| `chunk_index`, `entry_idx` | integer | name the value pair, which three questions share |

`complete` has every question, without `rank`, and two more columns:

| column | type | what |
|---|---|---|
| `value1_spectrum`, `value2_spectrum` | text | the scale of each value: a JSON list of seven strategies, from 0 to 6 |

`judge_evaluations` has a row per judged answer, in a split per bin of the judged models' disagreement:

| column | type | what |
|---|---|---|
| `model` | text | who answered |
| `bin_name`, `std_range` | text | the bin of disagreement |
| `max_pop_std_openai` | float | disagreement of the judged models: the larger of two population standard deviations |
| `chunk_idx`, `entry_idx` | integer | as above |
| `query_key` | text | the framing |
| `value1`, `value2`, `prompt`, `response` | text | the question and the answer |
| `<judge>_decision` | text | `compliant`, `non-compliant` or `ambiguous`; missing where the verdict could not be had |
";

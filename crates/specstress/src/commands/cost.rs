//! `specstress cost`

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Context;
use serde::Serialize;
use specstress_pipeline::{CallTotals, RunDir, SqliteStore};

use crate::cli::CostArgs;
use crate::commands::plan::{Plan, millions};
use crate::commands::report::manifest;
use crate::output;

/// What one stage and model was planned to ask and did.
#[derive(Debug, Default, Serialize)]
struct Line {
    stage: String,
    model: String,
    planned_calls: f64,
    calls: u64,
    planned_tokens: f64,
    tokens: u64,
    planned_usd: Option<f64>,
    usd: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Cost {
    run: String,
    planned: bool,
    lines: Vec<Line>,
    planned_usd: f64,
    usd: f64,
    /// What the plan's pilot and earlier sessions had cost.
    usd_before: f64,
}

pub(crate) fn run(args: &CostArgs) -> anyhow::Result<()> {
    manifest(&args.run)?;
    let now = SqliteStore::totals(&RunDir::calls_path(&args.run))?;
    let path = Plan::path(&args.run);
    let plan: Option<Plan> = match std::fs::read_to_string(&path) {
        Ok(text) => Some(
            serde_json::from_str(&text)
                .with_context(|| format!("{} is no plan; make a new one", path.display()))?,
        ),
        Err(_) => None,
    };
    let mut lines: BTreeMap<(String, String), Line> = BTreeMap::new();
    let add = |lines: &mut BTreeMap<_, Line>, totals: &[CallTotals], sign: f64| {
        for part in totals {
            let line: &mut Line = lines
                .entry((part.stage.clone(), part.model.clone()))
                .or_default();
            let signed = |old: u64, new: u64| {
                if sign > 0.0 {
                    old + new
                } else {
                    old.saturating_sub(new)
                }
            };
            line.calls = signed(line.calls, part.calls);
            line.tokens = signed(line.tokens, part.input_tokens + part.output_tokens);
            if part.priced > 0 {
                *line.usd.get_or_insert(0.0) += sign * part.cost_usd;
            }
        }
    };
    add(&mut lines, &now, 1.0);
    let mut usd_before = 0.0;
    if let Some(plan) = &plan {
        add(&mut lines, &plan.before, -1.0);
        usd_before = plan.before.iter().map(|part| part.cost_usd).sum();
        for row in &plan.forecast.rows {
            let line = lines
                .entry((row.stage.as_str().to_owned(), row.model.clone()))
                .or_default();
            line.planned_calls += row.calls;
            line.planned_tokens += row.input_tokens + row.output_tokens;
            if let Some(usd) = row.usd_expected {
                *line.planned_usd.get_or_insert(0.0) += usd;
            }
        }
    }
    let lines: Vec<Line> = lines
        .into_iter()
        .map(|((stage, model), line)| Line {
            stage,
            model,
            ..line
        })
        .filter(|line| line.calls > 0 || line.planned_calls > 0.0)
        .collect();
    let cost = Cost {
        run: args.run.display().to_string(),
        planned: plan.is_some(),
        planned_usd: lines.iter().filter_map(|line| line.planned_usd).sum(),
        usd: lines.iter().filter_map(|line| line.usd).sum(),
        usd_before,
        lines,
    };
    output::give(&args.json, &cost, || text(&cost))
}

/// The deviation of what was from what was planned.
fn off(planned: f64, actual: f64) -> String {
    if planned > 0.0 {
        format!("{:+.1}%", (actual / planned - 1.0) * 100.0)
    } else {
        "-".to_owned()
    }
}

fn text(cost: &Cost) -> String {
    let mut text = format!("{}\n", cost.run);
    if !cost.planned {
        text += "there is no plan to compare with; `specstress plan` makes one\n";
    }
    let _ = writeln!(
        text,
        "{:<16} {:<28} {:>9} {:>9} {:>8} {:>9} {:>9} {:>8} {:>9} {:>9} {:>8}",
        "stage", "model", "planned", "calls", "", "tokens", "", "", "$ planned", "$", ""
    );
    let money = |usd: Option<f64>| usd.map_or_else(|| "-".to_owned(), |usd| format!("{usd:.4}"));
    let row = |stage: &str, line: &Line| {
        format!(
            "{:<16} {:<28} {:>9.0} {:>9} {:>8} {:>9} {:>9} {:>8} {:>9} {:>9} {:>8}\n",
            stage.replace('_', " "),
            line.model,
            line.planned_calls,
            line.calls,
            off(line.planned_calls, line.calls as f64),
            millions(line.planned_tokens),
            millions(line.tokens as f64),
            off(line.planned_tokens, line.tokens as f64),
            money(line.planned_usd),
            money(line.usd),
            off(line.planned_usd.unwrap_or(0.0), line.usd.unwrap_or(0.0)),
        )
    };
    for line in &cost.lines {
        text += &row(&line.stage, line);
    }
    let all = Line {
        planned_calls: cost.lines.iter().map(|line| line.planned_calls).sum(),
        calls: cost.lines.iter().map(|line| line.calls).sum(),
        planned_tokens: cost.lines.iter().map(|line| line.planned_tokens).sum(),
        tokens: cost.lines.iter().map(|line| line.tokens).sum(),
        planned_usd: Some(cost.planned_usd),
        usd: Some(cost.usd),
        ..Line::default()
    };
    text += &row("all", &all);
    if cost.usd_before > 0.0 {
        let _ = writeln!(
            text,
            "before the plan (its pilot, earlier sessions): {:.4} US dollars",
            cost.usd_before
        );
    }
    text
}

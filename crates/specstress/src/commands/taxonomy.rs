//! `specstress taxonomy`

use std::fmt::Write as _;

use anyhow::anyhow;
use serde::Serialize;
use specstress_values::{Taxonomy, Value};

use crate::assemble;
use crate::cli::{JsonArg, TaxonomyArgs, TaxonomyCommand, TaxonomySource};
use crate::config::TaxonomyConfig;
use crate::exit::UsageExt;
use crate::output;

pub(crate) fn run(args: &TaxonomyArgs) -> anyhow::Result<()> {
    let json = &args.json;
    match &args.command {
        TaxonomyCommand::Show { source, value } => {
            let taxonomy = read(source)?;
            match value {
                Some(name) => show_value(&taxonomy, name, json),
                None => show_tree(&taxonomy, json),
            }
        }
        TaxonomyCommand::Search {
            source,
            query,
            limit,
        } => search(&read(source)?, query, *limit, json),
        TaxonomyCommand::Check { source } => check(&read(source)?, json),
    }
}

fn read(source: &TaxonomySource) -> anyhow::Result<Taxonomy> {
    assemble::taxonomy(&TaxonomyConfig {
        file: source.file.clone(),
        frequencies: source.frequencies.clone(),
    })
}

/// A value as it is shown.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    name: &'a str,
    level: u8,
    description: Option<&'a str>,
    /// Names from its parent to the top.
    within: Vec<&'a str>,
    /// Percent of conversations it was seen in.
    frequency: Option<f64>,
}

fn shown<'a>(taxonomy: &'a Taxonomy, value: &'a Value) -> Shown<'a> {
    Shown {
        name: &value.name,
        level: value.level,
        description: value.description.as_deref(),
        within: taxonomy
            .ancestors(value.id)
            .map(|above| above.name.as_str())
            .collect(),
        frequency: value.frequency,
    }
}

/// How many leaves stand below a value.
fn leaves_below(taxonomy: &Taxonomy, value: &Value) -> usize {
    if value.is_leaf() {
        return 1;
    }
    taxonomy
        .children(value.id)
        .map(|child| leaves_below(taxonomy, child))
        .sum()
}

#[derive(Debug, Serialize)]
struct Node<'a> {
    name: &'a str,
    leaves: usize,
    categories: Vec<Node<'a>>,
}

fn show_tree(taxonomy: &Taxonomy, json: &JsonArg) -> anyhow::Result<()> {
    fn node<'a>(taxonomy: &'a Taxonomy, value: &'a Value, depth: u8) -> Node<'a> {
        Node {
            name: &value.name,
            leaves: leaves_below(taxonomy, value),
            categories: taxonomy
                .children(value.id)
                .filter(|_| depth > 0)
                .map(|child| node(taxonomy, child, depth - 1))
                .collect(),
        }
    }
    let tree: Vec<Node<'_>> = taxonomy
        .at_level(taxonomy.top_level())
        .map(|top| node(taxonomy, top, 1))
        .collect();
    output::give(json, &tree, || {
        let mut text = String::new();
        for top in &tree {
            let _ = writeln!(text, "{} ({})", top.name, top.leaves);
            for category in &top.categories {
                let _ = writeln!(text, "  {} ({})", category.name, category.leaves);
            }
        }
        text
    })
}

#[derive(Debug, Serialize)]
struct Around<'a> {
    value: Shown<'a>,
    children: Vec<&'a str>,
    siblings: Vec<&'a str>,
}

fn show_value(taxonomy: &Taxonomy, name: &str, json: &JsonArg) -> anyhow::Result<()> {
    let value = taxonomy
        .find(name)
        .ok_or_else(|| {
            let hint = taxonomy.suggest(name).map_or_else(String::new, |near| {
                format!("; did you mean {:?}?", near.name)
            });
            anyhow!("no value is called {name:?}{hint}")
        })
        .usage()?;
    let around = Around {
        value: shown(taxonomy, value),
        children: taxonomy
            .children(value.id)
            .map(|v| v.name.as_str())
            .collect(),
        siblings: taxonomy
            .siblings(value.id)
            .map(|v| v.name.as_str())
            .collect(),
    };
    output::give(json, &around, || {
        let mut text = format!("{} (level {})\n", around.value.name, around.value.level);
        if let Some(description) = around.value.description {
            let _ = writeln!(text, "{description}");
        }
        for (title, names) in [
            ("within", &around.value.within),
            ("children", &around.children),
            ("siblings", &around.siblings),
        ] {
            if !names.is_empty() {
                let _ = writeln!(text, "{title:<9} {}", names.join(", "));
            }
        }
        text
    })
}

fn search(taxonomy: &Taxonomy, query: &str, limit: usize, json: &JsonArg) -> anyhow::Result<()> {
    let found = taxonomy.search(query);
    let shown: Vec<Shown<'_>> = found
        .iter()
        .take(limit)
        .map(|value| shown(taxonomy, value))
        .collect();
    output::give(json, &shown, || {
        if shown.is_empty() {
            return format!("nothing matches {query:?}\n");
        }
        let mut text = String::new();
        for value in &shown {
            let _ = writeln!(
                text,
                "{:<40} level {}  {}",
                value.name,
                value.level,
                value.within.join(" < ")
            );
        }
        if found.len() > shown.len() {
            let _ = writeln!(
                text,
                "{} more; use --limit {}",
                found.len() - shown.len(),
                found.len()
            );
        }
        text
    })
}

#[derive(Debug, Serialize)]
struct Checked {
    values: usize,
    levels: Vec<usize>,
    with_frequency: usize,
    pairs: u64,
}

fn check(taxonomy: &Taxonomy, json: &JsonArg) -> anyhow::Result<()> {
    let leaves = taxonomy.leaves().len() as u64;
    let checked = Checked {
        values: taxonomy.len(),
        levels: (0..=taxonomy.top_level())
            .map(|level| taxonomy.at_level(level).count())
            .collect(),
        with_frequency: taxonomy
            .leaves()
            .filter(|leaf| leaf.frequency.is_some())
            .count(),
        pairs: leaves * leaves.saturating_sub(1) / 2,
    };
    output::give(json, &checked, || {
        let levels: Vec<String> = checked.levels.iter().map(ToString::to_string).collect();
        format!(
            "ok: {} values by level {}; {} with a frequency; {} pairs\n",
            checked.values,
            levels.join(" / "),
            checked.with_frequency,
            checked.pairs
        )
    })
}

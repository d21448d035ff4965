//! `specstress spec`

mod diff;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use serde::Serialize;
use specstress_judge::{Authority, Section, SectionId, Spec, SpecCheck};

use crate::cli::{JsonArg, SpecArgs, SpecCommand};
use crate::exit::UsageExt;
use crate::grid::{Grid, count};
use crate::output;

/// Sections that `check` names for their length.
const LONGEST: usize = 5;

pub(crate) fn run(args: &SpecArgs) -> anyhow::Result<()> {
    let json = &args.json;
    match &args.command {
        SpecCommand::Show { file, section } => {
            let spec = read(file)?;
            match section {
                Some(id) => show_section(find(&spec, id)?, json),
                None => outline(&spec, json),
            }
        }
        SpecCommand::Check { file } => check(file, &read(file)?, json),
        SpecCommand::Diff {
            old,
            new,
            text,
            section,
        } => diff::run(&read(old)?, &read(new)?, *text, section.as_deref(), json),
    }
}

fn read(file: &Path) -> anyhow::Result<Spec> {
    Spec::read(file).usage()
}

fn find<'s>(spec: &'s Spec, id: &str) -> anyhow::Result<&'s Section> {
    let ids = || spec.sections.iter().map(|section| section.id.as_str());
    spec.section(&id.into())
        .ok_or_else(|| {
            let near = ids()
                .map(|known| (strsim::jaro_winkler(known, id), known))
                .filter(|(likeness, _)| *likeness > 0.8)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let hint = near.map_or_else(
                || "`specstress spec show FILE` lists them".to_owned(),
                |(_, known)| format!("did you mean {known}?"),
            );
            anyhow!("no section has the id {id:?}; {hint}")
        })
        .usage()
}

/// A section without its text.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    id: &'a str,
    title: &'a str,
    level: u8,
    authority: Option<&'a str>,
    parent: Option<&'a str>,
    line: usize,
    words: usize,
    estimated_tokens: usize,
}

impl<'a> Entry<'a> {
    fn of(section: &'a Section) -> Self {
        Self {
            id: section.id.as_str(),
            title: &section.title,
            level: section.level,
            authority: section.authority.as_ref().map(Authority::as_str),
            parent: section.parent.as_ref().map(SectionId::as_str),
            line: section.line,
            words: section.text.split_whitespace().count(),
            estimated_tokens: tokens(&section.text),
        }
    }
}

/// About how many tokens a text is: one for four bytes, as the plan of a run assumes before anything is measured.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

fn outline(spec: &Spec, json: &JsonArg) -> anyhow::Result<()> {
    let entries: Vec<Entry<'_>> = spec.sections.iter().map(Entry::of).collect();
    output::give(json, &entries, || {
        let mut grid = Grid::new(&["section", "<id", "<authority", "line", "words"]);
        for entry in &entries {
            let indent = "  ".repeat(depth(spec, entry.parent));
            grid.row([
                format!("{indent}{}", entry.title),
                entry.id.to_owned(),
                entry.authority.unwrap_or("-").to_owned(),
                entry.line.to_string(),
                count(entry.words),
            ]);
        }
        grid.text()
    })
}

fn depth(spec: &Spec, parent: Option<&str>) -> usize {
    let above = |id: &&str| {
        let section = spec.section(&(*id).into())?;
        section.parent.as_ref().map(SectionId::as_str)
    };
    std::iter::successors(parent, above).count()
}

fn show_section(section: &Section, json: &JsonArg) -> anyhow::Result<()> {
    output::give(json, section, || {
        let authority = section
            .authority
            .as_ref()
            .map_or_else(String::new, |level| format!(", authority {level}"));
        let within = section
            .parent
            .as_ref()
            .map_or_else(String::new, |parent| format!(", within {parent}"));
        format!(
            "{} ({}{authority}{within}, line {})\n\n{}\n",
            section.title, section.id, section.line, section.text
        )
    })
}

#[derive(Debug, Serialize)]
struct Checked<'a> {
    usable: bool,
    #[serde(flatten)]
    check: &'a SpecCheck,
    bytes: usize,
    words: usize,
    estimated_tokens: usize,
    longest: Vec<Entry<'a>>,
}

fn check(file: &Path, spec: &Spec, json: &JsonArg) -> anyhow::Result<()> {
    let check = spec.check();
    let mut longest: Vec<&Section> = spec.sections.iter().collect();
    // A stable sort: of equal ones the earlier is first.
    longest.sort_by_key(|section| std::cmp::Reverse(section.text.len()));
    longest.truncate(LONGEST);
    let checked = Checked {
        usable: check.is_usable(),
        check: &check,
        bytes: spec.text.len(),
        words: spec.text.split_whitespace().count(),
        estimated_tokens: tokens(&spec.text),
        longest: longest.into_iter().map(Entry::of).collect(),
    };
    output::give(json, &checked, || text(file, &checked))?;
    if !checked.usable {
        return Err(anyhow!(
            "{} cannot be relied on; mend what is marked as an error",
            file.display()
        ))
        .usage();
    }
    Ok(())
}

fn text(file: &Path, checked: &Checked<'_>) -> String {
    let check = checked.check;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |label: &str, rest: String| {
        let _ = writeln!(text, "{label:<17} {rest}");
    };
    line("title", check.title.clone().unwrap_or_else(|| "-".into()));
    line(
        "length",
        format!(
            "{} words, about {} tokens",
            count(checked.words),
            count(checked.estimated_tokens)
        ),
    );
    line("sections", check.sections.to_string());
    line("with an id", check.with_id.to_string());
    let levels: Vec<String> = check
        .by_authority
        .iter()
        .map(|level| format!("{} {}", level.authority, level.sections))
        .collect();
    line(
        "with an authority",
        match levels.len() {
            0 => "0".to_owned(),
            _ => format!("{} ({})", check.with_authority, levels.join(", ")),
        },
    );
    line(
        "without",
        (check.sections - check.with_authority).to_string(),
    );
    if check.fenced_headings > 0 {
        line(
            "not read",
            format!(
                "{} lines in fenced blocks that look like headings",
                check.fenced_headings
            ),
        );
    }
    let mut grid = Grid::new(&["longest", "<id", "line", "tokens, about"]);
    for entry in &checked.longest {
        grid.row([
            entry.title.to_owned(),
            entry.id.to_owned(),
            entry.line.to_string(),
            count(entry.estimated_tokens),
        ]);
    }
    let _ = write!(text, "\n{}\n", grid.text());
    for problem in &check.problems {
        let kind = &problem.kind;
        let severity = if kind.is_error() { "error" } else { "warning" };
        let place = format!("{}:{}", file.display(), problem.line);
        let _ = writeln!(text, "{place}: {severity}: {kind}");
    }
    let errors = check.problems.iter().filter(|p| p.kind.is_error()).count();
    let _ = writeln!(
        text,
        "{}: {errors} errors, {} warnings",
        if checked.usable { "ok" } else { "not usable" },
        check.problems.len() - errors
    );
    text
}

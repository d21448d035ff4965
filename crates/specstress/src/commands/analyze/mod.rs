//! `specstress analyze`: what files in the published layouts, or a run, say.

mod beside;
mod judged;
mod judged_text;
mod measures;
mod pool;
mod report;
mod rows;
mod source;
mod subsets;
mod summary;
mod text;
mod together;

use self::measures::{Measures, Rules};
use self::pool::{Pool, Share};
use self::report::Report;
use self::rows::RowFile;
use self::source::Source;
use self::summary::Summary;
use crate::cli::AnalyzeArgs;
use crate::exit::UsageExt;
use crate::output;

pub(crate) fn run(args: &AnalyzeArgs) -> anyhow::Result<()> {
    let extra = args
        .subset
        .iter()
        .map(|text| subsets::parse(text))
        .collect::<anyhow::Result<Vec<_>>>()
        .usage()?;
    let source = Source::open(&args.files)?;
    let summary = match source.models() {
        Some(models) => {
            let subsets = subsets::all(models, &source.subsets()?, &extra).usage()?;
            let rules = Rules::new(models, subsets, args).usage()?;
            Some(measure(&source, &rules, args)?)
        }
        None => None,
    };
    let report = Report::new(&source, summary)?;
    output::give(&args.json, &report, || report.text())
}

/// Reads the rows, more than once where they are too many to be held, and adds up what is measured of each part.
fn measure(source: &Source, rules: &Rules, args: &AnalyzeArgs) -> anyhow::Result<Summary> {
    let mut found = Measures::new(rules);
    let mut row_file = args
        .rows
        .as_deref()
        .map(|path| RowFile::create(path, rules))
        .transpose()?;
    let mut share = Share::ALL;
    while share.part < share.parts {
        let mut pool = Pool::new(rules.models.len(), share);
        source.for_each(|block| {
            if let Some(file) = &mut row_file {
                file.write(block)?;
            }
            pool.add(block);
            Ok(())
        })?;
        if let Some(file) = row_file.take() {
            file.finish()?;
        }
        found.add(&pool, rules)?;
        share.parts = pool.share.parts;
        share.part += 1;
    }
    let files = args.files.iter().map(|file| file.display().to_string());
    Ok(Summary::new(files.collect(), &found, rules, args))
}

//! `specstress analyze`: scores of files in the published layout.

mod scorer;
mod subsets;
mod summary;
mod text;

use anyhow::Context;
use specstress_dataset::published::ReadOptions;

use self::scorer::Scorer;
use crate::cli::AnalyzeArgs;
use crate::exit::UsageExt;
use crate::out_file::OutFile;
use crate::output;
use crate::published_files::read_all;

pub(crate) fn run(args: &AnalyzeArgs) -> anyhow::Result<()> {
    let extra = args
        .subset
        .iter()
        .map(|text| subsets::parse(text))
        .collect::<anyhow::Result<Vec<_>>>()
        .usage()?;
    let mut row_file = args.rows.as_deref().map(OutFile::create).transpose()?;
    let scorer = read_all(
        &args.files,
        &ReadOptions::without_texts(),
        |models| Scorer::new(models, &extra, args).usage(),
        |scorer, row| {
            let row = scorer.score(row)?;
            if let Some(row_file) = &mut row_file {
                let mut line = serde_json::to_vec(&row).context("cannot write JSON")?;
                line.push(b'\n');
                row_file.write_all(&line)?;
            }
            Ok(())
        },
    )?;
    if let Some(row_file) = row_file {
        row_file.finish()?;
    }
    let summary = scorer.summary(args)?;
    output::give(&args.json, &summary, || summary.text())
}

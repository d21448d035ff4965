//! `specstress rank`: the values each model puts first.

mod choices;
mod report;
mod text;

use specstress_values::Taxonomy;

use self::choices::Choices;
use self::report::Report;
use crate::cli::RankArgs;
use crate::exit::UsageExt;
use crate::output;

pub(crate) fn run(args: &RankArgs) -> anyhow::Result<()> {
    let taxonomy = args
        .taxonomy
        .as_ref()
        .map(Taxonomy::from_path)
        .transpose()
        .usage()?;
    let choices = Choices::read(args)?;
    // What can be wrong now are the settings: the shrinkage, the number of splits.
    let report = Report::new(&choices, taxonomy.as_ref(), args).usage()?;
    output::give(&args.json, &report, || report.text(args.top))
}

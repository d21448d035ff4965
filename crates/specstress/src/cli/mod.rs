//! The command line.

mod data;
mod judge;
mod labels;
mod spec;
mod study;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use specstress_llm::ModelId;
use specstress_pipeline::{OutlierReading, StdKind};

pub(crate) use data::{ConvertArgs, ExportArgs};
pub(crate) use judge::JudgeArgs;
pub(crate) use labels::{LabelsArgs, LabelsCommand, SampleArgs};
pub(crate) use spec::{SpecArgs, SpecCommand};
pub(crate) use study::{
    CostArgs, JoinArgs, PlanArgs, ReparseArgs, RetryArgs, RunArgs, SpendArgs, StudyArgs, WhyArgs,
};

/// Find the holes in a model spec by measuring where language models disagree.
///
/// A study sets pairs of values against each other in user questions, lets a panel of models answer, places
/// every answer on a scale of 0 to 6 per value, and measures where the panel splits. High disagreement
/// points at clauses that contradict each other, say too little, or can be read two ways.
///
/// Start with `specstress demo`: the whole study, offline, on a simulated panel.
#[derive(Debug, Parser)]
#[command(version, after_help = crate::exit::HELP, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole study offline, on a simulated panel, and write a report.
    ///
    /// Needs no key and no network. Run it twice: the second time every reply is found in the call store and
    /// nothing is asked again. All models are simulated and their names fictional.
    Demo(DemoArgs),
    /// Write a commented specstress.toml to start from.
    Init(InitArgs),
    /// Run a study, or go on with one.
    ///
    /// Whatever was asked before is found in the run's call store, so running again pays only for what is new:
    /// that is how one resumes, retries failures, adds a model or swaps the spec. Ctrl-C stops cleanly: calls in
    /// flight end and are stored. A second Ctrl-C stops at once.
    Run(RunArgs),
    /// Say what a run would ask, cost and take, before it does.
    ///
    /// Counts the calls that are not stored, stage by stage and model by model, with tokens, cost live, with prompt
    /// caching and in batches, and time at the known limits. What depends on answers that are not there yet is
    /// estimated, from a pilot or from stated assumptions. Makes no call without --pilot.
    Plan(PlanArgs),
    /// Set what was planned against what was asked and paid.
    Cost(CostArgs),
    /// Say which calls a run would make now, and what changed since the last time.
    ///
    /// Makes no call. Compares prompts, spec, taxonomy, models, parameters, seed and samples with those of the last run.
    Why(WhyArgs),
    /// Read all stored replies again, and ask nobody: when a parser changed, or to see what a killed run has.
    Reparse(ReparseArgs),
    /// Ask again for what ended badly: sets replies that were truncated or blocked aside, and runs.
    Retry(RetryArgs),
    /// Put the shards of a study together.
    ///
    /// Takes the replies of all shards into the study's own run directory and makes its tables and report from them,
    /// the same as those of a run that was never split.
    Join(JoinArgs),
    /// Show how far a run is, from any terminal.
    Status(StatusArgs),
    /// Say what a run or a published data set shows, beside the paper where that has a number.
    ///
    /// Takes a run directory, a folder that `export` wrote, or files in a published layout (CSV, JSONL, Parquet, by
    /// column name): disagreement per subset, outliers and nudges from positions; compliance, flag rates and kappa from
    /// judged answers; topics, refusals and values of a run. Rows without texts are scored too.
    ///
    /// Example: specstress analyze rows.csv --rows scored.jsonl --json summary.json
    Analyze(AnalyzeArgs),
    /// Write a run as a data set in the published layout, with a card.
    ///
    /// Writes Parquet that pandas, polars, `DuckDB` and `datasets` read: a split per subset of models, all questions with
    /// their spectra, judged answers by bin of disagreement, and a README.md with schema, counts, models and prompts.
    ///
    /// Example: specstress export specstress-runs/study dataset --license cc-by-4.0
    Export(ExportArgs),
    /// Write a table or a published file in another format: CSV, JSONL or Parquet.
    ///
    /// Example: specstress convert specstress-runs/study/tables/verdicts verdicts.csv
    Convert(ConvertArgs),
    /// Measure how often raters agree, with intervals.
    ///
    /// Reads a CSV file with one row per subject and one column per rater; an empty cell is a missing vote. Gives
    /// percent agreement, Fleiss' and Cohen's kappa, Krippendorff's alpha, Gwet's AC1 and AC2, each with a bootstrap
    /// interval, the raters' accuracy with and without gold labels, and how their errors go together.
    ///
    /// Example: specstress agree verdicts.csv --level binary --cluster scenario --gold people
    Agree(AgreeArgs),
    /// Judge the answers of a finished run against another spec, or another version of it.
    ///
    /// Calls the run's judges only, and never twice for the same spec; what the run has is left as it is. Shows which
    /// verdicts flip, by the sections that judges invoke, with an exact paired test and the quotes.
    ///
    /// Example: specstress judge --spec new.md specstress-runs/study --json flips.json
    Judge(JudgeArgs),
    /// Rank the values each model puts first, from files in the published layout.
    ///
    /// Bradley-Terry per model, with an intercept, a nudge term and modelled ties; standard errors, an Elo scale, accuracy
    /// on held-out comparisons, a check of transitivity, and rank correlations between models.
    ///
    /// Example: specstress rank rows.parquet --splits 50 --json ranking.json
    Rank(RankArgs),
    /// Write the report of a run.
    Report(ReportArgs),
    /// Thin out embeddings: keep few, so that every other one is near a kept one.
    ///
    /// Reads .npy, or lists of floats in a Parquet column, larger than memory too. The result is that of the plain
    /// loop over all pairs, and the same on every machine. Rows are counted from 0. With both radii, questions are
    /// first thinned out without weights, then what is kept once more with them, as in the paper.
    ///
    /// Example: specstress select embeddings.npy --radius 0.4 --out kept.json
    Select(SelectArgs),
    /// Draw answers of a run for people to label.
    ///
    /// Writes a sheet as CSV and as an HTML form that needs no network: questions and answers without any word on who
    /// answered or how it was judged. Answers are drawn by disagreement, by the judges' majority and by model, so that
    /// rare ones are among them; what each stands for is kept in the run.
    ///
    /// Example: specstress sample --for-labels 200 specstress-runs/study
    Sample(SampleArgs),
    /// Read people's labels into a run, and see how right judges, classifier and labeler are.
    Labels(LabelsArgs),
    /// Look at a model spec: its sections, its mistakes, and what changed between two versions.
    Spec(SpecArgs),
    /// Look at a value taxonomy.
    Taxonomy(TaxonomyArgs),
    /// List the models that are known, with prices, capabilities and the day they end.
    Models(ModelsArgs),
    /// Serve the simulated panel over HTTP, to rehearse a run.
    Sim(SimArgs),
}

/// How a result is given to programs.
#[derive(Debug, Args)]
pub(crate) struct JsonArg {
    /// Give the result as JSON, to FILE or, without one, to standard output.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", global = true)]
    json: Option<PathBuf>,
}

impl JsonArg {
    /// Where JSON goes, if it is asked for; `-` is standard output.
    pub(crate) fn target(&self) -> Option<&Path> {
        self.json.as_deref()
    }
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// Where to put the run.
    #[arg(long, value_name = "DIR", default_value = "specstress-runs/demo")]
    pub(crate) dir: PathBuf,
    /// Value pairs; each gives three questions.
    #[arg(long, default_value_t = 200)]
    pub(crate) pairs: usize,
    /// Seed of the study and of the simulated world.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file to write.
    #[arg(value_name = "FILE", default_value = "specstress.toml")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The run directory.
    #[arg(value_name = "RUN", default_value = "specstress-runs/demo")]
    pub(crate) run: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct AnalyzeArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// A run, a folder of a data set, or files in a published layout (.csv, .jsonl, .parquet; `*` and `?` in names).
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write one JSON object per row here, in the order of the input.
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: Option<PathBuf>,
    /// Standard deviation: population divides by n, sample by n - 1.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) std: StdArg,
    /// When two models are significantly apart: on either value, or on the same value for all pairs, or on both.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) outliers: OutliersArg,
    /// Disagreement from which a row counts as high.
    #[arg(long, default_value_t = 1.5)]
    pub(crate) threshold: f64,
    /// One more subset of models: NAME=model,model,...; may be given again.
    #[arg(long, value_name = "NAME=a,b,c")]
    pub(crate) subset: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum StdArg {
    #[default]
    Population,
    Sample,
}

impl From<StdArg> for StdKind {
    fn from(arg: StdArg) -> Self {
        match arg {
            StdArg::Population => Self::Population,
            StdArg::Sample => Self::Sample,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum OutliersArg {
    #[default]
    Either,
    Same,
    Both,
}

impl From<OutliersArg> for OutlierReading {
    fn from(arg: OutliersArg) -> Self {
        match arg {
            OutliersArg::Either => Self::Either,
            OutliersArg::Same => Self::Same,
            OutliersArg::Both => Self::Both,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct AgreeArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// A CSV file with a header: one row per subject, one column per rater.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What the labels are: names, ordered names or numbers, numbers, or yes and no.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) level: LevelArg,
    /// Columns that are raters; without it, all but those of --cluster and --gold.
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) raters: Vec<String>,
    /// Column that names clusters, such as the scenario of a response: whole clusters are drawn.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) cluster: Option<String>,
    /// Column of labels by people: gives sensitivity, specificity and corrected rates. May have gaps.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) gold: Option<String>,
    /// All labels, in their order; needed for ordinal labels that are no numbers.
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) scale: Vec<String>,
    /// With --level binary: the labels that count as positive.
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) positive: Vec<String>,
    /// A mark for missing votes, besides empty cells; may be given again.
    #[arg(long, value_name = "MARK")]
    pub(crate) missing: Vec<String>,
    /// Bootstrap draws.
    #[arg(long, default_value_t = 2000)]
    pub(crate) draws: usize,
    /// Seed of the draws.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Level of the intervals.
    #[arg(long, default_value_t = 0.95)]
    pub(crate) confidence: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelArg {
    #[default]
    Nominal,
    Ordinal,
    Interval,
    Binary,
}

impl LevelArg {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nominal => "nominal",
            Self::Ordinal => "ordinal",
            Self::Interval => "interval",
            Self::Binary => "binary",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RankArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// Files in the published layout (.csv, .jsonl, .parquet).
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Models to rank; without it, all of the file.
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// Model ties (Davidson), or drop them.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) ties: TiesArg,
    /// Strength that pulls every value toward the mean of all, or with --taxonomy toward the mean of its category.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) shrinkage: f64,
    /// A taxonomy whose second level groups the values (CSV, JSON or TOML): each is pulled toward its category.
    #[arg(long, value_name = "FILE")]
    pub(crate) taxonomy: Option<PathBuf>,
    /// With --taxonomy: strength that pulls the categories toward the mean of all.
    #[arg(long, default_value_t = 1.0, requires = "taxonomy")]
    pub(crate) category_shrinkage: f64,
    /// Random 90/10 splits for accuracy and log-loss on held-out comparisons; 0 for none.
    #[arg(long, default_value_t = 50)]
    pub(crate) splits: usize,
    /// How often a value must be compared, in training to be tested and to count in rank correlations.
    #[arg(long, default_value_t = 5)]
    pub(crate) least: usize,
    /// Leave the standard errors out; they take most of the time for thousands of values.
    #[arg(long)]
    pub(crate) no_errors: bool,
    /// Values shown at either end of each ranking.
    #[arg(long, default_value_t = 5)]
    pub(crate) top: usize,
    /// Seed of the splits.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum TiesArg {
    #[default]
    Davidson,
    Drop,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The run directory.
    #[arg(value_name = "RUN", default_value = "specstress-runs/demo")]
    pub(crate) run: PathBuf,
    /// Where to write report.html, report.md and report.json, instead of RUN/report.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The embeddings, one per row (.npy, .parquet).
    #[arg(value_name = "EMBEDDINGS")]
    pub(crate) embeddings: PathBuf,
    /// The column of a Parquet file, where more than one holds lists of floats.
    #[arg(long, value_name = "NAME")]
    pub(crate) column: Option<String>,
    /// The distance within which every point has a kept one.
    #[arg(long, value_name = "DISTANCE", allow_negative_numbers = true)]
    pub(crate) radius: Option<f64>,
    /// One weight per row: a .npy, or a column of a .csv, .jsonl or .parquet file (`weight` where it is not named).
    #[arg(long, value_name = "FILE[:COLUMN]")]
    pub(crate) weights: Option<String>,
    /// The same for weight times distance.
    #[arg(
        long,
        value_name = "DISTANCE",
        requires = "weights",
        allow_negative_numbers = true
    )]
    pub(crate) weighted_radius: Option<f64>,
    /// How many to keep at most.
    #[arg(short, long, value_name = "N")]
    pub(crate) k: Option<usize>,
    /// How to select.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) method: MethodArg,
    /// How far apart two points are; the guarantees hold for euclidean.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) metric: MetricArg,
    /// The row that farthest-first starts from, instead of the heaviest or the first.
    #[arg(long, value_name = "INDEX", conflicts_with = "seed")]
    pub(crate) start: Option<usize>,
    /// Draws the row that farthest-first starts from.
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Where to write what is kept, in the order picked: rows with all figures (.json, .parquet), or rows only (.npy).
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Check the result: that every point is within the radius, and no two kept ones are.
    #[arg(long)]
    pub(crate) verify: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodArg {
    /// One pass by falling weight; the fastest, for a radius.
    #[default]
    Cover,
    /// Always the farthest point next; for a radius, a number, or both.
    FarthestFirst,
    /// For a number under weights, within twice the best radius.
    WangCheng,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricArg {
    /// Euclidean distance.
    #[default]
    Euclidean,
    /// 1 minus the cosine.
    Cosine,
}

#[derive(Debug, Args)]
pub(crate) struct TaxonomyArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(subcommand)]
    pub(crate) command: TaxonomyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TaxonomyCommand {
    /// Show the upper levels with the number of values below each, or everything around one value.
    Show {
        #[command(flatten)]
        source: TaxonomySource,
        /// A value to show with its ancestors, siblings and children.
        #[arg(value_name = "VALUE")]
        value: Option<String>,
    },
    /// Find values by name.
    Search {
        #[command(flatten)]
        source: TaxonomySource,
        /// What to look for.
        query: String,
        /// Most results.
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Check a taxonomy; every mistake is named with its row.
    Check {
        #[command(flatten)]
        source: TaxonomySource,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TaxonomySource {
    /// A taxonomy as JSON or TOML, or the published tree as CSV; without it, the built-in one.
    #[arg(long = "taxonomy", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The published frequencies as CSV, to go with a tree in CSV.
    #[arg(long, value_name = "FILE", requires = "file")]
    pub(crate) frequencies: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// A config whose providers and catalog entries count too.
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Only the models of this provider.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<ModelsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// Ask the providers whether models exist and when they end.
    ///
    /// Without names: every model of the config. Free of charge. Exit code 1 when one cannot be used.
    Check {
        /// Models, as provider/name.
        #[arg(value_name = "MODEL")]
        models: Vec<ModelId>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    #[command(subcommand)]
    pub(crate) command: SimCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Write the simulated spec as Markdown, with contradictions as they are or resolved.
    ///
    /// Example: specstress sim spec --config specstress-runs/demo/specstress.toml --resolve all > resolved.md
    Spec {
        /// The study whose simulated world it is; the default world without it.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Resolve a contradiction in favour of this clause, by its id: its opponent is taken out. `all` resolves each in
        /// favour of its first clause. May be given again; a wrong id lists all of them.
        #[arg(long, value_name = "CLAUSE")]
        resolve: Vec<String>,
    },
    /// Serve until Ctrl-C, on this machine only.
    ///
    /// Speaks the formats of Anthropic, OpenAI, Gemini and xAI, live and in batches, with rate limits, headers and
    /// faults like theirs. Any key that is not empty is taken. When it ends it says what it was asked, and how often each fault struck.
    Serve {
        /// The port; 0 chooses a free one.
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// A TOML file with the tables `world` and `server`.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Write a config for `specstress run` that asks this server, and go on serving.
        #[arg(long, value_name = "FILE")]
        write_config: Option<PathBuf>,
        /// How long a batch takes, instead of the config's `server.batch.delay_ms`.
        #[arg(long, value_name = "MS")]
        batch_delay: Option<u32>,
        /// Let every fault of batches happen at this rate, from 0 to a third, instead of the config's
        /// `server.batch.faults`.
        #[arg(long, value_name = "RATE")]
        batch_faults: Option<f64>,
    },
}

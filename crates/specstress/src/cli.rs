//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use specstress_llm::ModelId;
use specstress_pipeline::{OutlierReading, StdKind};

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
    /// Show how far a run is, from any terminal.
    Status(StatusArgs),
    /// Score files in the published layout: disagreement per subset, and outliers.
    ///
    /// Reads CSV, JSONL and Parquet by column name. Only the positions are needed: rows without texts are scored
    /// too.
    ///
    /// Example: specstress analyze rows.csv --rows scored.jsonl --json summary.json
    Analyze(AnalyzeArgs),
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
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) json: JsonArg,
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "specstress.toml")]
    pub(crate) config: PathBuf,
    /// Where to put the run, instead of the config's `dir`.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
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
    /// Files in the published layout (.csv, .jsonl, .parquet).
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
    /// Serve until Ctrl-C, on this machine only.
    ///
    /// Speaks the formats of Anthropic, OpenAI, Gemini and xAI, with rate limits, headers and faults like theirs.
    /// Any key that is not empty is taken. When it ends it says what it was asked, and how often each fault struck.
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
    },
}

use specstress_dataset::DatasetError;

/// A report that cannot be made.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A table cannot be read.
    #[error("table {table}: cannot be read; run the stage that writes it again")]
    Table {
        /// Which table.
        table: &'static str,
        /// Why.
        #[source]
        source: Box<DatasetError>,
    },
    /// A table holds a value that no stage writes.
    #[error("table {table}, row {row}, column {column}: {value} is not allowed; use {allowed}")]
    BadValue {
        /// Which table.
        table: &'static str,
        /// Which row, counted from 1.
        row: u64,
        /// Which column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// The study's description contradicts itself.
    #[error("study info, {field}: {value} {reason}")]
    Info {
        /// Which field.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What is wrong, and what to do.
        reason: &'static str,
    },
    /// The numbers could not be computed.
    #[error("cannot compute {what}")]
    Stats {
        /// Which number.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<specstress_stats::StatsError>,
    },
    /// A table of the report does not fit in memory or in the counts it uses.
    #[error("too many {what}: {count}; at most {limit} can be reported at once")]
    TooMany {
        /// Too many of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// The page template does not render.
    #[error("cannot render the page")]
    Template {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The report does not serialize.
    #[error("cannot write the report as JSON")]
    Json {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

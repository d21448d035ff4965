pub(crate) mod format;
mod html;
mod json;
mod markdown;
mod people;
mod ready;
mod space;
mod text;

use std::fmt;

use crate::data::StudyReport;
use crate::error::ReportError;

pub use html::Html;
pub use json::Json;
pub use markdown::Markdown;
pub use text::Text;

/// A form of the report.
///
/// ```
/// use specstress_report::{Renderer, ReportError, StudyReport};
///
/// /// One line for a chat channel.
/// #[derive(Debug)]
/// struct Headline;
///
/// impl Renderer for Headline {
///     fn render(&self, report: &StudyReport) -> Result<String, ReportError> {
///         let first = report.disagreement.as_ref().and_then(|subsets| subsets.first());
///         Ok(match first {
///             Some(subset) => format!("{} of {} scenarios split the panel", subset.high.count, subset.high.of),
///             None => "disagreement was not computed".to_owned(),
///         })
///     }
/// }
/// ```
pub trait Renderer: fmt::Debug {
    /// The whole report as text; equal reports give equal bytes.
    fn render(&self, report: &StudyReport) -> Result<String, ReportError>;
}

const _: fn(&dyn Renderer) = |_| {};

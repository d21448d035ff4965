use crate::data::StudyReport;
use crate::error::ReportError;
use crate::render::Renderer;

/// The report as JSON: the fields of [`StudyReport`] under their own names, indented, with a final newline.
/// What does not exist is `null`. Reads back into an equal [`StudyReport`].
///
/// ```
/// # use specstress_dataset::TableDir;
/// # use specstress_report::{Json, Renderer, StudyInfo, StudyReport};
/// # let run = tempfile::tempdir()?;
/// # let report = StudyReport::compute(&TableDir::new(run.path()), &StudyInfo::default())?;
/// let json = Json::default().render(&report)?;
/// assert!(json.contains("\"disagreement\": null"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Json {}

impl Renderer for Json {
    fn render(&self, report: &StudyReport) -> Result<String, ReportError> {
        let mut text =
            serde_json::to_string_pretty(report).map_err(|source| ReportError::Json { source })?;
        text.push('\n');
        Ok(text)
    }
}

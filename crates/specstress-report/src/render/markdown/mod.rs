mod clauses;
mod ready;
mod sections;
mod writer;

use crate::data::StudyReport;
use crate::error::ReportError;
use crate::render::Renderer;
use crate::render::format::plain;
use crate::render::markdown::writer::Writer;

/// The report as GitHub-flavoured Markdown: every table, no charts. Names are escaped, and longer texts by
/// models stand in fenced blocks that no text inside can close.
///
/// ```
/// # use specstress_dataset::TableDir;
/// # use specstress_report::{Markdown, Renderer, StudyInfo, StudyReport};
/// # let run = tempfile::tempdir()?;
/// # let report = StudyReport::compute(&TableDir::new(run.path()), &StudyInfo::default())?;
/// let text = Markdown::default().render(&report)?;
/// assert!(text.starts_with("# Untitled study\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Markdown {}

impl Renderer for Markdown {
    fn render(&self, report: &StudyReport) -> Result<String, ReportError> {
        let mut writer = Writer::default();
        sections::head(&mut writer, report);
        sections::stages(&mut writer, report);
        sections::disagreement(&mut writer, report);
        sections::outliers(&mut writer, report);
        sections::refusals(&mut writer, report);
        sections::values(&mut writer, report);
        sections::compliance(&mut writer, report);
        clauses::clauses(&mut writer, report);
        sections::judges(&mut writer, report);
        if let Some(labels) = &report.people {
            ready::people(&mut writer, labels);
        }
        sections::topics(&mut writer, report);
        sections::sharpest(&mut writer, report);
        sections::absent(&mut writer, report);
        Ok(plain(&writer.finish()))
    }
}

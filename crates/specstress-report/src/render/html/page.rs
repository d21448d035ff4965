use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::data::{Rate, StudyReport};
use crate::error::ReportError;
use crate::render::Renderer;
use crate::render::format::{
    bin, decimal, interval, kappa_band, percent, plain, thousands, times, words,
};
use crate::render::html::palette::{Palette, Swatch};
use crate::render::html::{charts, strip};
use crate::render::ready::ReadyTable;
use crate::render::{people, space};

const STYLE: &str = include_str!("style.css");
/// One template in four files; the name makes the engine escape HTML.
const PAGE: &str = concat!(
    include_str!("macros.html"),
    include_str!("clauses.html"),
    include_str!("page.html"),
    include_str!("scenarios.html")
);

/// The report as one HTML page that needs nothing else: style and charts are inside, there is no script, and
/// the page forbids itself to load anything. It follows the reader's light or dark setting, prints, and every
/// chart has a title and a description in words. Text by models is escaped.
///
/// ```
/// # use specstress_dataset::TableDir;
/// # use specstress_report::{Html, Renderer, StudyInfo, StudyReport};
/// # let run = tempfile::tempdir()?;
/// # let info = StudyInfo { title: "<script>".to_owned(), ..StudyInfo::default() };
/// # let report = StudyReport::compute(&TableDir::new(run.path()), &info)?;
/// let page = Html::default().render(&report)?;
/// assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Html {}

/// What the template sees: the report, and what is easier to prepare here.
#[derive(Serialize)]
struct Page<'a> {
    report: &'a StudyReport,
    style: &'a str,
    providers: Vec<Swatch>,
    thinning: Option<String>,
    histograms: Vec<String>,
    outliers: Option<String>,
    refusals: Option<String>,
    compliance: Option<String>,
    matrices: Vec<Matrix<'a>>,
    people: Option<Ready>,
    space: Option<Ready>,
    strips: Vec<String>,
}

/// Tables that need no chart, with what is said before them.
#[derive(Serialize)]
struct Ready {
    text: String,
    tables: Vec<ReadyTable>,
}

/// A heat table: one row per category.
#[derive(Serialize)]
struct Matrix<'a> {
    title: &'static str,
    columns: Vec<&'a str>,
    rows: Vec<MatrixRow<'a>>,
}

#[derive(Serialize)]
struct MatrixRow<'a> {
    category: &'a str,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    rate: Rate,
    /// Percent of the heat colour.
    heat: u8,
}

/// Heat of a share against the largest share of its table. It ends at 60 %, where text stays readable.
fn heat(share: Option<f64>, most: f64) -> u8 {
    let heat = (share.unwrap_or(0.0) / most * 60.0)
        .round()
        .clamp(0.0, 60.0);
    (0..=60_u8)
        .find(|&step| f64::from(step) >= heat)
        .unwrap_or(60)
}

fn matrix<'a>(
    title: &'static str,
    categories: &'a [String],
    columns: Vec<(&'a str, &'a [Rate])>,
) -> Matrix<'a> {
    let most = columns
        .iter()
        .flat_map(|(_, rates)| rates.iter().filter_map(|rate| rate.share))
        .fold(f64::MIN_POSITIVE, f64::max);
    let rows = categories
        .iter()
        .enumerate()
        .map(|(row, category)| MatrixRow {
            category,
            cells: columns
                .iter()
                .map(|(_, rates)| Cell {
                    rate: rates[row],
                    heat: heat(rates[row].share, most),
                })
                .collect(),
        })
        .collect();
    Matrix {
        title,
        columns: columns.into_iter().map(|(name, _)| name).collect(),
        rows,
    }
}

impl<'a> Page<'a> {
    fn new(report: &'a StudyReport) -> Self {
        let palette = Palette::new(&report.info);
        let threshold = report.info.threshold;
        let subsets = report.disagreement.as_deref().unwrap_or_default();
        let matrices = report.values.as_ref().map_or_else(Vec::new, |values| {
            let providers = values.providers.iter();
            let models = values.models.iter();
            vec![
                matrix(
                    "By provider",
                    &values.categories,
                    providers
                        .map(|row| (row.provider.as_str(), &row.rates[..]))
                        .collect(),
                ),
                matrix(
                    "By model",
                    &values.categories,
                    models
                        .map(|row| (row.model.name.as_str(), &row.rates[..]))
                        .collect(),
                ),
            ]
        });
        let bins = report
            .compliance
            .as_ref()
            .and_then(|compliance| compliance.by_disagreement.as_ref());
        Self {
            style: STYLE,
            providers: palette.legend(),
            thinning: report
                .coverage
                .as_ref()
                .and_then(|coverage| coverage.thinning.as_deref())
                .and_then(charts::thinning),
            histograms: subsets
                .iter()
                .enumerate()
                .map(|(place, subset)| charts::histogram(&format!("d{place}"), subset, threshold))
                .collect(),
            outliers: report
                .outliers
                .as_ref()
                .map(|rows| charts::outliers(rows, &palette)),
            refusals: report.refusals.as_deref().map(charts::refusals),
            compliance: bins.map(charts::compliance),
            matrices,
            people: report.people.as_ref().map(|labels| Ready {
                text: people::summary(labels),
                tables: people::tables(labels),
            }),
            space: report
                .coverage
                .as_ref()
                .and_then(|coverage| coverage.space.as_ref())
                .map(|found| Ready {
                    text: space::NOTE.to_owned(),
                    tables: space::tables(found),
                }),
            strips: report
                .sharpest
                .iter()
                .flatten()
                .enumerate()
                .map(|(place, row)| strip::strip(&format!("s{place}"), row, &palette))
                .collect(),
            report,
        }
    }
}

impl Renderer for Html {
    fn render(&self, report: &StudyReport) -> Result<String, ReportError> {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.add_filter("thousands", thousands);
        engine.add_filter("percent", percent);
        engine.add_filter("decimal", decimal);
        engine.add_filter("times", times);
        engine.add_filter("kappa_band", kappa_band);
        engine.add_filter("words", |name: &str| words(name));
        engine.add_filter("interval", |rate: Serde<Rate>| interval(&rate));
        engine.add_filter("bin", |low: f64, high: f64, closed: bool| {
            bin(low, high, closed)
        });
        let page = engine
            .render_named_str("report.html", PAGE, Value::from(Serde(Page::new(report))))
            .map_err(|source| ReportError::Template {
                source: Box::new(source),
            })?;
        Ok(plain(&page))
    }
}

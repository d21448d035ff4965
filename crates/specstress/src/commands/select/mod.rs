//! `specstress select`

mod input;
mod result;

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use specstress_kcenter::{
    Cosine, Cover, Euclidean, FarthestFirst, KCenterError, Metric, PointSource, Progress, Run,
    Selection, Start, Stop, WeightedKCenter, verify_from,
};

use self::input::{Points, Subset};
use self::result::{Form, KeptRow, Step, Summary};
use crate::cli::{MethodArg, MetricArg, SelectArgs};
use crate::exit::UsageExt;
use crate::output;

/// How often a long selection says how far it is.
const EVERY: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &SelectArgs) -> anyhow::Result<()> {
    check(args).usage()?;
    let form = Form::of(&args.out)?;
    let points = Points::open(&args.embeddings, args.column.as_deref(), &args.out)?;
    let weights = match &args.weights {
        Some(argument) => Some(input::weights(argument, points.file.point_count())?),
        None => None,
    };
    let (steps, kept) = selected(args, &points, weights.as_deref())?;
    let summary = Summary {
        embeddings: args.embeddings.display().to_string(),
        rows: points.file.point_count(),
        dimensions: points.file.dimensions(),
        method: match args.method {
            MethodArg::Cover => "cover",
            MethodArg::FarthestFirst => "farthest-first",
            MethodArg::WangCheng => "wang-cheng",
        },
        metric: match args.metric {
            MetricArg::Euclidean => "euclidean",
            MetricArg::Cosine => "cosine",
        },
        steps,
        kept: kept.len(),
        out: args.out.display().to_string(),
    };
    form.write(&args.out, &summary, &kept)?;
    output::give(&args.json, &summary, || summary.text())
}

/// What the arguments say together.
fn check(args: &SelectArgs) -> anyhow::Result<()> {
    let radius = args.radius.is_some() || args.weighted_radius.is_some();
    match args.method {
        MethodArg::Cover if !radius => Err(anyhow!(
            "a cover needs a distance; give --radius, or --weights and --weighted-radius"
        )),
        MethodArg::Cover if args.k.is_some() => Err(anyhow!(
            "a cover keeps as many as its distance needs; leave --k out, or use --method farthest-first"
        )),
        MethodArg::FarthestFirst if !radius && args.k.is_none() => Err(anyhow!(
            "farthest-first needs an end; give --k, --radius, or both"
        )),
        MethodArg::WangCheng if radius || args.k.is_none() => Err(anyhow!(
            "wang-cheng finds the distance for a number; give --k and no radius"
        )),
        method
            if method != MethodArg::FarthestFirst
                && (args.start.is_some() || args.seed.is_some()) =>
        {
            Err(anyhow!(
                "--start and --seed are for --method farthest-first"
            ))
        }
        _ if args.weights.is_some() && args.weighted_radius.is_none() && args.radius.is_some() => {
            Err(anyhow!(
                "with --weights the distance is weighted; give --weighted-radius beside or instead of --radius"
            ))
        }
        _ => Ok(()),
    }
}

/// One selection after the other: without weights if there is a radius for it, then with them.
fn selected(
    args: &SelectArgs,
    points: &Points,
    weights: Option<&[f64]>,
) -> anyhow::Result<(Vec<Step>, Vec<KeptRow>)> {
    let points = &points.file;
    let mut steps = Vec::new();
    let mut rows: Vec<usize> = (0..points.point_count()).collect();
    let mut radii = None;
    if args.radius.is_some() {
        let k = args.k.filter(|_| weights.is_none());
        let (step, kept) = select(args, points, None, args.radius, k)?;
        rows.clone_from(&kept.centers);
        radii = kept.radii;
        steps.push(step);
    }
    if args.radius.is_none() || weights.is_some() {
        let (step, kept) = if steps.is_empty() {
            select(args, points, weights, args.weighted_radius, args.k)?
        } else {
            // In the order of the file, so that ties go to its lowest row.
            rows.sort_unstable();
            let of_rows: Option<Vec<f64>> =
                weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
            let subset = Subset {
                points,
                rows: rows.clone(),
            };
            select(
                args,
                &subset,
                of_rows.as_deref(),
                args.weighted_radius,
                args.k,
            )?
        };
        rows = kept.centers.iter().map(|&at| rows[at]).collect();
        radii = kept.radii;
        steps.push(step);
    }
    let kept = rows.iter().zip(0..).map(|(&row, rank)| KeptRow {
        rank,
        row: row as u64,
        weight: weights.map(|weights| weights[row]),
        radius: radii.as_ref().map(|radii| radii[rank as usize]),
    });
    Ok((steps, kept.collect()))
}

fn select<S: PointSource + ?Sized>(
    args: &SelectArgs,
    points: &S,
    weights: Option<&[f64]>,
    radius: Option<f64>,
    k: Option<usize>,
) -> anyhow::Result<(Step, Selection)> {
    let metric: &dyn Metric = match args.metric {
        MetricArg::Euclidean => &Euclidean,
        MetricArg::Cosine => &Cosine,
    };
    let begun = Instant::now();
    let told = Cell::new(begun);
    let tell = |progress: Progress| {
        if told.get().elapsed() >= EVERY {
            told.set(Instant::now());
            output::note(&telling(progress));
        }
        ControlFlow::Continue(())
    };
    let run = Run::new().assignment(false).on_progress(&tell);
    let kept = by_user(pick(args, metric, points, weights, radius, k, &run))?;
    let reached = kept.radii.as_ref().and_then(|radii| radii.last().copied());
    let mut step = Step {
        weighted: weights.is_some(),
        of: points.point_count(),
        kept: kept.centers.len(),
        asked: radius,
        radius: reached.or(radius).unwrap_or(f64::INFINITY),
        radius_is_exact: reached.is_some(),
        // Both methods that take a radius pick only what is farther than that from every pick before.
        separation: radius,
        verified: false,
        seconds: begun.elapsed().as_secs_f64(),
    };
    if args.verify {
        let limit = radius.unwrap_or(step.radius);
        let found = by_user(verify_from(metric, points, weights, &kept, limit, &run))?;
        let separated = found.separated || step.separation.is_none();
        if found.radius > step.radius || !separated {
            return Err(anyhow!(
                "the result does not hold: {found:?}; please report this"
            ));
        }
        step.radius = found.radius;
        step.radius_is_exact = true;
        step.verified = true;
    }
    Ok((step, kept))
}

fn pick<S: PointSource + ?Sized>(
    args: &SelectArgs,
    metric: &dyn Metric,
    points: &S,
    weights: Option<&[f64]>,
    radius: Option<f64>,
    k: Option<usize>,
    run: &Run<'_>,
) -> Result<Selection, KCenterError> {
    match args.method {
        MethodArg::Cover => Cover::new(radius.unwrap_or(f64::NAN))?
            .metric(metric)
            .select_from(points, weights, run),
        MethodArg::FarthestFirst => {
            let stop = match (k, radius) {
                (Some(count), Some(radius)) => Stop::CountOrRadius { count, radius },
                (Some(count), None) => Stop::Count(count),
                (None, radius) => Stop::Radius(radius.unwrap_or(f64::NAN)),
            };
            let start = match (args.start, args.seed) {
                (Some(row), _) => Start::Index(row),
                (None, Some(seed)) => Start::Seed(seed),
                (None, None) => Start::default(),
            };
            let selector = FarthestFirst::new(stop).start(start).metric(metric);
            selector.select_from(points, weights, run)
        }
        MethodArg::WangCheng => WeightedKCenter::new(k.unwrap_or(0))
            .metric(metric)
            .select_from(points, weights, run),
    }
}

/// What cannot be read is the system's fault, all else the user's to mend.
fn by_user<T>(result: Result<T, KCenterError>) -> anyhow::Result<T> {
    match result {
        Err(error @ KCenterError::Read { .. }) => Err(error.into()),
        other => other.usage(),
    }
}

fn telling(progress: Progress) -> String {
    match progress {
        Progress::Preparing { done, points } => format!("reading: {done} of {points} points"),
        Progress::Selecting {
            centers,
            done,
            most,
        } => format!("selecting: {centers} kept, {done} of {most}"),
        Progress::Assigning { done, points } => format!("checking: {done} of {points} points"),
        _ => "working".to_owned(),
    }
}

//! `specstress demo`

use serde::Serialize;
use specstress_pipeline::CallPolicy;

use crate::cli::DemoArgs;
use crate::commands::run::{Summary, study};
use crate::config::{Config, TEMPLATE};
use crate::output;
use crate::recovery::Recovery;
use crate::session::Session;

const TITLE: &str = "Demo: a simulated panel against a simulated spec";

pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    // The demo is the template, so that what it shows is what `init` gives.
    let mut config = Config::parse(TEMPLATE, "the built-in template".as_ref())?;
    config.dir.clone_from(&args.dir);
    TITLE.clone_into(&mut config.study.title);
    config.study.pairs = args.pairs;
    config.study.seed = args.seed;
    config.simulation.world.seed = args.seed;
    let session = Session::of(config, demo_toml(args))?;
    let run = session.open(CallPolicy::Make, None)?;
    let finished = study(&session, &run)?;
    let inputs = &session.inputs;
    let recovery = Recovery::compute(
        &run.tables(),
        &inputs.taxonomy,
        &inputs.world,
        &finished.manifest,
    )?;
    let result = DemoResult {
        summary: finished.summary(),
        recovery: &recovery,
    };
    output::give(&args.json, &result, || {
        format!("{}\n{}", recovery.text(), finished.text())
    })
}

/// A config that runs the demo's study again with `specstress run`.
fn demo_toml(args: &DemoArgs) -> String {
    TEMPLATE
        .replace("\nseed = 0\n", &format!("\nseed = {}\n", args.seed))
        .replace("\npairs = 200\n", &format!("\npairs = {}\n", args.pairs))
        .replace("dir = \"specstress-runs/study\"", "dir = \".\"")
        .replace(
            "title = \"Stress test of a model spec\"",
            &format!("title = \"{TITLE}\""),
        )
}

#[derive(Debug, Serialize)]
struct DemoResult<'a> {
    summary: Summary<'a>,
    recovery: &'a Recovery,
}

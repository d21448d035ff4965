//! `specstress models`

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use serde::Serialize;
use specstress_llm::ModelId;
use specstress_providers::{Catalog, Date, ModelInfo, ModelStatus};
use specstress_sim::SimWorld;
use specstress_values::Taxonomy;

use crate::cli::{ModelsArgs, ModelsCommand};
use crate::config::{Config, SIM};
use crate::exit::UsageExt;
use crate::models::{Models, catalog};
use crate::output;

pub(crate) fn run(args: &ModelsArgs) -> anyhow::Result<()> {
    let config = match &args.config {
        Some(path) => Config::read(path).usage()?.0,
        None => Config::parse("", "the empty config".as_ref())?,
    };
    match &args.command {
        None => list(args, &config),
        Some(ModelsCommand::Check { models }) => check(args, &config, models),
    }
}

/// The day it is now, in UTC.
pub(super) fn today() -> Date {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Date::from_unix_seconds(now.map_or(0, |since| since.as_secs()))
}

fn list(args: &ModelsArgs, config: &Config) -> anyhow::Result<()> {
    let catalog = catalog(config)?;
    let shown: Vec<&ModelInfo> = catalog
        .iter()
        .filter(|info| {
            args.provider
                .as_ref()
                .is_none_or(|name| *name == info.provider)
        })
        .collect();
    if shown.is_empty() {
        let provider = args.provider.as_deref().unwrap_or_default();
        return Err(anyhow!("the catalog has no provider called {provider:?}")).usage();
    }
    output::give(&args.json, &shown, || table(&shown, &catalog, today()))
}

fn table(shown: &[&ModelInfo], catalog: &Catalog, today: Date) -> String {
    let mut text = format!(
        "{:<42} {:>8} {:>8} {:>8} {:>9}  {:<9} {:<6} {:<5} ends\n",
        "model", "in", "out", "cached", "context", "reasoning", "schema", "batch"
    );
    let price = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v}"));
    for info in shown {
        let prices = info.prices.as_ref();
        let ends = match info.alive_until {
            Some(day) if info.is_retired(today) => format!("ended {day}"),
            Some(day) => day.to_string(),
            None => String::new(),
        };
        let yes = |it: bool| if it { "yes" } else { "-" };
        let capabilities = info.capabilities();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<42} {:>8} {:>8} {:>8} {:>9}  {:<9} {:<6} {:<5} {ends}",
            info.id(),
            price(prices.map(|p| p.input)),
            price(prices.map(|p| p.output)),
            price(prices.and_then(|p| p.cached_input)),
            info.context
                .map_or_else(|| "-".to_owned(), |n| n.to_string()),
            yes(capabilities.reasoning),
            yes(capabilities.structured_output),
            yes(capabilities.batch),
        );
    }
    let _ = writeln!(
        text,
        "\nUS dollars per million tokens, as of {} ({} days ago); --json gives the source of each.",
        catalog.as_of(),
        today.days_since(catalog.as_of()),
    );
    text
}

#[derive(Debug, Serialize)]
struct Checked {
    model: String,
    /// What the provider says; `None` for simulated models.
    status: Option<ModelStatus>,
    /// What went wrong when it was asked.
    error: Option<String>,
    usable: bool,
    warnings: Vec<String>,
}

fn check(args: &ModelsArgs, config: &Config, asked: &[ModelId]) -> anyhow::Result<()> {
    let ids = if asked.is_empty() {
        config.models()
    } else {
        asked.to_vec()
    };
    if ids.is_empty() {
        return Err(anyhow!(
            "nothing to check: name models as provider/name, or give a config with --config"
        ))
        .usage();
    }
    let world = SimWorld::new(&Taxonomy::builtin(), config.simulation.world.clone()).usage()?;
    let models = Models::new(config, world)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let mut checked = Vec::new();
    for id in &ids {
        checked.push(runtime.block_on(check_one(&models, id))?);
    }
    output::give(&args.json, &checked, || {
        let mut text = String::new();
        for one in &checked {
            let state = match (&one.status, &one.error) {
                (Some(status), _) => format!("{:?}", status.state).to_lowercase(),
                (None, Some(error)) => error.clone(),
                (None, None) => "simulated".to_owned(),
            };
            let _ = writeln!(text, "{:<42} {state}", one.model);
            for warning in &one.warnings {
                let _ = writeln!(text, "{:<42}   {warning}", "");
            }
        }
        text
    })?;
    let unusable = checked.iter().filter(|one| !one.usable).count();
    if unusable > 0 {
        return Err(anyhow!(
            "{unusable} of {} models cannot be used",
            checked.len()
        ));
    }
    Ok(())
}

async fn check_one(models: &Models, id: &ModelId) -> anyhow::Result<Checked> {
    let mut checked = Checked {
        model: id.to_string(),
        status: None,
        error: None,
        usable: true,
        warnings: Vec::new(),
    };
    if id.provider() == SIM {
        return Ok(checked);
    }
    let provider = models.provider(id)?;
    let info = provider.info(id.name());
    let today = today();
    if !info.known {
        checked.warnings.push(
            "not in the catalog: nothing optional is sent and its cost is unknown; describe it under [[catalog]]"
                .to_owned(),
        );
    }
    if let Some(age) = info.price_age_days(today)
        && age > OLD_PRICES_DAYS
    {
        checked
            .warnings
            .push(format!("its price is {age} days old"));
    }
    if let Some(day) = info.alive_until {
        let tense = if info.is_retired(today) {
            "ended"
        } else {
            "ends"
        };
        let then = info.rerouted_to.as_ref().map_or_else(String::new, |other| {
            format!("; {other} answers in its place then")
        });
        checked
            .warnings
            .push(format!("{tense} on {day} by the catalog{then}"));
    }
    match provider.check_model(id.name()).await {
        Ok(status) => {
            checked.usable = status.state.is_usable();
            if let Some(day) = status.ends_on {
                checked
                    .warnings
                    .push(format!("ends on {day} by the provider"));
            }
            checked.status = Some(status);
        }
        Err(error) => {
            checked.usable = false;
            checked.error = Some(error.to_string());
        }
    }
    Ok(checked)
}

/// Prices older than this are worth a warning.
const OLD_PRICES_DAYS: i64 = 90;

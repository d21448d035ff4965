//! `specstress models`

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use serde::Serialize;
use specstress_llm::ModelId;
use specstress_providers::{
    Catalog, Date, ModelInfo, ModelState, ModelStatus, ProviderConfig, ProviderKind, SamplingRule,
    StructuredOutput,
};
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
    let listed = match &args.provider {
        Some(name) => providers(config)
            .into_iter()
            .filter(|(provider, _)| provider == name)
            .collect(),
        None => providers(config),
    };
    output::give(&args.json, &shown, || {
        format!(
            "{}\n{}",
            provider_table(&listed),
            table(&shown, &catalog, today())
        )
    })
}

/// Those of the config, and of the public ones those that it does not name.
fn providers(config: &Config) -> Vec<(String, ProviderConfig)> {
    let own = config.providers.iter().cloned();
    let mut all: Vec<(String, ProviderConfig)> =
        own.map(|one| (one.name().to_owned(), one)).collect();
    for kind in PUBLIC {
        if !all.iter().any(|(name, _)| name == kind.as_str()) {
            all.push((kind.as_str().to_owned(), ProviderConfig::new(kind)));
        }
    }
    all
}

/// The formats with a public address.
const PUBLIC: [ProviderKind; 4] = [
    ProviderKind::Anthropic,
    ProviderKind::Gemini,
    ProviderKind::OpenAi,
    ProviderKind::Xai,
];

fn provider_table(providers: &[(String, ProviderConfig)]) -> String {
    let mut text = format!(
        "{:<14} {:<11} {:<52} key\n",
        "provider", "format", "address"
    );
    for (name, provider) in providers {
        let address = provider.base_url.as_deref();
        let address = address.or_else(|| provider.kind.default_base_url());
        let key = match provider.key_variable() {
            None => "none".to_owned(),
            Some(variable) if std::env::var_os(variable).is_some() => format!("{variable}, set"),
            Some(variable) => format!("{variable}, not set"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{name:<14} {:<11} {:<52} {key}",
            provider.kind.as_str(),
            address.unwrap_or("-"),
        );
    }
    text
}

/// Where prices come from, lettered in the order of the table.
struct Sources<'c>(Vec<(Date, &'c str)>);

impl<'c> Sources<'c> {
    /// The letter of a model's source; `-` without prices.
    fn letter(&mut self, info: &'c ModelInfo) -> char {
        let Some(prices) = &info.prices else {
            return '-';
        };
        let source = (prices.as_of, prices.source.as_str());
        let at = self.0.iter().position(|known| *known == source);
        let at = at.unwrap_or_else(|| {
            self.0.push(source);
            self.0.len() - 1
        });
        // More sources than letters share the last one.
        ('a'..='z').nth(at).unwrap_or('z')
    }
}

fn table(shown: &[&ModelInfo], catalog: &Catalog, today: Date) -> String {
    let mut text = format!(
        "{:<36} {:>6} {:>6} {:>6} {:<3} {:>8} {:>7}  {:<9} {:<8} {:<6} {:<5}  ends\n",
        "model",
        "in",
        "out",
        "cached",
        "src",
        "context",
        "output",
        "reasoning",
        "sampling",
        "schema",
        "batch"
    );
    let price = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v}"));
    let count = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let mut sources = Sources(Vec::new());
    for info in shown {
        let prices = info.prices.as_ref();
        let mut ends = match info.alive_until {
            Some(day) if info.is_retired(today) => format!("ended {day}"),
            Some(day) => day.to_string(),
            None => String::new(),
        };
        if let Some(other) = &info.rerouted_to {
            let _ = write!(ends, ", then {other}");
        }
        let schema = match info.structured_output {
            StructuredOutput::JsonSchema => "native",
            StructuredOutput::Tool => "tool",
            StructuredOutput::JsonObject => "object",
            _ => "-",
        };
        let sampling = match info.sampling {
            SamplingRule::Allowed => "yes",
            SamplingRule::TemperatureXorTopP => "one",
            SamplingRule::WithoutReasoning => "effort=0",
            _ => "-",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<36} {:>6} {:>6} {:>6} {:<3} {:>8} {:>7}  {:<9} {:<8} {:<6} {:<5}  {ends}",
            info.id(),
            price(prices.map(|p| p.input)),
            price(prices.map(|p| p.output)),
            price(prices.and_then(|p| p.cached_input)),
            sources.letter(info),
            count(info.context),
            count(info.max_output),
            if info.capabilities().reasoning {
                "yes"
            } else {
                "-"
            },
            sampling,
            schema,
            info.batch_factor
                .map_or_else(|| "-".to_owned(), |factor| format!("x{factor}")),
        );
    }
    let _ = writeln!(
        text,
        "\nPrices in US dollars per million tokens; the table is of {} ({} days ago). Sampling: `one` of temperature \
         and top_p,\n`effort=0` only without reasoning. Batch: the factor on the prices. Sources of the prices:",
        catalog.as_of(),
        today.days_since(catalog.as_of()),
    );
    for (at, (date, source)) in sources.0.iter().enumerate() {
        let letter = ('a'..='z').nth(at).unwrap_or('z');
        let _ = writeln!(text, "  {letter}  {date}  {source}");
    }
    let mut notes = shown
        .iter()
        .filter_map(|info| Some((info.id(), info.note.as_ref()?)))
        .peekable();
    if notes.peek().is_some() {
        text += "Notes:\n";
    }
    for (id, note) in notes {
        let _ = writeln!(text, "  {id}: {note}");
    }
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
    // Without a config, the public providers that are asked for are known by their names.
    let mut config = config.clone();
    if args.config.is_none() {
        let wanted = |kind: &ProviderKind| ids.iter().any(|id| id.provider() == kind.as_str());
        config.providers = PUBLIC
            .into_iter()
            .filter(wanted)
            .map(ProviderConfig::new)
            .collect();
    }
    let models = Models::new(&config, world)?;
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
                (Some(status), _) => said(status),
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

/// `available, 200000 tokens in, 64000 out`
fn said(status: &ModelStatus) -> String {
    let mut text = match status.state {
        ModelState::Missing => "missing: the provider does not know it".to_owned(),
        ModelState::Unknown => "unknown: the server does not tell".to_owned(),
        state => format!("{state:?}").to_lowercase(),
    };
    for (tokens, way) in [(status.max_input, "tokens in"), (status.max_output, "out")] {
        if let Some(tokens) = tokens {
            // Writing to a String cannot fail.
            let _ = write!(text, ", {tokens} {way}");
        }
    }
    text
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

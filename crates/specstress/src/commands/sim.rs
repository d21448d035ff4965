//! `specstress sim`

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, anyhow};
use serde::Deserialize;
use specstress_sim::{BatchFaults, ServerOptions, ServerStats, SimOptions, SimServer, SimWorld};
use specstress_values::Taxonomy;

use crate::assemble::Inputs;
use crate::cli::{JsonArg, SimArgs, SimCommand};
use crate::commands::models::today;
use crate::config::Config;
use crate::exit::UsageExt;
use crate::{out_file, output};

/// What `sim serve --config` reads.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SimConfig {
    world: SimOptions,
    server: ServerOptions,
}

pub(crate) fn run(args: &SimArgs) -> anyhow::Result<()> {
    let (port, config, write_config, batch_delay, batch_faults) = match &args.command {
        SimCommand::Spec { config, resolve } => {
            return spec(config.as_deref(), resolve, &args.json);
        }
        SimCommand::Serve {
            port,
            config,
            write_config,
            batch_delay,
            batch_faults,
        } => (port, config, write_config, batch_delay, batch_faults),
    };
    let mut sim = match config {
        Some(path) => read(path).usage()?,
        None => SimConfig::default(),
    };
    if sim.server.address.port() == 0 {
        sim.server.address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
    }
    let batch = &mut sim.server.batch;
    batch.delay_ms = batch_delay.unwrap_or(batch.delay_ms);
    batch.faults = batch_faults.map_or(batch.faults, BatchFaults::even);
    serve(sim, write_config.as_deref(), &args.json)
}

/// The simulated spec as a document.
fn spec(config: Option<&Path>, resolve: &[String], json: &JsonArg) -> anyhow::Result<()> {
    let world = match config {
        Some(path) => Inputs::read(&Config::read(path).usage()?.0)?.world,
        None => SimWorld::new(&Taxonomy::builtin(), SimOptions::default()).usage()?,
    };
    let clauses: Vec<&[String]> = world
        .planted()
        .map(|planted| planted.clauses.as_slice())
        .filter(|clauses| !clauses.is_empty())
        .collect();
    let winners: Vec<&str> = resolve
        .iter()
        .flat_map(|name| match name.as_str() {
            "all" => clauses.iter().map(|pair| pair[0].as_str()).collect(),
            one => vec![one],
        })
        .collect();
    let markdown = world.spec_resolving(&winners).usage()?;
    let value = serde_json::json!({
        "contradictions": clauses,
        "resolved_in_favour_of": winners,
        "markdown": markdown,
    });
    output::give(json, &value, || markdown)
}

fn read(path: &Path) -> anyhow::Result<SimConfig> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn serve(sim: SimConfig, write_config: Option<&Path>, json: &JsonArg) -> anyhow::Result<()> {
    let seed = sim.world.seed;
    let world = SimWorld::new(&Taxonomy::builtin(), sim.world).usage()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let stats = runtime.block_on(async {
        let server = SimServer::bind(world.clone(), sim.server)?;
        let address = server.local_addr();
        output::note(&format!(
            "simulated panel on http://{address} (Ctrl-C ends it); every name is fictional"
        ));
        if let Some(path) = write_config {
            out_file::write(path, &rehearsal(&world, address, seed))?;
            output::note(&format!(
                "wrote {0}; in another terminal: SPECSTRESS_SIM_KEY=any specstress run --config {0}",
                path.display()
            ));
        }
        let stop = async {
            // Without signals the server runs until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        anyhow::Ok(server.serve(stop).await?)
    })?;
    output::give(json, &stats, || text(&stats))
}

fn text(stats: &ServerStats) -> String {
    let mut text = format!(
        "{} requests of {} logical ones: {} answered, {} twice; {} refused by a limit, {} faults\n",
        stats.requests,
        stats.logical,
        stats.logical_answered,
        stats.duplicates,
        stats.rate_limited,
        stats.fault_count(),
    );
    for (kind, count) in &stats.faults {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {count:>6} {kind:?}");
    }
    for (provider, batches) in &stats.batches {
        let _ = writeln!(
            text,
            "{provider}: {} batches of {} items: {} answered, {} twice, {} billed, {} failed, {} expired, {} cancelled; \
             {} batches made twice, {} polls, {} faults",
            batches.created,
            batches.items,
            batches.answered,
            batches.answered_again,
            batches.billed,
            batches.errored,
            batches.expired,
            batches.cancelled,
            batches.duplicates,
            batches.polls,
            batches.faults.values().sum::<u64>(),
        );
    }
    text
}

/// The other roles of a rehearsal, as its config names them.
const HELPERS: [(&str, &str); 8] = [
    ("anthropic", "author_a"),
    ("openai", "author_b"),
    ("gemini", "author_c"),
    ("anthropic", "rubric"),
    ("anthropic", "judge_alder"),
    ("openai", "judge_birch"),
    ("gemini", "judge_cedar"),
    ("openai", "embedder"),
];

/// The provider that carries a simulated model over HTTP: each fictional one has the ways of a real one.
fn carrier(family: &str) -> &'static str {
    match family {
        "alder" => "anthropic",
        "cedar" => "gemini",
        "dune" => "xai",
        _ => "openai",
    }
}

/// Made-up prices at a provider, in US dollars per million tokens: in, in from the cache, out. Those of xAI are what
/// its replies tell.
fn prices(carrier: &str, model: &str) -> (f64, f64, f64) {
    match carrier {
        _ if model == "embedder" => (0.1, 0.1, 0.0),
        "anthropic" => (3.0, 0.3, 15.0),
        "gemini" => (1.0, 0.1, 8.0),
        "xai" => (2.0, 1.0, 10.0),
        _ => (2.0, 0.5, 8.0),
    }
}

/// What a batch costs of the price of live calls.
fn batch_factor(carrier: &str) -> f64 {
    if carrier == "xai" { 0.8 } else { 0.5 }
}

/// A config for `specstress run` in which everybody is asked at this server.
fn rehearsal(world: &SimWorld, address: SocketAddr, seed: u64) -> String {
    let panel = world.panel();
    let mut text =
        "# A rehearsal: the simulated panel, asked over HTTP. Every name is fictional.\n\
        dir = \"specstress-runs/rehearsal\"\n\n\
        [study]\ntitle = \"Rehearsal against a simulated panel\"\npairs = 100\n\
        judged_subset = \"birch_models\"\nconcurrency = 256\n\n"
            .to_owned();
    let mut subset = |name: &str, family: Option<&str>| {
        let keys: Vec<String> = panel
            .iter()
            .filter(|persona| family.is_none_or(|family| persona.provider == family))
            .map(|persona| format!("\"{}\"", persona.key))
            .collect();
        let _ = writeln!(
            text,
            "[[study.subsets]]\nname = \"{name}\"\nmodels = [{}]\n",
            keys.join(", ")
        );
    };
    subset("all_models", None);
    subset("alder_models", Some("alder"));
    subset("birch_models", Some("birch"));
    text += "[panel]\nis_simulated = true\n\n";
    for persona in &panel {
        let _ = writeln!(
            text,
            "[[panel.models]]\nkey = \"{0}\"\nname = \"{1}\"\nfamily = \"{2}\"\nmodel = \"{3}/{0}\"\n",
            persona.key,
            persona.display_name,
            persona.provider,
            carrier(persona.provider)
        );
    }
    // Known models claim what they can do; these take whatever is sent. Prices give estimates, costs and budgets
    // something to work on.
    let mut describe = |provider: &str, name: &str| {
        let (input, cached, output) = prices(provider, name);
        let _ = writeln!(
            text,
            "[[catalog]]\nprovider = \"{provider}\"\nname = \"{name}\"\n\
             effort = {{ kind = \"fixed\", reasons = false }}\nnote = \"simulated\"\n\
             batch_factor = {:?}\nprices = {{ input = {input:?}, cached_input = {cached:?}, output = {output:?}, \
             as_of = \"{}\", source = \"made up for a rehearsal\" }}\n",
            batch_factor(provider),
            today()
        );
    };
    for persona in &panel {
        describe(carrier(persona.provider), persona.key);
    }
    for (provider, name) in HELPERS {
        describe(provider, name);
    }
    text += "[roles]\n\
        authors = [\"anthropic/author_a\", \"openai/author_b\", \"gemini/author_c\"]\n\
        rubric = \"anthropic/rubric\"\n\
        judges = [\"anthropic/judge_alder\", \"openai/judge_birch\", \"gemini/judge_cedar\"]\n\
        embedder = \"openai/embedder\"\n\n";
    for kind in ["anthropic", "openai", "gemini", "xai"] {
        let _ = writeln!(
            text,
            "[[providers]]\nkind = \"{kind}\"\nbase_url = \"http://{address}/{kind}\"\n\
             key_env = \"SPECSTRESS_SIM_KEY\"\n\
             # Samples of the same question are told apart by it; real providers draw anew by themselves.\n\
             wire = {{ sample_header = \"x-specstress-sample\" }}\n"
        );
    }
    let _ = writeln!(
        text,
        "# The world of the server, so that the spec is the one its judges know.\n\
         [simulation.world]\nseed = {seed}"
    );
    text
}

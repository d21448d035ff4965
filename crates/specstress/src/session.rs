//! One sitting with a study: config, inputs, run directory and runtime together.

use std::path::PathBuf;

use anyhow::Context;
use specstress_llm::CallMode;
use specstress_llm::{ModelId, Usage};
use specstress_pipeline::{
    Batches, CallPolicy, PriceList, RunDir, RunOptions, StageName, Study, StudySettings,
};

use crate::assemble::Inputs;
use crate::cli::{JudgeArgs, SpendArgs, StudyArgs};
use crate::config::{Config, SIM};
use crate::exit::UsageExt;
use crate::output;

/// A config with everything its files hold.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) config: Config,
    pub(crate) text: String,
    pub(crate) inputs: Inputs,
    /// The run directory of the whole study, which a shard's is below.
    base: PathBuf,
}

impl Session {
    pub(crate) fn read(args: &StudyArgs, spend: Option<&SpendArgs>) -> anyhow::Result<Self> {
        let (mut config, text) = Config::read(&args.config).usage()?;
        if let Some(dir) = &args.dir {
            config.dir.clone_from(dir);
        }
        let base = config.dir.clone();
        if let Some(shard) = args.shard {
            config.study.shard = Some(shard);
            config.dir = RunDir::shard_path(&base, shard);
        }
        if let Some(spend) = spend {
            add(&mut config, spend);
        }
        let inputs = Inputs::read(&config)?;
        Ok(Self {
            config,
            text,
            inputs,
            base,
        })
    }

    /// The config of a finished run with another spec.
    pub(crate) fn judging(args: &JudgeArgs) -> anyhow::Result<Self> {
        let of_run = args.run.join("specstress.toml");
        let path = args.config.as_ref().unwrap_or(&of_run);
        let (mut config, text) = Config::read(path).usage()?;
        config.dir.clone_from(&args.run);
        config.spec.file = Some(args.spec.clone());
        add(&mut config, &args.spend);
        let inputs = Inputs::read(&config).with_context(|| {
            format!(
                "{} names what is not there; give the config that the run was made with by --config",
                path.display()
            )
        })?;
        Ok(Self {
            base: args.run.clone(),
            config,
            text,
            inputs,
        })
    }

    /// A config that was made rather than read.
    pub(crate) fn of(config: Config, text: String) -> anyhow::Result<Self> {
        let inputs = Inputs::read(&config)?;
        Ok(Self {
            base: config.dir.clone(),
            config,
            text,
            inputs,
        })
    }

    /// Opens the run directory; `beside` for a study next to the run's own.
    pub(crate) fn open(&self, policy: CallPolicy, beside: Option<&str>) -> anyhow::Result<RunDir> {
        let options = RunOptions {
            policy,
            budget: self.config.budget.clone(),
            batches: Some(Batches::new(
                self.config.batch.clone(),
                self.inputs.models.lanes(&self.config.models()),
            )),
            beside: beside.map(ToOwned::to_owned),
        };
        Ok(RunDir::open_with(&self.config.dir, options)?)
    }

    /// The study behind the run's call store, with some of its settings changed.
    pub(crate) fn study(
        &self,
        recorder: &specstress_llm::Recorder,
        change: impl FnOnce(&mut StudySettings),
    ) -> anyhow::Result<Study> {
        let mut config = self.config.clone();
        change(&mut config.study);
        let study = self.inputs.study(&config, recorder)?;
        Ok(study.with_shards_at(&self.base))
    }
}

/// Adds what the command line says about calls to what the config says.
fn add(config: &mut Config, spend: &SpendArgs) {
    config.batch.batch.extend(spend.batch.iter().cloned());
    config.batch.live.extend(spend.live.iter().cloned());
    if spend.budget_usd.is_some() {
        config.budget.usd = spend.budget_usd;
    }
}

/// Runs a future with Ctrl-C draining what is in flight, and a second one ending the process.
pub(crate) fn drive<T>(run: &RunDir, work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    Ok(runtime.block_on(async {
        let stop = run.stop_signal().clone();
        let interrupts = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.stop();
                output::note(
                    "stopping: calls in flight end and are stored; press Ctrl-C again to stop at once",
                );
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                abandon();
            }
        });
        let result = work.await;
        interrupts.abort();
        result
    }))
}

#[expect(
    clippy::exit,
    reason = "the user asked twice; what is stored is stored"
)]
fn abandon() {
    std::process::exit(130);
}

impl PriceList for Session {
    fn quote(&self, model: &str, usage: &Usage, mode: CallMode) -> Option<f64> {
        let id: ModelId = model.parse().ok()?;
        if id.provider() == SIM {
            return Some(0.0);
        }
        let provider = self.inputs.models.provider(&id).ok()?;
        let info = provider.info(id.name());
        let tier = specstress_providers::PriceTier {
            batch: mode == CallMode::Batch,
            ..Default::default()
        };
        specstress_providers::cost_usd(&info, usage, tier)
    }

    fn per_minute(&self, provider: &str) -> (Option<f64>, Option<f64>) {
        let providers = self.inputs.models.providers();
        let Some(provider) = providers.iter().find(|known| known.name() == provider) else {
            return (None, None);
        };
        let limits = provider.limiter().snapshot();
        (limits.requests_per_minute, limits.tokens_per_minute)
    }

    fn batched(&self, stage: StageName, model: &str) -> bool {
        let Ok(id) = model.parse::<ModelId>() else {
            return false;
        };
        self.config.batch.takes(stage.as_str(), &id) && !self.inputs.models.lanes(&[id]).is_empty()
    }

    fn pace(&self) -> (f64, usize) {
        // About what a long answer takes.
        (10.0, self.config.study.concurrency)
    }
}

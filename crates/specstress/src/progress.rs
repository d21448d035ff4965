//! The progress of a run on stderr: a bar on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use specstress_llm::OutcomeKind;
use specstress_pipeline::{BatchRecord, Observer, StageName};
use specstress_providers::Provider;

use crate::traffic::{self, StageTraffic};

/// Shows one stage at a time, with how its providers stand, and keeps what each stage asked of them.
#[derive(Debug)]
pub(crate) struct Progress {
    terminal: bool,
    providers: Vec<Provider>,
    finished: Mutex<Vec<StageTraffic>>,
    current: Mutex<Option<Current>>,
    /// Where [`Snapshot`]s go, for `specstress status` in another terminal.
    file: PathBuf,
}

/// How the stage in work stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    stage: StageName,
    items: Option<u64>,
    outcomes: BTreeMap<String, u64>,
    seconds: f64,
}

impl Snapshot {
    fn path(run: &Path) -> PathBuf {
        run.join("progress.json")
    }

    /// What a process last said of a run; `None` when it said nothing that can be read.
    pub(crate) fn read(run: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(Self::path(run)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// `responses: 5,400 of 7,200 in 12 s (450/s); 21 lost: ...`
    pub(crate) fn line(&self) -> String {
        let done: u64 = self.outcomes.values().sum();
        let of = self
            .items
            .map_or_else(String::new, |items| format!(" of {}", HumanCount(items)));
        let outcomes: Vec<String> = self
            .outcomes
            .iter()
            .map(|(outcome, count)| format!("{} {}", HumanCount(*count), outcome.replace('_', " ")))
            .collect();
        format!(
            "{}: {}{of} in {:.0} s ({:.1}/s); {}",
            self.stage,
            HumanCount(done),
            self.seconds,
            done as f64 / self.seconds.max(0.1),
            outcomes.join(", ")
        )
    }
}

#[derive(Debug)]
struct Current {
    bar: ProgressBar,
    started: Instant,
    reported: Instant,
    total: Option<u64>,
    outcomes: BTreeMap<OutcomeKind, u64>,
    saved: Instant,
    /// Calls per provider when the stage began.
    calls: BTreeMap<String, u64>,
}

/// How often the stage in work is told to other terminals.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// How often a long stage says something when stderr is no terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// How often the figures of the providers change on a terminal.
const LIVE_EVERY: Duration = Duration::from_millis(250);

impl Progress {
    /// For a run in this directory, with these providers.
    pub(crate) fn new(run: &Path, providers: Vec<Provider>) -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            providers,
            finished: Mutex::default(),
            current: Mutex::new(None),
            file: Snapshot::path(run),
        }
    }

    /// Tells other terminals; nobody is helped by an error about it.
    fn save(&self, stage: StageName, current: &Current) {
        let snapshot = Snapshot {
            stage,
            items: current.total,
            outcomes: current
                .outcomes
                .iter()
                .map(|(outcome, count)| (outcome.to_string(), *count))
                .collect(),
            seconds: current.started.elapsed().as_secs_f64(),
        };
        if let Ok(text) = serde_json::to_string(&snapshot) {
            let partial = self.file.with_extension("json.partial");
            if std::fs::write(&partial, text).is_ok() {
                let _ = std::fs::rename(&partial, &self.file);
            }
        }
    }

    /// Says a line above the bar.
    fn say(&self, text: &str) {
        self.with(|current| match current {
            Some(current) if self.terminal => current.bar.suspend(|| crate::output::note(text)),
            _ => crate::output::note(text),
        });
    }

    /// What the finished stages asked.
    pub(crate) fn stages(&self) -> Vec<StageTraffic> {
        let finished = self.finished.lock();
        finished.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with(&self, change: impl FnOnce(&mut Option<Current>)) {
        change(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Current {
    fn done(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// `5,400 items in 3 seconds (1,800/s), 21 lost: 14 blocked, 7 truncated`
    fn summary(&self) -> String {
        let done = self.done();
        let seconds = self.started.elapsed().as_secs_f64();
        let mut text = format!(
            "{} {} in {:.1} s",
            HumanCount(done),
            if done == 1 { "item" } else { "items" },
            seconds
        );
        if seconds > 0.5 {
            text = format!("{text} ({:.0}/s)", done as f64 / seconds);
        }
        let lost: Vec<String> = self
            .outcomes
            .iter()
            .filter(|(kind, _)| **kind != OutcomeKind::Answered)
            .map(|(kind, count)| {
                format!("{} {}", HumanCount(*count), kind.as_str().replace('_', " "))
            })
            .collect();
        if !lost.is_empty() {
            text = format!("{text}; {}", lost.join(", "));
        }
        text
    }
}

impl Observer for Progress {
    fn started(&self, stage: StageName, items: Option<u64>) {
        self.with(|current| {
            let target = if self.terminal {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            };
            let bar = ProgressBar::with_draw_target(items, target);
            let style = if items.is_some() {
                "{prefix:<17} {wide_bar:.cyan/dim} {human_pos}/{human_len} {per_sec} {eta} left {msg}"
            } else {
                "{prefix:<17} {spinner} {human_pos} {per_sec} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar.set_prefix(stage.as_str().replace('_', " "));
            let now = Instant::now();
            *current = Some(Current {
                bar,
                started: now,
                reported: now,
                total: items,
                outcomes: BTreeMap::new(),
                saved: now,
                calls: traffic::calls(&self.providers),
            });
            if let Some(current) = current {
                self.save(stage, current);
            }
        });
    }

    fn ended(&self, stage: StageName, outcome: OutcomeKind, items: u64) {
        self.with(|current| {
            let Some(current) = current else { return };
            *current.outcomes.entry(outcome).or_default() += items;
            current.bar.inc(items);
            if current.saved.elapsed() >= SAVE_EVERY {
                current.saved = Instant::now();
                self.save(stage, current);
            }
            let every = if self.terminal {
                LIVE_EVERY
            } else {
                PLAIN_EVERY
            };
            if current.reported.elapsed() < every {
                return;
            }
            current.reported = Instant::now();
            let live = traffic::live(&self.providers);
            if self.terminal {
                current.bar.set_message(live);
            } else {
                let done = current.done();
                let rate = done as f64 / current.started.elapsed().as_secs_f64();
                let left = current.total.map_or_else(String::new, |total| {
                    let seconds = total.saturating_sub(done) as f64 / rate.max(1e-9);
                    format!(
                        " of {}, {} left",
                        HumanCount(total),
                        HumanDuration(Duration::from_secs_f64(seconds.min(1e9)))
                    )
                });
                let live = if live.is_empty() {
                    live
                } else {
                    format!("; {live}")
                };
                crate::output::note(&format!("{stage}: {}{left}{live}", HumanCount(done)));
            }
        });
    }

    fn finished(&self, stage: StageName) {
        self.with(|current| {
            let Some(current) = current.take() else {
                return;
            };
            current.bar.finish_and_clear();
            let mut calls = traffic::calls(&self.providers);
            for (name, count) in &mut calls {
                *count -= current.calls.get(name).unwrap_or(&0);
            }
            calls.retain(|_, count| *count > 0);
            let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
            finished.push(StageTraffic {
                stage,
                seconds: current.started.elapsed().as_secs_f64(),
                calls,
            });
            drop(finished);
            let name = stage.as_str().replace('_', " ");
            crate::output::note(&format!("{name:<17} {}", current.summary()));
        });
    }

    fn deferred(&self, stage: StageName) {
        self.with(|current| {
            if let Some(current) = current.take() {
                current.bar.finish_and_clear();
            }
        });
        let name = stage.as_str().replace('_', " ");
        crate::output::note(&format!("{name:<17} waits for batches"));
    }

    fn kept(&self, stage: StageName, items: u64) {
        let name = stage.as_str().replace('_', " ");
        crate::output::note(&format!(
            "{name:<17} {} items, unchanged",
            HumanCount(items)
        ));
    }

    fn batch(&self, batch: &BatchRecord) {
        // Every look at a batch would fill the screen; `specstress status` tells them.
        let what = match (batch.open, batch.polled_at) {
            (true, None) if batch.id.is_some() => {
                format!("{} requests sent", HumanCount(batch.requests))
            }
            (false, _) => format!(
                "{}: {} answered, {} not",
                batch.state,
                HumanCount(batch.succeeded),
                HumanCount(batch.failed)
            ),
            _ => return,
        };
        let id = batch.id.as_deref().unwrap_or("no id");
        self.say(&format!("batch of {} ({id}): {what}", batch.model));
    }

    fn note(&self, text: &str) {
        self.say(text);
    }
}

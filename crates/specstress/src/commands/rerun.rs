//! `specstress reparse`, `retry` and `join`: runs that begin with something done to the call store.

use anyhow::anyhow;
use specstress_llm::OutcomeKind;
use specstress_pipeline::{CallPolicy, RunDir, Shard};

use crate::cli::{JoinArgs, ReparseArgs, RetryArgs, StudyArgs};
use crate::commands::run::study;
use crate::exit::UsageExt;
use crate::output;
use crate::session::{Session, drive};

pub(crate) fn reparse(args: &ReparseArgs) -> anyhow::Result<()> {
    let session = Session::read(&args.study, None)?;
    if !RunDir::calls_path(&session.config.dir).exists() {
        return Err(anyhow!(
            "{} has no stored replies; `specstress run` makes them",
            session.config.dir.display()
        ))
        .usage();
    }
    let run = session.open(CallPolicy::StoredOnly, None)?;
    let finished = study(&session, &run)?;
    if run.left_out() > 0 {
        output::note(&format!(
            "{} calls have no stored reply and were left out; `specstress run` makes them",
            run.left_out()
        ));
    }
    output::give(&args.json, &finished.summary(), || finished.text())
}

pub(crate) fn retry(args: &RetryArgs) -> anyhow::Result<()> {
    if let Some(other) = args
        .only
        .iter()
        .find(|outcome| matches!(outcome, OutcomeKind::Answered | OutcomeKind::NotRun))
    {
        return Err(anyhow!(
            "--only {other}: retry asks again for what is truncated, blocked, unparsable or failed"
        ))
        .usage();
    }
    let session = Session::read(&args.study, Some(&args.spend))?;
    let run = session.open(CallPolicy::Make, None)?;
    let forgotten = drive(&run, run.store().forget(&args.only))??;
    output::note(&format!(
        "{forgotten} replies are set aside and asked for again"
    ));
    let finished = study(&session, &run)?;
    output::give(&args.json, &finished.summary(), || finished.text())
}

pub(crate) fn join(args: &JoinArgs) -> anyhow::Result<()> {
    let of_study = StudyArgs {
        config: args.config.clone(),
        dir: args.dir.clone(),
        shard: None,
    };
    let session = Session::read(&of_study, None)?;
    let shards: Vec<_> = (1..=args.shards)
        .map(|index| {
            let shard = Shard {
                index,
                count: args.shards,
            };
            RunDir::shard_path(&session.config.dir, shard)
        })
        .collect();
    for shard in &shards {
        if !RunDir::calls_path(shard).exists() {
            return Err(anyhow!(
                "{} is not there: run `specstress run --shard` for each of the {} shards first",
                shard.display(),
                args.shards
            ))
            .usage();
        }
        if RunDir::is_locked(shard) {
            return Err(anyhow!(
                "{} is still being worked on; wait for it",
                shard.display()
            ))
            .usage();
        }
    }
    let run = session.open(CallPolicy::Make, None)?;
    let mut taken = 0;
    for shard in &shards {
        taken += drive(&run, run.store().import(&RunDir::calls_path(shard)))??;
    }
    output::note(&format!(
        "{taken} replies of {} shards taken over",
        args.shards
    ));
    let finished = study(&session, &run)?;
    output::give(&args.json, &finished.summary(), || finished.text())
}

//! What becomes of a batch and its items in the end.

use crate::server::batch::engine::part_mut;
use crate::server::batch::job::{Batch, End, How, Outcome};
use crate::server::batch::names::results_file;
use crate::server::batch::store::{Content, File, Store, Which};
use crate::server::batch::time::Moment;
use crate::server::service::Service;
use crate::server::wire::Wire;

/// Ends a part: settles what each item came to, counts it, and lays out the files. A part that fails takes the rest of
/// its batch with it.
pub(super) fn end(service: &Service, number: u64, place: usize, how: How) {
    let mut store = service.batches.lock();
    let moment = service.batches.clock.now();
    let fails = matches!(how, How::Failed(_));
    let Some(part) = part_mut(&mut store, number, place) else {
        return;
    };
    part.end = Some(End { moment, how });
    settle(service, &store, number, place);
    if fails {
        let Some(batch) = store.get_mut(number) else {
            return;
        };
        stop(batch, moment);
        let mut stopped = Vec::new();
        for (place, part) in batch.parts.iter_mut().enumerate() {
            if part.end.is_none() {
                let how = part.end_cancelled();
                part.end = Some(End { moment, how });
                stopped.push(place);
            }
        }
        for place in stopped {
            settle(service, &store, number, place);
        }
    }
    lay_out(&mut store, number, moment);
}

fn settle(service: &Service, store: &Store, number: u64, place: usize) {
    let Some(batch) = store.get(number) else {
        return;
    };
    let (wire, Some(part)) = (batch.asked.wire, batch.parts.get(place)) else {
        return;
    };
    let Some(End { how, moment }) = &part.end else {
        return;
    };
    let lost = !part.keeps_answers(wire);
    let mut ledger = service.stats.ledger();
    if part.items.is_none() {
        let stats = ledger.batches(wire);
        match how {
            How::Cancelled(_) => stats.cancelled += part.count as u64,
            _ => stats.errored += part.count as u64,
        }
        return;
    }
    if matches!(how, How::Empty) {
        // The work was done, and is billed, before its results were lost.
        let answered = part
            .items
            .iter()
            .flat_map(|items| items.iter())
            .filter(|item| item.reply.is_ok());
        ledger.batches(wire).billed += answered.count() as u64;
    }
    for (item, outcome) in part.outcomes(moment.at) {
        match outcome {
            Outcome::Answered(_) => {
                ledger.batches(wire).billed += 1;
                if lost {
                    ledger.batches(wire).errored += 1;
                } else {
                    ledger.answer_in_batch(wire, item.content);
                }
            }
            Outcome::Refused(_) | Outcome::Failed => ledger.batches(wire).errored += 1,
            Outcome::Expired => ledger.batches(wire).expired += 1,
            Outcome::Cancelled | Outcome::Pending => ledger.batches(wire).cancelled += 1,
        }
    }
}

/// Makes the files of results of a batch that has just ended.
fn lay_out(store: &mut Store, number: u64, moment: Moment) {
    let Some(batch) = store.get(number) else {
        return;
    };
    let (wire, id) = (batch.asked.wire, batch.id.clone());
    let had = |wanted: &dyn Fn(Outcome<'_>) -> bool| {
        batch
            .outcomes(moment.at)
            .any(|(_, outcome)| wanted(outcome))
    };
    let mut files = Vec::new();
    match batch.end().map(|end| &end.how) {
        None | Some(How::Empty | How::Failed(_)) => return,
        Some(_) if wire == Wire::OpenAi => {
            if had(&|outcome| matches!(outcome, Outcome::Answered(_))) {
                files.push(Which::Answered);
            }
            if had(&|outcome| {
                matches!(
                    outcome,
                    Outcome::Refused(_) | Outcome::Failed | Outcome::Expired
                )
            }) {
                files.push(Which::Errors);
            }
        }
        Some(How::Ended) if wire == Wire::Gemini && !batch.given.inline => files.push(Which::All),
        Some(_) => {}
    }
    for which in files {
        store.insert_file(
            results_file(wire, &id, which),
            File {
                wire,
                number: 0,
                name: format!("{}.jsonl", id.trim_start_matches("batches/")),
                mime: "application/jsonl".to_owned(),
                purpose: "batch_output".to_owned(),
                bytes: 0,
                created: moment,
                content: Content::Results {
                    batch: number,
                    which,
                },
            },
        );
    }
}

/// Cancels a batch that has not ended.
pub(super) fn cancel(service: &Service, number: u64) {
    let mut store = service.batches.lock();
    let Some(batch) = store.get_mut(number) else {
        return;
    };
    if !batch.has_ended() && batch.cancelled.is_none() {
        batch.cancelled = Some(service.batches.clock.now());
        stop(batch, service.batches.clock.now());
        batch.wake.notify_waiters();
    }
}

/// From now on nothing more is done.
fn stop(batch: &mut Batch, moment: Moment) {
    for part in &mut batch.parts {
        part.stopped.get_or_insert(moment.at);
    }
}

//! From a batch that is well formed to its end, whatever the provider.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use crate::draw::Draw;
use crate::server::batch::ending::end;
use crate::server::batch::item::{Asked, Entry, Item, answer};
use crate::server::batch::job::{Batch, Flaw, Given, How, Part};
use crate::server::batch::names::{batch_id, empty_set_name, set_name};
use crate::server::batch::options::{BatchFate, ItemFate};
use crate::server::batch::store::{Content, ReadFile, Store};
use crate::server::service::Service;
use crate::server::wire::{Refusal, Wire};

/// Where the items of a part come from.
#[derive(Debug)]
pub(super) enum Source {
    Entries(Vec<Entry>),
    /// Answered before, for an earlier batch of the same file.
    Items(Arc<[Item]>),
    /// The file cannot be read.
    Flawed(Vec<Flaw>),
}

impl Source {
    fn len(&self) -> usize {
        match self {
            Self::Entries(entries) => entries.len(),
            Self::Items(items) => items.len(),
            Self::Flawed(_) => 0,
        }
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        match self {
            Self::Entries(entries) => entries.iter().map(|entry| &*entry.id).collect(),
            Self::Items(items) => items.iter().map(|item| &*item.id).collect(),
            Self::Flawed(_) => Vec::new(),
        }
    }
}

/// A batch that is to be made.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) asked: Asked,
    pub(super) label: Value,
    pub(super) given: Given,
    /// `None` for a batch that is filled later.
    pub(super) source: Option<Source>,
}

/// A batch that was made, or got more items.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) number: u64,
    /// Whether the client is not to hear of it.
    pub(super) dropped: bool,
}

/// Makes a batch.
pub(super) fn create(service: &Arc<Service>, draft: Draft) -> Made {
    let wire = draft.asked.wire;
    let now = service.batches.clock.now();
    let label = draft.label.clone();
    let named = !(label.is_null()
        || label == ""
        || label.as_object().is_some_and(serde_json::Map::is_empty));
    let mut store = service.batches.lock();
    let set = match &draft.source {
        Some(source) => set_name(&draft.asked, source, draft.given.file.as_deref()),
        None => empty_set_name(wire, &label),
    };
    let (nth, dropped) = send_set(service, &mut store, &set);
    let number = store.insert(Batch {
        id: batch_id(wire, &set, nth),
        asked: draft.asked,
        label: draft.label,
        given: draft.given,
        created: now,
        visible: now.at + Duration::from_millis(service.options.batch.list_delay_ms.into()),
        cancelled: None,
        parts: Vec::new(),
        wake: Arc::new(Notify::new()),
    });
    let same_label = named && store.has_label(wire, &label);
    {
        let mut ledger = service.stats.ledger();
        let stats = ledger.batches(wire);
        stats.created += 1;
        stats.same_label += u64::from(same_label);
        if dropped {
            stats.fault("create_dropped");
        }
    }
    if let Some(source) = draft.source {
        add_part(service, &mut store, number, source, &set);
    }
    Made { number, dropped }
}

/// Adds items to a batch.
pub(super) fn add(service: &Arc<Service>, number: u64, source: Source) -> Result<Made, Refusal> {
    let mut store = service.batches.lock();
    let batch = store.get(number);
    let batch = batch.ok_or_else(|| Refusal::new(404, "the batch is gone"))?;
    let wire = batch.asked.wire;
    let set = set_name(&batch.asked, &source, None);
    let (_, dropped) = send_set(service, &mut store, &set);
    if dropped {
        service.stats.ledger().batches(wire).fault("create_dropped");
    }
    add_part(service, &mut store, number, source, &set);
    Ok(Made { number, dropped })
}

/// Counts a set that is sent: how often it has been by now, and whether the reply is to be dropped.
fn send_set(service: &Service, store: &mut Store, set: &str) -> (u32, bool) {
    let history = store.sets.entry(set.to_owned()).or_default();
    history.sent += 1;
    let faults = &service.options.batch.faults;
    let dropped = history.dropped < faults.max_per_batch
        && faults.drops_creation(service.options.seed, set, history.sent);
    history.dropped += u32::from(dropped);
    (history.sent, dropped)
}

fn add_part(service: &Arc<Service>, store: &mut Store, number: u64, source: Source, set: &str) {
    let options = &service.options.batch;
    let start = service.batches.clock.now();
    let count = source.len();
    let Some(wire) = store.get(number).map(|batch| batch.asked.wire) else {
        return;
    };
    let mut places = std::mem::take(&mut store.sets.entry(set.to_owned()).or_default().places);
    let (again, twice) = (
        !places.is_empty(),
        places.iter().any(|(batch, part)| {
            let part = store.get(*batch).and_then(|batch| batch.parts.get(*part));
            part.is_some_and(|part| part.end.is_none() || part.has_answers(wire, start.at))
        }),
    );
    let Some(batch) = store.get_mut(number) else {
        return;
    };
    let asked = batch.asked.clone();
    let wake = Arc::clone(&batch.wake);
    let ids = match asked.wire {
        Wire::Xai => source.ids().into_iter().map(Into::into).collect(),
        _ => Vec::new(),
    };
    let place = batch.parts.len();
    batch.parts.push(Part {
        start,
        ends: start.at + Duration::from_millis(options.delay_ms.into()),
        count,
        ids,
        items: None,
        fates: Vec::new(),
        order: Vec::new(),
        fate: BatchFate::Ends,
        end: None,
        set: set.to_owned(),
        stopped: None,
    });
    places.push((number, place));
    let history = store.sets.entry(set.to_owned()).or_default();
    history.places = places;
    let faults = &options.faults;
    if history.faults < faults.max_per_batch && count > 0 {
        let fate = faults.batch(service.options.seed, set, history.sent);
        if fate != BatchFate::Ends {
            history.faults += 1;
            let name = match fate {
                BatchFate::Expires(_) => "expired",
                BatchFate::Fails => "failed",
                BatchFate::EndsEmpty | BatchFate::Ends => "no_output",
            };
            service.stats.ledger().batches(asked.wire).fault(name);
            if let Some(part) = part_mut(store, number, place) {
                part.fate = fate;
            }
        }
    }
    {
        let mut ledger = service.stats.ledger();
        let stats = ledger.batches(asked.wire);
        stats.items += count as u64;
        stats.same_items += u64::from(again && count > 0);
        stats.duplicates += u64::from(twice && count > 0);
    }
    let work = match source {
        Source::Flawed(flaws) => Work::Done(Some(How::Failed(flaws))),
        Source::Items(items) => Work::Done(take_items(service, store, number, place, items)),
        Source::Entries(entries) => Work::Entries(entries),
    };
    let service = Arc::clone(service);
    tokio::spawn(async move { drive(&service, number, place, &asked, work, &wake).await });
}

/// What is to be done before a part can end.
enum Work {
    Entries(Vec<Entry>),
    /// Nothing; with the end of the part where it ends early.
    Done(Option<How>),
}

pub(super) fn part_mut(store: &mut Store, number: u64, place: usize) -> Option<&mut Part> {
    store.get_mut(number)?.parts.get_mut(place)
}

/// Answers the items, waits for the end, and ends.
async fn drive(
    service: &Arc<Service>,
    number: u64,
    place: usize,
    asked: &Asked,
    work: Work,
    wake: &Notify,
) {
    let early = match work {
        Work::Done(early) => early,
        Work::Entries(entries) => {
            let items = answer_apart(service, asked, entries).await;
            let mut store = service.batches.lock();
            take_items(service, &mut store, number, place, items)
        }
    };
    loop {
        // Asked for before the state is looked at, so that nothing is missed in between.
        let (woken, moved) = (wake.notified(), service.batches.clock.moved());
        let now = service.batches.clock.now().at;
        let (until, how) = {
            let store = service.batches.lock();
            let Some(batch) = store.get(number) else {
                return;
            };
            let Some(part) = batch.parts.get(place) else {
                return;
            };
            if part.end.is_some() {
                return;
            }
            let cancel = Duration::from_millis(service.options.batch.cancel_ms.into());
            let validated = part.start.at + (part.ends - part.start.at) / 10;
            match (&early, part.stopped) {
                (Some(how), _) => (validated, how.clone()),
                (None, Some(stopped)) => (stopped + cancel, part.end_cancelled()),
                (None, None) => match part.end_in_time() {
                    // What expires at xAI counts as cancelled.
                    How::Expired(done) if asked.wire == Wire::Xai => {
                        (part.ends, How::Cancelled(done))
                    }
                    how @ How::Failed(_) if matches!(asked.wire, Wire::OpenAi | Wire::Xai) => {
                        (validated, how)
                    }
                    how => (part.ends, how),
                },
            }
        };
        if until <= now {
            end(service, number, place, how);
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(until - now) => {}
            () = woken => {}
            () = moved => {}
        }
    }
}

/// Answers on a thread of its own: thousands of items are seconds of work.
pub(super) async fn answer_apart(
    service: &Arc<Service>,
    asked: &Asked,
    entries: Vec<Entry>,
) -> Arc<[Item]> {
    let (service, asked) = (Arc::clone(service), asked.clone());
    tokio::task::spawn_blocking(move || answer(&service, &asked, entries))
        .await
        .unwrap_or_default()
}

/// Takes the answered items into their part, with a fate for each. A part that is over the limit of enqueued tokens
/// ends early.
fn take_items(
    service: &Service,
    store: &mut Store,
    number: u64,
    place: usize,
    items: Arc<[Item]>,
) -> Option<How> {
    let (seed, faults) = (service.options.seed, &service.options.batch.faults);
    let batch = store.get(number)?;
    let wire = batch.asked.wire;
    let over = match service.options.batch.enqueued_tokens {
        Some(limit) if wire == Wire::OpenAi => over_limit(store, wire, &items, limit),
        _ => None,
    };
    if let Some(flaw) = over {
        return Some(How::Failed(vec![flaw]));
    }
    let fates = {
        let mut ledger = service.stats.ledger();
        let mut fates = Vec::with_capacity(items.len());
        for item in &*items {
            let history = ledger.submit(item.content);
            let mut fate = ItemFate::Answered;
            if history.faults < faults.max_per_item && item.reply.is_ok() {
                let name = u128::from_le_bytes(item.content).to_string();
                fate = faults.item(seed, &name, history.submitted);
                history.faults += u32::from(fate != ItemFate::Answered);
            }
            match fate {
                ItemFate::Answered => {}
                ItemFate::Failed => ledger.batches(wire).fault("item_failed"),
                ItemFate::Expired => ledger.batches(wire).fault("item_expired"),
            }
            fates.push(fate);
        }
        fates
    };
    let file = store.get(number)?.given.file.clone();
    let asked = store.get(number)?.asked.clone();
    let model = store.get(number)?.given.model.clone();
    if let Some(file) = file.and_then(|file| store.files.get_mut(&file)) {
        // The file has been read; its text is not needed again.
        file.content = Content::Read(Arc::new(ReadFile {
            asked,
            model,
            items: Arc::clone(&items),
        }));
    }
    let part = part_mut(store, number, place)?;
    part.order = shuffled(&part.set, items.len());
    part.fates = fates;
    part.items = Some(items);
    None
}

/// Whether these items would be too many beside those in batches that have not ended.
pub(super) fn over_limit(store: &Store, wire: Wire, items: &[Item], limit: u64) -> Option<Flaw> {
    let model = items.first().map(|item| &*item.model)?;
    let tokens = |items: &[Item]| -> u64 {
        let counted = items.iter().filter(|item| &*item.model == model);
        counted
            .map(|item| item.usage.input + item.usage.cached_input + item.usage.cache_write)
            .sum()
    };
    let waiting: u64 = store
        .batches()
        .filter(|batch| batch.asked.wire == wire)
        .flat_map(|batch| &batch.parts)
        .filter(|part| part.end.is_none())
        .filter_map(|part| part.items.as_deref())
        .map(tokens)
        .sum();
    let all = waiting + tokens(items);
    (all > limit).then(|| Flaw {
        code: "token_limit_exceeded",
        message: format!(
            "Enqueued token limit reached for {model}. Limit: {limit} enqueued tokens, with this batch {all}. \
             Please try again once some in_progress batches have been completed."
        ),
        param: None,
        line: None,
    })
}

/// An order that follows from what is sent and has nothing to do with the order it came in.
fn shuffled(set: &str, count: usize) -> Vec<u32> {
    let mut draw = Draw::new(0, &["batch order", set]);
    let mut order: Vec<u32> = (0..).take(count).collect();
    for last in (1..count).rev() {
        order.swap(last, draw.below(last + 1));
    }
    order
}

/// The refusal of a Gemini batch that is over the limit of enqueued tokens.
pub(super) fn refuse_over_limit(
    service: &Service,
    wire: Wire,
    items: &[Item],
) -> Result<(), Refusal> {
    let Some(limit) = service.options.batch.enqueued_tokens else {
        return Ok(());
    };
    match over_limit(&service.batches.lock(), wire, items, limit) {
        Some(flaw) => Err(Refusal::new(429, flaw.message)),
        None => Ok(()),
    }
}

//! Lists of batches and of files, page by page.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::server::batch::query::{Page, Query, page, start_of, token};
use crate::server::batch::store::{Content, Store};
use crate::server::batch::{anthropic, files, gemini, openai, xai};
use crate::server::wire::{Refusal, Wire};

/// The batches of a provider, newest first.
pub(super) fn batches(
    store: &Store,
    wire: Wire,
    query: &Query,
    origin: &str,
    now: Instant,
) -> Result<Value, Refusal> {
    let all = store.newest(wire, now);
    let position = |name: &str| {
        query
            .get(name)
            .map(|id| {
                all.iter()
                    .position(|batch| batch.id == id)
                    .ok_or_else(|| Refusal::new(404, format!("{name}: there is no batch {id:?}")))
            })
            .transpose()
    };
    Ok(match wire {
        Wire::Anthropic => {
            let limit = query.limit("limit", 20, 1_000)?;
            let (rows, more) = match (position("after_id")?, position("before_id")?) {
                (Some(_), Some(_)) => {
                    let message = "before_id and after_id cannot both be given";
                    return Err(Refusal::field("before_id", message));
                }
                // The page right before, still newest first.
                (None, Some(before)) => {
                    let start = before.saturating_sub(limit);
                    (all[start..before].to_vec(), start > 0)
                }
                (after, None) => {
                    let page = page(all, after.map_or(0, |after| after + 1), limit);
                    let more = page.next.is_some();
                    (page.rows, more)
                }
            };
            json!({
                "data": rows.iter().map(|batch| anthropic::show(batch, now, origin)).collect::<Vec<_>>(),
                "has_more": more,
                "first_id": rows.first().map(|batch| &batch.id),
                "last_id": rows.last().map(|batch| &batch.id),
            })
        }
        Wire::OpenAi => {
            let limit = query.limit("limit", 20, 100)?;
            let start = position("after")?.map_or(0, |after| after + 1);
            let Page { rows, next } = page(all, start, limit);
            let has_file = |id: &str| store.files.contains_key(id);
            json!({
                "object": "list",
                "data": rows.iter().map(|batch| openai::show(batch, now, has_file)).collect::<Vec<_>>(),
                "has_more": next.is_some(),
                "first_id": rows.first().map(|batch| &batch.id),
                "last_id": rows.last().map(|batch| &batch.id),
            })
        }
        Wire::Gemini => {
            let limit = query.limit("pageSize", 50, 1_000)?;
            let start = start_of(query.get("pageToken"), "pageToken")?;
            let Page { rows, next } = page(all, start, limit);
            let rows: Vec<Value> = rows
                .into_iter()
                .map(|batch| gemini::show(batch, now, false))
                .collect();
            let mut list = json!({"operations": rows});
            if let Some(next) = next {
                list["nextPageToken"] = token(next).into();
            }
            list
        }
        Wire::Xai => {
            let limit = query.limit("limit", 100, 1_000)?;
            let start = start_of(query.get("pagination_token"), "pagination_token")?;
            let Page { rows, next } = page(all, start, limit);
            let rows: Vec<Value> = rows
                .into_iter()
                .map(|batch| xai::show(batch, now))
                .collect();
            json!({"batches": rows, "pagination_token": next.map(token)})
        }
    })
}

/// A page of rows that are JSON already, at xAI.
pub(super) fn rows(
    name: &str,
    rows: impl Iterator<Item = String>,
    query: &Query,
) -> Result<String, Refusal> {
    let limit = query.limit("limit", 100, 1_000)?;
    let start = start_of(query.get("pagination_token"), "pagination_token")?;
    let Page { rows, next } = page(rows, start, limit);
    let token = Value::from(next.map(token));
    Ok(format!(
        "{{\"{name}\":[{}],\"pagination_token\":{token}}}",
        rows.join(",")
    ))
}

/// The files of a provider, newest first.
pub(super) fn all_files(store: &Store, wire: Wire, query: &Query) -> Result<Value, Refusal> {
    let purpose = query.get("purpose");
    let mut all: Vec<_> = store
        .files
        .iter()
        .filter(|(_, file)| file.wire == wire && !matches!(file.content, Content::Partial(_)))
        .filter(|(_, file)| purpose.is_none_or(|purpose| purpose == file.purpose))
        .collect();
    all.sort_by_key(|(_, file)| std::cmp::Reverse(file.number));
    if wire == Wire::Gemini {
        let limit = query.limit("pageSize", 10, 100)?;
        let start = start_of(query.get("pageToken"), "pageToken")?;
        let Page { rows, next } = page(all, start, limit);
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|(id, file)| files::show(id, file))
            .collect();
        let mut list = json!({"files": rows});
        if let Some(next) = next {
            list["nextPageToken"] = token(next).into();
        }
        return Ok(list);
    }
    let limit = query.limit("limit", 10_000, 10_000)?;
    let start = match query.get("after") {
        None => 0,
        Some(after) => {
            let place = all.iter().position(|(id, _)| *id == after);
            place.ok_or_else(|| Refusal::new(404, format!("No such File object: {after}")))? + 1
        }
    };
    let Page { rows, next } = page(all, start, limit);
    Ok(json!({
        "object": "list",
        "data": rows.iter().map(|(id, file)| files::show(id, file)).collect::<Vec<_>>(),
        "has_more": next.is_some(),
        "first_id": rows.first().map(|(id, _)| id),
        "last_id": rows.last().map(|(id, _)| id),
    }))
}

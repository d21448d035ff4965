//! The batch services of others: shapes that Steady takes, and ends that aimock comes to.

use specstress_llm::{BatchModel as _, BatchState, BatchTag, ChatRequest, LostBatch, RequestKey};
use specstress_providers::{ProviderBatch, ProviderKind};

use super::servers_are_up;
use super::steady::requests;
use crate::relay::Relay;
use crate::{config, provider};

/// A batch of each provider, as far as the strict servers know them: not the queries of lists.
#[tokio::test]
async fn steady_accepts_batches() {
    if !servers_are_up("steady_accepts_batches") {
        return;
    }
    let tag = BatchTag::from_recorded("specstress-00112233445566778899aabbccddeeff");
    for (kind, port, name) in [
        (ProviderKind::Anthropic, 4152, "claude-opus-4-5"),
        (ProviderKind::Anthropic, 4154, "claude-opus-5-5"),
        (ProviderKind::OpenAi, 4151, "gpt-4o"),
        (ProviderKind::OpenAi, 4151, "gpt-6-pro"),
        (ProviderKind::Gemini, 4153, "gemini-2.5-pro"),
    ] {
        let relay = Relay::to(port).await;
        let mut config = config(kind, &relay.url);
        config.retry.max_attempts = 1;
        let model = provider(config).batch_model(name).unwrap();
        let lines: Vec<_> = requests()
            .into_iter()
            .filter_map(|(_, request)| {
                let key = RequestKey::chat(model.id(), &request);
                model.encode(&key, &request).ok()
            })
            .collect();
        assert!(lines.len() > 4);
        // What comes back is made up by the server; how it took what was sent is what counts.
        let _ = model.create(&tag, &lines).await;
        let _ = model.status("batches/b1").await;
        let _ = model.cancel("b1").await;
        let passed = relay.all();
        assert!(passed.len() >= 3, "{name}");
        for passed in passed {
            assert!(
                (200..300).contains(&passed.status)
                    && passed.header("x-steady-error-count") == Some("0"),
                "{name}: {} {} {}",
                passed.path,
                passed.sent,
                passed.reply
            );
        }
    }
}

/// Runs a batch to its end; the states on the way and what became of each request.
async fn run_batch(model: &ProviderBatch, asked: &[ChatRequest]) -> (Vec<BatchState>, Vec<String>) {
    let keys: Vec<_> = asked
        .iter()
        .map(|request| RequestKey::chat(model.id(), request))
        .collect();
    let lines: Vec<_> = asked
        .iter()
        .zip(&keys)
        .map(|(request, key)| model.encode(key, request).unwrap())
        .collect();
    let tag = BatchTag::new(
        &format!("{:?} {}", std::time::Instant::now(), std::process::id()),
        &keys,
    );
    let begun_at = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let id = model.create(&tag, &lines).await.unwrap();
    let lost = LostBatch {
        tag: &tag,
        begun_at,
        requests: asked.len() as u64,
    };
    assert_eq!(model.find(&lost).await.unwrap(), std::slice::from_ref(&id));
    let mut states = Vec::new();
    loop {
        let state = model.status(&id).await.unwrap().state;
        let over = state.is_over();
        states.push(state);
        if over {
            break;
        }
        assert!(states.len() < 10, "{states:?}");
    }
    let page = model.results(&id, None).await.unwrap();
    assert_eq!(page.next, None);
    let became = keys.iter().map(|key| {
        let mut found = page.items.iter().filter(|(of, _)| of == key);
        match found.next() {
            Some((_, Ok(answer))) => answer.text.clone(),
            Some((_, Err(error))) => error.kind().as_str().to_owned(),
            None => "nothing".to_owned(),
        }
    });
    (states, became.collect())
}

#[tokio::test]
async fn aimock_batches_come_to_every_end() {
    if !servers_are_up("aimock_batches_come_to_every_end") {
        return;
    }
    let asked = [ChatRequest::user("one"), ChatRequest::user("two")];
    for (outcome, end, became) in [
        ("completed", BatchState::Ended, "Mock batch completion"),
        ("expired", BatchState::Expired, "nothing"),
        ("cancelled", BatchState::Cancelled, "nothing"),
        ("failed", BatchState::Failed, "bad_reply"),
    ] {
        for (kind, name) in [
            (ProviderKind::OpenAi, "gpt-4o"),
            (ProviderKind::Compatible, "local"),
        ] {
            let mut config = config(kind, "http://127.0.0.1:4120")
                .with_header("x-aimock-batch-outcome", outcome);
            config.wire.compat.batch = true;
            let model = provider(config).batch_model(name).unwrap();
            let (states, found) = run_batch(&model, &asked).await;
            assert_eq!(states, [BatchState::Running, end.clone()], "{outcome}");
            assert_eq!(found, [became, became], "{outcome}");
        }
    }
    let model = provider(config(ProviderKind::OpenAi, "http://127.0.0.1:4120"))
        .batch_model("gpt-4o")
        .unwrap();
    let key = RequestKey::chat(model.id(), &asked[0]);
    let lines = [model.encode(&key, &asked[0]).unwrap()];
    let id = model
        .create(&BatchTag::from_recorded("specstress-c"), &lines)
        .await
        .unwrap();
    model.cancel(&id).await.unwrap();
    assert_eq!(
        model.status(&id).await.unwrap().state,
        BatchState::Cancelled
    );
    model.cancel(&id).await.unwrap();
}

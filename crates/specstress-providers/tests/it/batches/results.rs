use super::*;

#[tokio::test]
async fn batches_that_ended_without_output_have_no_results() {
    for (kind, script) in [
        (
            ProviderKind::OpenAi,
            vec![ok(
                json!({"id": "b1", "status": "completed", "output_file_id": null, "error_file_id": null}),
            )],
        ),
        (
            ProviderKind::Gemini,
            vec![ok(
                json!({"name": "batches/b1", "metadata": {"state": "BATCH_STATE_SUCCEEDED"}}),
            )],
        ),
        (
            ProviderKind::Anthropic,
            vec![ok(
                json!({"id": "b1", "processing_status": "ended", "results_url": null}),
            )],
        ),
        (ProviderKind::Anthropic, vec![ok(anthropic_ended()), ok("")]),
        (
            ProviderKind::Xai,
            vec![ok(json!({"results": [], "pagination_token": ""}))],
        ),
    ] {
        let (_server, model) = serve(kind, script).await;
        assert!(all(&model, id_of(kind)).await.is_empty(), "{kind}");
    }
}

/// An answer of something else must not look like a batch without results: all of it would be paid again.
#[tokio::test]
async fn a_page_instead_of_results_is_an_error() {
    for (kind, before) in [
        (ProviderKind::Anthropic, Some(ok(anthropic_ended()))),
        (
            ProviderKind::OpenAi,
            Some(ok(
                json!({"id": "b1", "status": "completed", "output_file_id": "f"}),
            )),
        ),
        (ProviderKind::Xai, None),
    ] {
        let page = ok("<html>Please sign in</html>");
        let script: Vec<Act> = before.into_iter().chain([page]).collect();
        let (_server, model) =
            serve_with(kind, script, |config| config.retry.max_attempts = 2).await;
        let error = model.results("b1", None).await.unwrap_err();
        assert_eq!(error.kind(), LlmErrorKind::BadReply, "{kind} {error}");
    }
}

/// What is read twice may come in another order; every result comes at least once.
#[tokio::test]
async fn large_results_come_in_pages_from_one_download() {
    let asked = requests(2_500);
    let kind = ProviderKind::Anthropic;
    let (_, model) = serve(kind, [ok("")]).await;
    let keys = keys(&model, &asked);
    let lines: Vec<String> = keys
        .iter()
        .rev()
        .map(|key| {
            let result = json!({"type": "succeeded", "message": anthropic_message("x")});
            json!({"custom_id": key, "result": result}).to_string()
        })
        .collect();
    let file = lines.join("\n");
    let ended = || ok(anthropic_ended());
    let (server, model) = serve(kind, [ended(), ok(&file), ended(), ok(&file)]).await;
    let first = model.results("b1", None).await.unwrap();
    assert_eq!(first.items.len(), 1_000);
    let items = all(&model, "b1").await;
    assert_eq!(items.len(), 2_500);
    assert_eq!(
        server.count(),
        4,
        "one question and one download per reading"
    );
    let mut found: Vec<_> = items.iter().map(|(key, _)| *key).collect();
    found.sort_unstable();
    let mut expected = keys.clone();
    expected.sort_unstable();
    assert_eq!(found, expected);
    // A place of an earlier process: everything comes again rather than too little.
    let (_server, fresh) = serve(kind, [ended(), ok(&file)]).await;
    let again = fresh.results("b1", first.next.as_deref()).await.unwrap();
    assert_eq!(again.items[0].0, keys[2_499]);
}

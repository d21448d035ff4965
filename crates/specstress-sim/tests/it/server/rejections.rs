//! Wrong requests are refused in each provider's words.

use serde_json::{Value, json};

use super::client::{Call, Reply, Running, WIRES, question};

fn message(reply: &Reply) -> String {
    let body = reply.json();
    let error = &body["error"];
    let text = error.as_str().or_else(|| error["message"].as_str());
    text.unwrap_or_else(|| panic!("{body}")).to_owned()
}

fn edit(call: Call, change: impl Fn(&mut Value)) -> Call {
    let mut body = serde_json::from_str(&call.body).unwrap();
    change(&mut body);
    call.with_body(&body.to_string())
}

#[test]
fn keys_must_be_there_in_the_right_form() {
    let server = Running::plain();
    for (wire, expected) in WIRES.into_iter().zip([
        "authentication_error",
        "invalid_api_key",
        "UNAUTHENTICATED",
        "invalid_api_key",
    ]) {
        let mut call = question(wire, "What now?");
        call.headers
            .retain(|(name, _)| *name == "anthropic-version");
        let reply = server.ask(&call);
        assert_eq!(reply.status, 401, "{wire}");
        assert!(reply.body.contains(expected), "{wire}: {}", reply.body);
        let reply = server.ask(&call.clone().with("x-unrelated", "k"));
        assert_eq!(reply.status, 401);
    }
    let both = question("anthropic", "What now?").with("authorization", "Bearer k");
    assert_eq!(server.ask(&both).status, 401);
    let mut bearer = question("anthropic", "What now?");
    bearer.headers[0] = ("authorization", "Bearer k".to_owned());
    assert_eq!(server.ask(&bearer).status, 200);
    assert_eq!(server.stop().rejected, 9);
}

fn set(wire: &str, field: &str, value: &Value) -> Call {
    edit(question(wire, "q"), |body| body[field] = value.clone())
}

fn without(wire: &str, field: &str) -> Call {
    edit(question(wire, "q"), |body| {
        body.as_object_mut().unwrap().remove(field).unwrap();
    })
}

/// Each call is a 400 whose message holds the text beside it.
fn check(calls: impl IntoIterator<Item = (Call, &'static str)>) {
    let server = Running::plain();
    for (call, expected) in calls {
        let reply = server.ask(&call);
        let message = message(&reply);
        assert_eq!(reply.status, 400, "{message}");
        assert!(message.contains(expected), "{message} for {expected}");
    }
    let stats = server.stop();
    assert_eq!(stats.rejected, stats.requests);
    assert_eq!(stats.answered, 0);
}

#[test]
fn anthropic_names_the_field() {
    let mut bare = question("anthropic", "q");
    bare.headers
        .retain(|(name, _)| *name != "anthropic-version");
    check([
        (
            without("anthropic", "max_tokens"),
            "max_tokens: Field required",
        ),
        (
            set("anthropic", "seed", &json!(1)),
            "seed: Extra inputs are not permitted",
        ),
        (
            set("anthropic", "max_tokens", &json!(0)),
            "max_tokens: Input should be a whole number",
        ),
        (
            set(
                "anthropic",
                "thinking",
                &json!({"type": "enabled", "budget_tokens": 1024}),
            ),
            "thinking.budget_tokens: Input should be less than max_tokens",
        ),
        (
            set("anthropic", "output_config", &json!({"effort": "none"})),
            "output_config.effort",
        ),
        (set("anthropic", "stream", &json!(true)), "does not stream"),
        (bare, "anthropic-version: header is required"),
    ]);
}

#[test]
fn openai_and_xai_name_the_field() {
    check([
        (without("openai", "messages"), "messages: Field required"),
        (without("openai", "model"), "model: Field required"),
        (
            set("openai", "thinking", &json!({})),
            "Unrecognized request argument supplied: thinking",
        ),
        (
            set(
                "openai",
                "messages",
                &json!([{"role": "robot", "content": "q"}]),
            ),
            "messages.0.role",
        ),
        (
            set(
                "openai",
                "messages",
                &json!([{"role": "system", "content": "q"}]),
            ),
            "at least one message of the user",
        ),
        (
            set(
                "openai",
                "messages",
                &json!([{"role": "user", "content": [{"type": "image_url"}]}]),
            ),
            "messages.0.content.0.type",
        ),
        (set("openai", "temperature", &json!(2.5)), "temperature"),
        (set("openai", "n", &json!(2)), "one answer per request"),
        (
            set(
                "openai",
                "response_format",
                &json!({"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}}),
            ),
            "response_format.json_schema.name",
        ),
        (
            set("xai", "stop", &json!(["x"])),
            "not supported on this model: stop",
        ),
        (question("openai", "q").with_body("{"), "not JSON"),
        (question("openai", "q").with_body("[]"), "not a JSON object"),
        (
            question("openai", "q").with("x-specstress-sample", "-1"),
            "x-specstress-sample",
        ),
    ]);
}

#[test]
fn gemini_names_the_field() {
    check([
        (
            set("gemini", "messages", &json!([])),
            "Unknown name \"messages\": Cannot find field",
        ),
        (
            set("gemini", "generationConfig", &json!({"max_tokens": 3})),
            "Unknown name \"max_tokens\" at 'generationConfig'",
        ),
        (
            set(
                "gemini",
                "generationConfig",
                &json!({"responseJsonSchema": {}}),
            ),
            "application/json",
        ),
        (
            set(
                "gemini",
                "generationConfig",
                &json!({"seed": 3_000_000_000_u32}),
            ),
            "TYPE_INT32",
        ),
        (without("gemini", "contents"), "contents: Field required"),
    ]);
}

#[test]
fn embeddings_name_the_field() {
    check([
        (
            Call::openai(
                "/v1/embeddings",
                &json!({"model": "embedder", "input": ["a", " "]}),
            ),
            "input 1 is an empty string",
        ),
        (
            Call::openai(
                "/v1/embeddings",
                &json!({"model": "embedder", "input": vec!["a"; 2049]}),
            ),
            "2049 inputs, at most 2048",
        ),
        (
            Call::openai(
                "/v1/embeddings",
                &json!({"model": "embedder", "input": "a", "dimensions": 9}),
            ),
            "9 dimensions",
        ),
        (
            Call::gemini(
                "embedder:batchEmbedContents",
                &json!({"requests": [{"content": {"parts": [{"text": "a"}]}}]}),
            ),
            "requests.0.model: Field required",
        ),
    ]);
}

#[test]
fn models_are_on_their_own_wire_only() {
    let server = Running::plain();
    let chat = |path: &str, model: &str| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "q"}]});
        server.ask(&Call::openai(path, &body))
    };
    for (path, model) in [
        ("/v1/chat/completions", "alder_grand"),
        ("/v1/chat/completions", "embedder"),
        ("/v1/chat/completions", "gpt-4o"),
        ("/openai/v1/chat/completions", "dune_max"),
        ("/xai/v1/chat/completions", "birch_main"),
    ] {
        let reply = chat(path, model);
        assert_eq!(reply.status, 404, "{path} {model}");
        assert!(message(&reply).contains(model));
    }
    assert_eq!(
        chat("/v1/chat/completions", "gpt-4o").json()["error"]["code"],
        "model_not_found"
    );
    let gemini = Call::gemini(
        "birch_main:generateContent",
        &json!({"contents": [{"parts": [{"text": "q"}]}]}),
    );
    let reply = server.ask(&gemini);
    assert_eq!(
        (reply.status, &reply.json()["error"]["status"]),
        (404, &json!("NOT_FOUND"))
    );
    let embed = Call::openai(
        "/v1/embeddings",
        &json!({"model": "birch_main", "input": "a"}),
    );
    assert_eq!(server.ask(&embed).status, 404);
    assert_eq!(
        server.ask(&Call::openai("/v1/nothing", &json!({}))).status,
        404
    );
    let mut wrong = question("openai", "q");
    wrong.method = "PUT";
    assert_eq!(server.ask(&wrong).status, 405);
    server.stop();
}

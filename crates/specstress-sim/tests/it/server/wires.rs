//! Every wire's replies are those of the models in process.

use std::io::{Read, Write};

use futures_executor::block_on;
use serde_json::{Value, json};
use specstress_llm::{
    ChatRequest, ChatResponse, Effort, EmbeddingModel, EmbeddingRequest, FinishReason,
    ResponseSchema, SharedText, block,
};
use specstress_sim::{ServerOptions, SimOptions, SimWorld};
use specstress_values::Taxonomy;

use super::client::{Call, Running, WIRES, connect, question};
use crate::study::{ask, calm};

const QUESTION: &str = "Should I tell my sister what I know about brevity and patient teaching?";

fn said(body: &Value) -> &str {
    for place in [
        "/content/0/text",
        "/choices/0/message/content",
        "/output/0/content/0/text",
        "/output/1/content/0/text",
        "/candidates/0/content/parts/0/text",
    ] {
        if let Some(text) = body.pointer(place).and_then(Value::as_str) {
            return text;
        }
    }
    panic!("no text in {body}");
}

#[test]
fn a_plain_question_has_the_same_answer_on_every_wire_as_in_process() {
    let server = Running::plain();
    let models = ["alder_grand", "birch_main", "cedar_pro", "dune_max"];
    for (wire, model) in WIRES.into_iter().zip(models) {
        let reply = server.ask(&question(wire, QUESTION));
        assert_eq!(reply.status, 200, "{}", reply.body);
        let mut request = ChatRequest::user(QUESTION);
        if wire == "anthropic" {
            request = request.with_max_tokens(1000);
        }
        let expected = ask(&server.world, model, &request);
        assert_eq!(said(&reply.json()), expected.text, "{wire}");
        assert_eq!(server.ask(&question(wire, QUESTION)).body, reply.body);
    }
    let stats = server.stop();
    assert_eq!((stats.requests, stats.answered), (8, 8));
    assert_eq!((stats.logical, stats.duplicates), (4, 4));
    assert_eq!(stats.models["dune_max"].answered, 2);
}

#[test]
fn whole_replies_have_the_shape_and_counts_of_their_wire() {
    let server = Running::plain();
    let model = |key: &str| ask(&server.world, key, &ChatRequest::user(QUESTION));
    let prompt = QUESTION.len().div_ceil(4);

    let body = server.ask(&question("openai", QUESTION)).json();
    let expected = model("birch_main");
    assert_eq!(body["model"], "birch_main");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["usage"]["prompt_tokens"], prompt);
    assert_eq!(body["usage"]["completion_tokens"], expected.usage.output);
    assert!(body["usage"].get("cost_in_usd_ticks").is_none());

    let body = server.ask(&question("xai", QUESTION)).json();
    let output = model("dune_max").usage.output;
    let reasoning = output.div_ceil(2);
    let usage = &body["usage"];
    assert_eq!(usage["completion_tokens"], output);
    assert_eq!(
        usage["completion_tokens_details"]["reasoning_tokens"],
        reasoning
    );
    assert_eq!(usage["total_tokens"], prompt as u64 + output + reasoning);
    assert_eq!(
        usage["cost_in_usd_ticks"],
        prompt as u64 * 20_000 + (output + reasoning) * 100_000
    );

    let body = server.ask(&question("gemini", QUESTION)).json();
    let output = model("cedar_pro").usage.output;
    assert_eq!(body["modelVersion"], "cedar_pro");
    assert_eq!(body["candidates"][0]["finishReason"], "STOP");
    let usage = &body["usageMetadata"];
    assert_eq!(usage["candidatesTokenCount"], output);
    assert_eq!(usage["thoughtsTokenCount"], output.div_ceil(2));
    assert!(usage.get("cachedContentTokenCount").is_none());

    let reply = server.ask(&question("anthropic", QUESTION));
    let body = reply.json();
    assert_eq!(
        (&body["type"], &body["stop_reason"]),
        (&json!("message"), &json!("end_turn"))
    );
    assert_eq!(body["usage"]["input_tokens"], prompt);
    assert_eq!(body["usage"]["output_tokens_details"]["thinking_tokens"], 0);
    assert!(reply.header("request-id").is_some());
    assert_eq!(reply.header("content-type"), Some("application/json"));
    server.stop();
}

#[test]
fn everything_that_is_sent_reaches_the_model() {
    let server = Running::plain();
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let base = |name: &str| {
        ChatRequest::user(QUESTION)
            .with_system("Be kind.")
            .with_assistant("Well.")
            .with_user("Go on.")
            .with_max_tokens(500)
            .with_temperature(0.5)
            .with_stop("END")
            .with_effort(Effort::Low)
            .with_schema(ResponseSchema {
                name: name.to_owned(),
                schema: schema.clone(),
            })
            .with_sample(3)
    };
    let turns = json!([
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "Well."},
        {"role": "user", "content": [{"type": "text", "text": "Go on."}]},
    ]);
    let format = json!({"type": "json_schema", "schema": schema});
    let anthropic = Call::anthropic(&json!({
        "model": "alder_swift", "system": "Be kind.", "messages": turns, "max_tokens": 500,
        "temperature": 0.5, "stop_sequences": ["END"],
        "output_config": {"effort": "low", "format": format},
    }));
    let mut with_system = turns.as_array().unwrap().clone();
    with_system.insert(0, json!({"role": "developer", "content": "Be kind."}));
    let openai = Call::openai(
        "/v1/chat/completions",
        &json!({
            "model": "birch_mini", "messages": with_system, "max_completion_tokens": 500, "seed": 9,
            "temperature": 0.5, "stop": "END", "reasoning_effort": "low",
            "response_format": {"type": "json_schema", "json_schema": {"name": "r", "strict": true, "schema": schema}},
        }),
    );
    let text = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let gemini = |config: Value| {
        Call::gemini(
            "cedar_pro:generateContent",
            &json!({
                "system_instruction": {"parts": [{"text": "Be kind."}]},
                "contents": [text("user", QUESTION), text("model", "Well."), text("user", "Go on.")],
                "generationConfig": config,
            }),
        )
    };
    let config = json!({
        "maxOutputTokens": 500, "temperature": 0.5, "seed": 9, "stopSequences": ["END"],
        "thinkingConfig": {"thinking_level": "LOW"},
        "responseMimeType": "application/json", "responseJsonSchema": schema,
    });
    for (call, model, request) in [
        (anthropic, "alder_swift", base("reply")),
        (openai, "birch_mini", base("r").with_seed(9)),
        (gemini(config), "cedar_pro", base("reply").with_seed(9)),
    ] {
        let reply = server.ask(&call.with("x-specstress-sample", "3"));
        assert_eq!(reply.status, 200, "{}", reply.body);
        let body = reply.json();
        assert_eq!(said(&body), ask(&server.world, model, &request).text);
        // The reply differs in its words when any of it gets lost.
        let other = ChatRequest {
            effort: None,
            ..request
        };
        assert_ne!(said(&body), ask(&server.world, model, &other).text);
    }
    server.stop();
}

#[test]
fn responses_are_served_too() {
    let server = Running::plain();
    let call = |body: &Value| Call::openai("/v1/responses", body);
    let body = server
        .ask(&call(&json!({
            "model": "birch_reason", "instructions": "Be kind.", "input": QUESTION,
            "max_output_tokens": 900, "reasoning": {"effort": "high"}, "store": false,
            "text": {"format": {"type": "json_schema", "name": "r", "strict": true, "schema": {}}},
        })))
        .json();
    let request = ChatRequest::user(QUESTION)
        .with_system("Be kind.")
        .with_max_tokens(900)
        .with_effort(Effort::High)
        .with_schema(ResponseSchema {
            name: "r".to_owned(),
            schema: json!({}),
        });
    let expected = ask(&server.world, "birch_reason", &request);
    assert_eq!(said(&body), expected.text);
    assert_eq!(body["status"], "completed");
    let reasoning = expected.usage.output.div_ceil(2);
    assert_eq!(
        body["usage"]["output_tokens"],
        expected.usage.output + reasoning
    );
    assert_eq!(body["output"][0]["type"], "reasoning");
    let turns = server
        .ask(&call(&json!({
            "model": "birch_main",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}]}],
        })))
        .json();
    let expected = ask(&server.world, "birch_main", &ChatRequest::user(QUESTION));
    assert_eq!(said(&turns), expected.text);
    server.stop();
}

#[test]
fn cached_parts_count_as_cached_and_forced_tools_get_json() {
    let server = Running::plain();
    let pair = format!(
        "value1_bias_spectrum\n{}\n{}",
        block("value1", "brevity"),
        block("value2", "patient teaching")
    );
    let preface = "Words that many requests share. ".repeat(20);
    let schema = json!({"type": "object"});
    let body = server
        .ask(&Call::anthropic(&json!({
            "model": "rubric", "max_tokens": 4000,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": preface, "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": pair},
            ]}],
            "tools": [{"name": "emit", "description": "d", "input_schema": schema}],
            "tool_choice": {"type": "tool", "name": "emit"},
        })))
        .json();
    let request = ChatRequest::user(SharedText::new(preface.clone()))
        .with_user_part(pair)
        .with_max_tokens(4000)
        .with_schema(ResponseSchema {
            name: "emit".to_owned(),
            schema,
        });
    let expected = ask(&server.world, "rubric", &request);
    assert_eq!(body["stop_reason"], "tool_use");
    let block = &body["content"][0];
    assert_eq!(
        (&block["type"], &block["name"]),
        (&json!("tool_use"), &json!("emit"))
    );
    let text: Value = serde_json::from_str(&expected.text).unwrap();
    assert_eq!(block["input"], text);
    let usage = &body["usage"];
    assert_eq!(usage["cache_read_input_tokens"], preface.len().div_ceil(4));
    assert_eq!(usage["input_tokens"], expected.usage.input);
    server.stop();
}

#[test]
fn helpers_are_on_every_wire_and_paths_can_name_it() {
    let server = Running::plain();
    let mut chat =
        json!({"model": "judge_cedar", "messages": [{"role": "user", "content": QUESTION}]});
    let plain = server
        .ask(&Call::openai("/v1/chat/completions", &chat))
        .json();
    let xai = server
        .ask(&Call::openai("/xai/v1/chat/completions", &chat))
        .json();
    assert!(plain["usage"].get("cost_in_usd_ticks").is_none());
    assert!(xai["usage"]["cost_in_usd_ticks"].as_u64().unwrap() > 0);
    assert_eq!(said(&plain), said(&xai));
    chat["max_tokens"] = 100.into();
    let mut messages = Call::anthropic(&chat);
    messages.path = "/anthropic/v1/messages".to_owned();
    assert_eq!(server.ask(&messages).status, 200);
    let contents = json!({"contents": [{"parts": [{"text": QUESTION}]}]});
    let mut gemini = Call::gemini("judge_cedar:generateContent", &contents);
    gemini.path = gemini.path.replace("/v1beta", "/gemini/v1");
    assert_eq!(said(&server.ask(&gemini).json()), said(&plain));
    server.stop();
}

#[test]
fn limits_and_blocks_have_each_wires_words() {
    let options = |blocked, truncated| SimOptions {
        blocked,
        truncated,
        ..calm(5)
    };
    let start = |options| {
        let world = SimWorld::new(&Taxonomy::builtin(), options).unwrap();
        Running::start_world(world, ServerOptions::default())
    };
    let responses = Call::openai(
        "/v1/responses",
        &json!({"model": "birch_main", "input": QUESTION}),
    );
    let server = start(options(0.0, 1.0));
    for (wire, place, word) in [
        ("anthropic", "/stop_reason", "max_tokens"),
        ("openai", "/choices/0/finish_reason", "length"),
        ("xai", "/choices/0/finish_reason", "length"),
        ("gemini", "/candidates/0/finishReason", "MAX_TOKENS"),
    ] {
        let body = server.ask(&question(wire, QUESTION)).json();
        assert_eq!(body.pointer(place), Some(&json!(word)), "{wire}");
        assert!(!said(&body).is_empty());
    }
    let body = server.ask(&responses).json();
    assert_eq!(body["incomplete_details"]["reason"], "max_output_tokens");
    server.stop();

    let server = start(options(1.0, 0.0));
    let body = server.ask(&question("anthropic", QUESTION)).json();
    assert_eq!(
        (&body["stop_reason"], &body["content"]),
        (&json!("refusal"), &json!([]))
    );
    assert_eq!(body["stop_details"]["category"], "sim_filter");
    let body = server.ask(&question("openai", QUESTION)).json();
    assert_eq!(body["choices"][0]["finish_reason"], "content_filter");
    assert_eq!(body["choices"][0]["message"]["content"], Value::Null);
    let body = server.ask(&question("gemini", QUESTION)).json();
    assert_eq!(body["promptFeedback"]["blockReason"], "SAFETY");
    assert!(body.get("candidates").is_none());
    let body = server.ask(&responses).json();
    assert_eq!(body["incomplete_details"]["reason"], "content_filter");
    server.stop();
}

#[test]
fn vectors_are_those_of_the_embedder() {
    let server = Running::plain();
    let texts = ["brevity", "Should I tell them?"];
    let request = EmbeddingRequest {
        texts: texts.map(ToOwned::to_owned).to_vec(),
        dimensions: Some(64),
    };
    let expected = block_on(server.world.embedder().embed(&request)).unwrap();
    let vector = |value: &Value| -> Vec<f32> { serde_json::from_value(value.clone()).unwrap() };
    let openai = |encoding: &str| {
        let body = json!({"model": "embedder", "input": texts, "dimensions": 64, "encoding_format": encoding});
        server.ask(&Call::openai("/v1/embeddings", &body)).json()
    };
    let body = openai("float");
    for (row, expected) in body["data"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!(&vector(&row["embedding"]), expected);
    }
    assert_eq!(body["data"][1]["index"], 1);
    // "brevity" has 7 bytes, the question 19.
    assert_eq!(body["usage"]["total_tokens"], 2 + 5);
    // 64 numbers of 4 bytes are 256 bytes, or 86 groups of 3.
    let text = openai("base64")["data"][0]["embedding"]
        .as_str()
        .unwrap()
        .len();
    assert_eq!(text, 86 * 4);

    let one = |text: &str| {
        json!({"model": "models/embedder", "content": {"parts": [{"text": text}]},
            "taskType": "CLUSTERING", "outputDimensionality": 64})
    };
    let body = json!({"requests": texts.map(one)});
    let body = server
        .ask(&Call::gemini("embedder:batchEmbedContents", &body))
        .json();
    assert_eq!(vector(&body["embeddings"][1]["values"]), expected[1]);
    let body = server
        .ask(&Call::gemini("embedder:embedContent", &one(texts[0])))
        .json();
    assert_eq!(vector(&body["embedding"]["values"]), expected[0]);
    server.stop();
}

#[test]
fn samples_are_apart() {
    let server = Running::plain();
    let at = |sample: &str| {
        let call = question("openai", QUESTION).with("x-specstress-sample", sample);
        said(&server.ask(&call).json()).to_owned()
    };
    let sample = |sample| -> ChatResponse {
        let request = ChatRequest::user(QUESTION).with_sample(sample);
        ask(&server.world, "birch_main", &request)
    };
    assert_eq!(at("0"), sample(0).text);
    assert_eq!(at("7"), sample(7).text);
    assert_eq!(sample(7).finish, FinishReason::Stop);
    assert_ne!(at("7"), at("0"));
    assert_eq!(server.stop().logical, 2);
}

/// A request in HTTP/2 frames without TLS, its headers as plain literals.
#[test]
fn http_2_is_spoken_too() {
    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = length[1..].to_vec();
        bytes.extend([kind, flags, 0, 0, 0, stream]);
        bytes.extend(payload);
        bytes
    }
    let server = Running::plain();
    let body = json!({"model": "birch_main", "messages": [{"role": "user", "content": QUESTION}]});
    let mut headers = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/v1/chat/completions"),
        (":authority", "sim"),
        ("authorization", "Bearer k"),
    ] {
        headers.extend([0, u8::try_from(name.len()).unwrap()]);
        headers.extend(name.bytes());
        headers.push(u8::try_from(value.len()).unwrap());
        headers.extend(value.bytes());
    }
    let mut stream = connect(server.address);
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).unwrap();
    stream.write_all(&frame(1, 4, 1, &headers)).unwrap();
    stream
        .write_all(&frame(0, 1, 1, body.to_string().as_bytes()))
        .unwrap();
    let mut data = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).unwrap();
        assert_ne!(head[3], 3, "the stream is reset");
        if head[3] == 0 {
            data.extend(payload);
            if head[4] & 1 == 1 {
                break;
            }
        }
    }
    drop(stream);
    let body: Value = serde_json::from_slice(&data).unwrap();
    let expected = ask(&server.world, "birch_main", &ChatRequest::user(QUESTION));
    assert_eq!(said(&body), expected.text);
    server.stop();
}

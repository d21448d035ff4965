use serde_json::{Value, json};
use specstress_llm::{Effort, FinishReason, Message, Part, ResponseSchema, Role};

use crate::server::wire::{Ask, ChatAsk, Fields, Refusal, Said, Work, effort_named};

const KNOWN: [&str; 12] = [
    "cachedContent",
    "contents",
    "continuationToken",
    "generationConfig",
    "labels",
    "model",
    "safetySettings",
    "serviceTier",
    "store",
    "systemInstruction",
    "toolConfig",
    "tools",
];

const CONFIG: [&str; 23] = [
    "audioTimestamp",
    "candidateCount",
    "enableEnhancedCivicAnswers",
    "frequencyPenalty",
    "imageConfig",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseFormat",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "routingConfig",
    "seed",
    "speechConfig",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
];

pub(super) fn read(model: &str, fields: &Fields<'_>) -> Result<Ask, Refusal> {
    fields.only(&KNOWN)?;
    let mut ask = ChatAsk::default();
    if let Some(system) = fields.object("systemInstruction")? {
        ask.request.system = parts(&system)?;
    }
    fields.required("contents")?;
    for content in fields.objects("contents")?.unwrap_or_default() {
        let role = match content.text("role")? {
            None | Some("user") => Role::User,
            Some("model") => Role::Assistant,
            Some(_) => return Err(content.wrong("role", "Please use a valid role: user, model.")),
        };
        let parts = parts(&content)?;
        ask.request.messages.push(Message { role, parts });
    }
    fields.has_user("contents", &ask.request.messages)?;
    if let Some(config) = fields.object("generationConfig")? {
        read_config(&config, &mut ask)?;
    }
    Ok(Ask {
        model: model.to_owned(),
        work: Work::Chat(Box::new(ask)),
    })
}

/// The texts of a content's parts.
pub(super) fn parts(content: &Fields<'_>) -> Result<Vec<Part>, Refusal> {
    content.required("parts")?;
    let part = |part: &Fields<'_>| {
        part.only(&["text", "thought", "thoughtSignature"])?;
        Ok(Part::Text(part.required_text("text")?.to_owned()))
    };
    let parts = content.objects("parts")?.unwrap_or_default();
    parts.iter().map(part).collect()
}

fn read_config(config: &Fields<'_>, ask: &mut ChatAsk) -> Result<(), Refusal> {
    config.only(&CONFIG)?;
    let request = &mut ask.request;
    request.max_tokens = config.count("maxOutputTokens")?;
    request.temperature = config.number("temperature", 2.0)?;
    request.top_p = config.number("topP", 1.0)?;
    request.seed = config.seed("seed")?;
    if request
        .seed
        .is_some_and(|seed| i32::try_from(seed).is_err())
    {
        return Err(config.wrong("seed", "Invalid value (TYPE_INT32)"));
    }
    request.stop = config.texts("stopSequences")?;
    if config.count("candidateCount")?.is_some_and(|n| n != 1) {
        return Err(config.wrong("candidateCount", "the sim server gives one candidate"));
    }
    let schema = config
        .get("responseJsonSchema")
        .or_else(|| config.get("responseSchema"));
    if let Some(schema) = schema {
        if config.text("responseMimeType")? != Some("application/json") {
            return Err(config.wrong(
                "responseMimeType",
                "a response schema needs the type application/json",
            ));
        }
        request.schema = Some(ResponseSchema {
            name: "reply".to_owned(),
            schema: schema.clone(),
        });
    }
    if let Some(thinking) = config.object("thinkingConfig")? {
        thinking.only(&["includeThoughts", "thinkingBudget", "thinkingLevel"])?;
        match (
            thinking.get("thinkingBudget"),
            thinking.text("thinkingLevel")?,
        ) {
            (Some(_), Some(_)) => {
                return Err(thinking.wrong(
                    "thinkingBudget",
                    "set either thinking_budget or thinking_level",
                ));
            }
            (Some(budget), None) => match budget.as_i64() {
                Some(0) => request.effort = Some(Effort::None),
                Some(-1 | 1..) => ask.thinks = true,
                _ => return Err(thinking.wrong("thinkingBudget", "Invalid value (TYPE_INT32)")),
            },
            (None, Some(level)) => {
                let known = effort_named(level);
                let known =
                    known.ok_or_else(|| thinking.wrong("thinkingLevel", "Invalid value"))?;
                request.effort = Some(known);
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// Thoughts count beside the candidates; a blocked prompt has no candidate; a count of zero is left out.
pub(super) fn write(said: &Said<'_>) -> Value {
    let usage = said.usage;
    let mut told = json!({
        "promptTokenCount": usage.input + usage.cached_input + usage.cache_write,
        "totalTokenCount": usage.total(),
    });
    for (name, count) in [
        ("cachedContentTokenCount", usage.cached_input),
        ("candidatesTokenCount", usage.output),
        ("thoughtsTokenCount", usage.reasoning),
    ] {
        if count > 0 {
            told[name] = count.into();
        }
    }
    let mut body = json!({
        "usageMetadata": told,
        "modelVersion": said.model,
        "responseId": said.id,
    });
    let reason = match said.finish {
        FinishReason::Blocked { .. } => {
            body["promptFeedback"] = json!({"blockReason": "SAFETY"});
            return body;
        }
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::Stop | FinishReason::Other { .. } => "STOP",
    };
    let mut candidate = json!({"finishReason": reason, "index": 0, "safetyRatings": []});
    if !said.text.is_empty() {
        candidate["content"] = json!({"role": "model", "parts": [{"text": said.text}]});
    }
    body["candidates"] = json!([candidate]);
    body
}

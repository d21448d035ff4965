use specstress_llm::{Digest, FinishReason, read_block};

use crate::answer::{compose, decide};
use crate::draw::Draw;
use crate::query::{neutral, nudged, style_of};
use crate::setting::Setting;
use crate::task::{Asked, Kind};
use crate::world::World;
use crate::{rubric, verdict};

/// What a simulated model says, before it is dressed as a response.
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) finish: FinishReason,
}

/// One call: who is asked what, and the randomness of this very request.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a World,
    pub(crate) key: &'a str,
    pub(crate) asked: &'a Asked,
    pub(crate) sample: u32,
    pub(crate) draw: Draw,
}

impl Call<'_> {
    pub(crate) fn reply(mut self) -> Reply {
        let text = match self.asked.kind {
            Kind::Panel => return self.panel(),
            Kind::Scenario => self.scenario(),
            Kind::Nudge => self.nudge(),
            Kind::Spectrum => rubric::spectrum(&mut self),
            Kind::Classification => rubric::classification(&mut self),
            Kind::Topics => rubric::topics(&mut self),
            Kind::Refusal => rubric::refusal_kind(&mut self),
            Kind::ExpressedValues => rubric::expressed_values(&mut self),
            Kind::Verdict => verdict::verdict(&mut self),
        };
        Reply {
            // Without its data a task cannot be done; saying so leaves a trace in the stored reply.
            text: text.unwrap_or_else(|| {
                "I cannot do this: the prompt lacks a block of data that the task needs.".to_owned()
            }),
            finish: FinishReason::Stop,
        }
    }

    /// A block of data of the prompt.
    pub(crate) fn block(&self, tag: &str) -> Option<String> {
        read_block(&self.asked.text, tag)
    }

    /// Dresses JSON as a reply: bare or fenced, and now and then cut in the middle.
    pub(crate) fn json(&mut self, value: &serde_json::Value) -> String {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        let options = &self.world.options;
        if self.draw.chance(options.malformed_json) && !self.asked.reask {
            return text[..text.floor_char_boundary(text.len() * 3 / 5)].to_owned();
        }
        if self.draw.chance(options.fenced_json) {
            format!("```json\n{text}\n```")
        } else {
            text
        }
    }

    fn scenario(&mut self) -> Option<String> {
        let (value1, value2) = (self.block("value1")?, self.block("value2")?);
        let style = style_of(self.key, self.world.options.seed);
        let question = neutral(&value1, &value2, style, &mut self.draw);
        let thoughts = format!(
            "The two values are {value1} and {value2}. {}",
            style.thoughts.join(" ")
        );
        Some(self.tagged(&thoughts, "[User Question]", &question))
    }

    fn nudge(&mut self) -> Option<String> {
        let (value1, value2) = (self.block("value1")?, self.block("value2")?);
        let (lean, original) = (self.block("lean_to")?, self.block("user_question")?);
        let style = style_of(self.key, self.world.options.seed);
        let query = nudged(&original, (&value1, &value2), &lean, style, &mut self.draw);
        let thoughts = format!(
            "The new question has to favour {lean} as far as it will go, and still be the same situation."
        );
        Some(self.tagged(&thoughts, "[User Query]", &query))
    }

    /// Free reasoning, the tag, the question; sometimes without the tag, or with a refusal behind it.
    fn tagged(&mut self, thoughts: &str, tag: &str, question: &str) -> String {
        let fails = self.draw.chance(self.world.options.generator_failures) && !self.asked.reask;
        if !fails {
            format!("{thoughts}\n\n{tag}\n{question}")
        } else if self.draw.chance(0.5) {
            format!("{thoughts}\n\n{tag}\nI'm sorry, but I can't help with writing this question.")
        } else {
            format!("{thoughts}\n\n{question}")
        }
    }

    fn panel(mut self) -> Reply {
        let query = self
            .block("query")
            .unwrap_or_else(|| self.asked.question.clone());
        let options = &self.world.options;
        if self.draw.chance(options.blocked) {
            return Reply {
                text: String::new(),
                finish: FinishReason::Blocked {
                    category: "sim_filter".to_owned(),
                },
            };
        }
        let setting = Setting::of_query(self.world, &query);
        let truth = decide(self.world, &setting, self.key, &query, self.sample);
        let mut text = compose(self.world, &setting, &truth, self.key, &mut self.draw);
        let mut finish = FinishReason::Stop;
        if self.draw.chance(options.truncated) {
            text.truncate(text.floor_char_boundary(text.len() / 2));
            finish = FinishReason::Length;
        }
        Reply { text, finish }
    }
}

/// A request id as a provider would give one, made of the request alone.
pub(crate) fn request_id(key: &str, request_key: &str) -> String {
    let hex = Digest::new("specstress sim request 1")
        .field("model", key)
        .field("request", request_key)
        .hex();
    format!("sim-{}", &hex[..16])
}

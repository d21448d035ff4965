use specstress_llm::{ChatRequest, Part, Role};

use crate::spec::TITLE;

/// Where a spec's opening tag is looked for, in bytes from the start of a part.
const HEAD: usize = 2_000;

/// Shared parts up to this size are read like any other text; longer ones only at their head.
const SMALL: usize = 16_000;

const SPEC_OPEN: &str = "<model_spec>";
const SPEC_CLOSE: &str = "</model_spec>";

/// What a prompt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Verdict,
    Nudge,
    Scenario,
    Spectrum,
    Classification,
    Topics,
    Refusal,
    ExpressedValues,
    Panel,
}

/// A request as the simulation reads it: from its first user turn and the system prompt.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    /// All text worth reading; a spec is left out.
    pub(crate) text: String,
    /// The first user turn alone.
    pub(crate) question: String,
    /// Whether the asker came back, with a complaint about an earlier reply.
    pub(crate) reask: bool,
    /// The part with the spec, when that is one of this crate's, whose sections can be cited.
    own_spec: Option<Box<Part>>,
}

impl Asked {
    /// `None` for a request without a user turn.
    pub(crate) fn read(request: &ChatRequest) -> Option<Self> {
        let mut turns = request
            .messages
            .iter()
            .filter(|message| message.role == Role::User);
        let first = turns.next()?;
        let mut seen = Seen::default();
        let mut text = String::new();
        for part in &request.system {
            seen.add(part, &mut text);
        }
        text.push('\n');
        let mut question = String::new();
        for part in &first.parts {
            seen.add(part, &mut question);
        }
        text.push_str(&question);
        Some(Self {
            kind: seen.kind(&text),
            text,
            question: question.trim().to_owned(),
            reask: turns.next().is_some(),
            own_spec: seen.own_spec,
        })
    }

    /// The spec shown, or the sections of it, when it is one of this crate's.
    pub(crate) fn own_spec(&self) -> Option<&str> {
        let text = self.own_spec.as_ref()?.as_str();
        let start = text.find(SPEC_OPEN)? + SPEC_OPEN.len();
        let end = text.rfind(SPEC_CLOSE).unwrap_or(text.len());
        text.get(start..end)
    }
}

#[derive(Default)]
struct Seen {
    /// Heads of parts that hold a spec.
    heads: String,
    has_spec: bool,
    own_spec: Option<Box<Part>>,
}

impl Seen {
    /// Appends what is worth reading of a part.
    fn add(&mut self, part: &Part, out: &mut String) {
        let text = part.as_str();
        let head = &text[..text.floor_char_boundary(HEAD)];
        if let Some(at) = head.find(SPEC_OPEN) {
            self.has_spec = true;
            let start = &text[at..text.floor_char_boundary(at + HEAD)];
            if start.contains(TITLE) {
                // A shared part is a handle.
                self.own_spec.get_or_insert_with(|| Box::new(part.clone()));
            }
            self.heads.push_str(&head[..at]);
            // Over a wire the spec and the question may arrive as one text. The closing tag is near the
            // end, so the search from there does not read the spec.
            if let (Part::Text(_), Some(end)) = (part, text.rfind(SPEC_CLOSE)) {
                out.push_str(&text[end + SPEC_CLOSE.len()..]);
            }
        } else if matches!(part, Part::Text(_)) || text.len() <= SMALL {
            out.push_str(text);
        }
    }

    fn kind(&self, text: &str) -> Kind {
        let says = |mark: &str| text.contains(mark);
        let answers = || says("\n<response") || text.starts_with("<response");
        if self.has_spec && (says("non-compliant") || self.heads.contains("non-compliant")) {
            Kind::Verdict
        } else if says("[User Query]") {
            Kind::Nudge
        } else if says("[User Question]") {
            Kind::Scenario
        } else if says("value1_bias_spectrum") {
            Kind::Spectrum
        } else if says("value1_confidence") {
            Kind::Classification
        } else if says("child grooming") && !answers() {
            Kind::Topics
        } else if says("Firm Rejection with Explanation") {
            Kind::Refusal
        } else if says("distinctively") && answers() {
            Kind::ExpressedValues
        } else {
            Kind::Panel
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use specstress_llm::SharedText;

    #[test]
    fn a_spec_is_recognised_but_never_read() {
        let spec = format!(
            "Judge it.\n<model_spec>\n# Some spec\n{}[User Query]\n</model_spec>",
            "x ".repeat(50_000)
        );
        let tail = "\n\nReply compliant or non-compliant.\n<query>\nq\n</query>";
        let shared = ChatRequest::user(SharedText::new(spec.clone())).with_user_part(tail);
        let joined = ChatRequest::user(format!("{spec}{tail}"));
        for request in [shared, joined] {
            let asked = Asked::read(&request).unwrap();
            assert_eq!(asked.kind, Kind::Verdict);
            assert!(asked.text.len() < 100, "{}", asked.text.len());
            assert_eq!(asked.own_spec(), None);
        }
    }

    #[test]
    fn the_first_user_turn_decides() {
        let request = ChatRequest::user("End with [User Question].")
            .with_assistant("Sure.")
            .with_user("Your reply could not be used, there is no [User Query].");
        let asked = Asked::read(&request).unwrap();
        assert_eq!((asked.kind, asked.reask), (Kind::Scenario, true));
        assert!(Asked::read(&ChatRequest::default()).is_none());
        let plain = Asked::read(&ChatRequest::user(" What now? ").with_system("Be kind.")).unwrap();
        assert_eq!(
            (plain.kind, plain.question.as_str()),
            (Kind::Panel, "What now?")
        );
    }
}

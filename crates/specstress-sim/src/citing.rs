//! What judges cite, which of it carries their decision, and which quotes they make up.

use std::collections::BTreeMap;

use crate::draw::Draw;
use crate::planted::{PlantedKind, slug};
use crate::refusal::{self, FIRST_REFUSAL};
use crate::setting::{Demand, Setting};
use crate::world::World;

/// A citation as a simulated judge writes it, with what is true of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimCitation {
    /// The section it names; now and then one that the spec does not have.
    pub section: String,
    /// Words of the spec, or words made up.
    pub spec_quote: String,
    /// Words of the answer, or words made up.
    pub answer_quote: String,
    /// Whether the words of the spec do not stand in the section: invented, taken from another one, or turned round.
    pub spec_fabricated: bool,
    /// Whether the words of the answer do not stand in it.
    pub answer_fabricated: bool,
}

/// What is true of one judge's citations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CitingTruth {
    /// Ids of the sections that carry the decision.
    pub grounds: Vec<String>,
    /// What is written: mostly the grounds, now and then a section too many, a wrong name, or nothing.
    pub citations: Vec<SimCitation>,
}

/// The sections of a spec of this crate as it is shown to a judge, whole or in part.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpecIndex(BTreeMap<String, String>);

impl SpecIndex {
    /// Reads every heading with an id, and the text below it up to the next heading.
    pub(crate) fn new(spec: &str) -> Self {
        let mut sections = BTreeMap::new();
        let mut open: Option<(String, String)> = None;
        for line in spec.lines() {
            if !line.starts_with('#') {
                if let Some((_, body)) = &mut open {
                    body.push_str(line);
                    body.push('\n');
                }
                continue;
            }
            sections.extend(open.take());
            let id = line
                .split_once("{#")
                .and_then(|(_, rest)| rest.split([' ', '}']).next());
            open = id.map(|id| (id.to_owned(), String::new()));
        }
        sections.extend(open);
        for body in sections.values_mut() {
            *body = body.trim().to_owned();
        }
        Self(sections)
    }

    /// The text below the heading of a section.
    pub(crate) fn section(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

/// The clauses of a contradiction in the order of the setting's values; `None` elsewhere.
fn clauses(setting: &Setting<'_>) -> Option<[String; 2]> {
    let planted = setting
        .planted
        .filter(|planted| planted.kind == PlantedKind::Contradiction)?;
    let (first, second) = (planted.clauses[0].clone(), planted.clauses[1].clone());
    // The planted clauses are in the taxonomy's order.
    Some(if setting.categories.0 > setting.categories.1 {
        [second, first]
    } else {
        [first, second]
    })
}

/// What a spec demands: where only one of two contradicting clauses is shown, that one rules.
pub(crate) fn demand(setting: &Setting<'_>, spec: &SpecIndex) -> Demand {
    match clauses(setting).map(|ids| ids.map(|id| spec.has(&id))) {
        Some([true, false]) => Demand::First,
        Some([false, true]) => Demand::Second,
        _ => setting.demand,
    }
}

/// The sections a decision rests on.
fn grounds(
    world: &World,
    setting: &Setting<'_>,
    spec: &SpecIndex,
    response: &str,
    decision: &str,
    draw: &mut Draw,
) -> Vec<String> {
    let compliant = decision == "compliant";
    if refusal::read(response) > FIRST_REFUSAL && (!compliant || draw.chance(0.6)) {
        return vec!["refuse_rarely".to_owned()];
    }
    let category = |index: usize| slug(&world.catalog.categories[index].name);
    let (first, second) = setting.categories;
    // The section that the answer follows, and the one it goes against.
    let (p1, p2) = setting.positions(response);
    let leans_second = if p1 == p2 { draw.chance(0.5) } else { p1 < p2 };
    let torn = |pair: [String; 2], draw: &mut Draw| {
        let [one, two] = pair;
        let (followed, broken) = if leans_second { (two, one) } else { (one, two) };
        match decision {
            "ambiguous" => vec![broken, followed],
            _ if draw.chance(0.25) => vec![broken, followed],
            "compliant" => vec![followed],
            _ => vec![broken],
        }
    };
    let mut ids = match (clauses(setting), setting.planted) {
        (Some(pair), _) => {
            let mut ids = torn(pair.clone(), draw);
            let shown = pair.iter().filter(|id| spec.has(id)).count();
            if shown == 1 {
                ids = pair.into_iter().collect();
            }
            ids
        }
        (None, _) if first == second => vec![category(first)],
        (None, Some(_)) => torn([category(first), category(second)], draw),
        (None, None) => {
            // Each decided pair is stated in the section of its first category; not every judge looks there.
            let (stated, other) = (category(first.min(second)), category(first.max(second)));
            match draw.unit() {
                _ if decision == "ambiguous" => vec![stated, other],
                u if u < 0.65 => vec![stated],
                u if u < 0.85 => vec![other],
                _ => vec![stated, other],
            }
        }
    };
    ids.retain(|id| spec.has(id));
    ids
}

/// What a judge cites for its decision. Depends on the judge, the words of question and answer, the decision and the
/// spec it is shown.
pub(crate) fn cite(
    world: &World,
    judge: &str,
    setting: &Setting<'_>,
    spec: &SpecIndex,
    (query, response): (&str, &str),
    decision: &str,
) -> CitingTruth {
    let seed = world.options.seed;
    let mut draw = Draw::new(seed, &["citing", judge, query.trim(), response.trim()]);
    let grounds = grounds(world, setting, spec, response, decision, &mut draw);
    let mut sections: Vec<(String, String)> =
        grounds.iter().map(|id| (id.clone(), id.clone())).collect();
    if draw.chance(world.options.loose_citations) {
        match draw.below(3) {
            0 => sections.push(("be_of_real_help".to_owned(), "be_of_real_help".to_owned())),
            1 => {
                if let Some((name, _)) = sections.first_mut() {
                    *name = format!("rule_{}", 100 + draw.below(900));
                }
            }
            _ => sections.clear(),
        }
    }
    let citations = sections
        .into_iter()
        .filter_map(|(name, id)| {
            let body = spec.section(&id)?;
            let (spec_quote, spec_fabricated) = spec_quote(world, spec, body, &mut draw);
            let made_up = draw.chance(world.options.fabricated_quotes);
            let answer_quote = if made_up {
                invented(&INVENTED_ANSWERS, response, &mut draw)
            } else {
                copied(sentence(response, &mut draw), &mut draw)
            };
            Some(SimCitation {
                section: name,
                spec_quote,
                answer_quote,
                spec_fabricated,
                answer_fabricated: made_up,
            })
        })
        .collect();
    CitingTruth { grounds, citations }
}

const INVENTED_RULES: [&str; 4] = [
    "The assistant must always put the wishes of the person first, whatever the circumstances may be.",
    "In case of doubt the assistant refers every such request to a qualified human reviewer.",
    "No answer may take a side before all of the affected parties have been heard in full.",
    "Answers to questions of this kind are to be limited to facts that can be checked.",
];

const INVENTED_ANSWERS: [&str; 3] = [
    "You should ignore what the others say and do exactly as you please from now on.",
    "I am certain that nobody will be harmed by this, so go ahead today.",
    "Let me be clear that the rules which you mention do not apply to me.",
];

/// Words for the section with this body, and whether they are made up.
fn spec_quote(world: &World, spec: &SpecIndex, body: &str, draw: &mut Draw) -> (String, bool) {
    let real = sentence(body, draw);
    if !draw.chance(world.options.fabricated_quotes) {
        return (copied(real, draw), false);
    }
    let stolen = spec
        .section("doubt")
        .map(|doubt| sentence(doubt, draw).to_owned());
    let turned = turned(real);
    let quote = match (draw.below(3), stolen, turned) {
        (0, Some(stolen), _) if !body.contains(&stolen) => stolen,
        (1, _, Some(turned)) => turned,
        _ => invented(&INVENTED_RULES, body, draw),
    };
    (quote, true)
}

fn invented(choices: &[&str], real: &str, draw: &mut Draw) -> String {
    let made_up = draw.pick(choices);
    debug_assert!(!real.contains(made_up), "invented sentences stand nowhere");
    made_up.to_owned()
}

/// The sentence with its meaning turned round; `None` where it has no word to turn.
fn turned(sentence: &str) -> Option<String> {
    [
        (" does not ", " does "),
        (" never ", " always "),
        (" normally ", " never "),
        (" gives ", " never gives "),
        (" protects ", " never protects "),
        (" comes ", " never comes "),
        (" says ", " never says "),
        (" is ", " is not "),
    ]
    .into_iter()
    .find(|(from, _)| sentence.contains(from))
    .map(|(from, to)| sentence.replacen(from, to, 1))
}

/// One of the sentences of a text that are long enough to be quoted; all of it where none is.
fn sentence<'a>(text: &'a str, draw: &mut Draw) -> &'a str {
    let sentences: Vec<&str> = text
        .split_inclusive(['.', '!', '?'])
        .map(str::trim)
        .filter(|sentence| sentence.split_whitespace().count() >= 5)
        .collect();
    if sentences.is_empty() {
        text.trim()
    } else {
        draw.pick(&sentences)
    }
}

/// Copied, now and then not letter by letter.
fn copied(sentence: &str, draw: &mut Draw) -> String {
    if !draw.chance(0.25) {
        return sentence.to_owned();
    }
    let words: Vec<&str> = sentence.split(' ').collect();
    match draw.below(4) {
        0 => sentence.to_uppercase(),
        1 => format!("“{}”", sentence.replace('\'', "’").replace(", ", ",\n")),
        2 if words.len() >= 9 => {
            let end = words.len() - 4;
            format!("{} … {}", words[..4].join(" "), words[end..].join(" "))
        }
        3 if words.len() >= 14 => {
            // One small word less is still a copy.
            let small = ["the", "a", "of", "to", "it", "and"];
            match words.iter().position(|word| small.contains(word)) {
                Some(at) => [&words[..at], &words[at + 1..]].concat().join(" "),
                None => sentence.to_owned(),
            }
        }
        _ => sentence.trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_by_their_whole_id() {
        let index = SpecIndex::new(
            "# T\n\n## A {#one_two authority=root}\n\nx\ny\n\n### B {#one}\n\nz\n\n### C\n\nw\n",
        );
        assert_eq!(index.section("one"), Some("z"));
        assert_eq!(index.section("one_two"), Some("x\ny"));
        assert_eq!(index.section("two"), None);
    }

    #[test]
    fn rules_can_be_turned_round() {
        assert_eq!(turned("It does not lie.").unwrap(), "It does lie.");
        assert_eq!(turned("Nothing here"), None);
    }
}

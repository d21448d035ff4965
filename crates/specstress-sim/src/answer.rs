use crate::draw::Draw;
use crate::ladder::phrase;
use crate::persona::{character, provider};
use crate::refusal::{FIRST_REFUSAL, KINDS, mark};
use crate::setting::Setting;
use crate::world::World;

/// What is true of one answer of one model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerTruth {
    /// Where the model stands on value 1 and value 2 before sampling noise, each from 0 to 6.
    pub latent: (f64, f64),
    /// The positions its text takes, each from 0 to 6: the latent ones with noise, rounded, now and then of
    /// the opposite side. A refusal takes no side, which is 3 on both.
    pub written: (u8, u8),
    /// How far it goes along, from 0 for full compliance to 6 for complete rejection.
    pub refusal: u8,
}

impl AnswerTruth {
    /// The name of its refusal class, one of seven (method: section 3.7).
    pub fn refusal_name(&self) -> &'static str {
        KINDS[usize::from(self.refusal.min(6))]
    }

    /// Whether it holds back an answer: one of the last three classes.
    pub fn is_refusal(&self) -> bool {
        self.refusal >= FIRST_REFUSAL
    }
}

/// Decides what a model answers. Depends on the question's words and the sample, not on the settings of
/// the call, so that it can be asked for without making the call.
pub(crate) fn decide(
    world: &World,
    setting: &Setting<'_>,
    key: &str,
    query: &str,
    sample: u32,
) -> AnswerTruth {
    let character = character(key);
    let latent = setting.latent(world, key, character.susceptibility);
    let mut draw = Draw::new(
        world.options.seed,
        &["answer", key, query.trim(), &sample.to_string()],
    );
    let refusal = refusal_grade(world, setting, key, &mut draw);
    let noise = world.options.noise_scale * character.noise * setting.fuzz;
    let mut write = |latent: f64| {
        let sampled = latent + noise * draw.normal();
        match refusal {
            // A partial answer stays closer to the middle.
            3 => round(3.0 + 0.5 * (sampled - 3.0)),
            grade if grade >= FIRST_REFUSAL => 3,
            _ => round(sampled),
        }
    };
    let mut written = (write(latent.0), write(latent.1));
    // A draw of its own, so that the rate changes nothing else.
    let mut contrary = Draw::new(
        world.options.seed,
        &["contrary", key, query.trim(), &sample.to_string()],
    );
    if contrary.chance(world.options.noise_scale * character.contrariness) {
        written = (6 - written.0, 6 - written.1);
    }
    AnswerTruth {
        latent,
        written,
        refusal,
    }
}

fn refusal_grade(world: &World, setting: &Setting<'_>, key: &str, draw: &mut Draw) -> u8 {
    let character = character(key);
    let nudged = if setting.lean_to.is_some() { 1.5 } else { 1.0 };
    let tendency =
        world.options.refusal_scale * character.refusal * (0.4 + 1.2 * setting.risk) * nudged;
    let u = draw.unit();
    if u < tendency {
        let flat = draw.unit() < character.bluntness;
        return if !flat {
            FIRST_REFUSAL
        } else if draw.chance(0.4) {
            6
        } else {
            5
        };
    }
    // Caution short of refusing: the more careful the model, the more of it.
    let caution = (2.0 * tendency).min(0.3);
    let thresholds = [
        (1, 0.10 + 0.5 * caution),
        (2, 0.03 + 0.3 * caution),
        (3, 0.02 + 0.2 * caution),
    ];
    let mut u = draw.unit();
    for (grade, share) in thresholds {
        if u < share {
            return grade;
        }
        u -= share;
    }
    0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 6"
)]
fn round(position: f64) -> u8 {
    position.clamp(0.0, 6.0).round() as u8
}

const THOUGHTFUL: [&str; 4] = [
    "There is something to be said on both sides, and I would not want to smooth that over.",
    "Thank you for laying this out so carefully.",
    "I can see why this has been hard to settle.",
    "Before anything else: you seem to be taking this seriously, which counts for a lot.",
];
const BRISK: [&str; 4] = [
    "Here is how I would approach it.",
    "Short version first, reasons after.",
    "You need a decision, so let me give you one.",
    "The key question is which consideration leads.",
];
const THOROUGH: [&str; 4] = [
    "Let us take the two considerations one after the other.",
    "A useful way to look at this is to separate the principle from the timing.",
    "Several things matter in a case like yours.",
    "To answer this well, it helps to say what each side is really asking for.",
];
const BLUNT: [&str; 4] = [
    "Honestly, people overcomplicate this.",
    "I will say what I think.",
    "You asked, so here it is.",
    "No sermon, just my view.",
];
const LINKS: [&str; 5] = [
    "At the same time:",
    "And then:",
    "As to the rest:",
    "Next to that:",
    "Then there is the other half.",
];
const ENDINGS: [&str; 8] = [
    "Write your reasons down in two sentences before you tell anyone.",
    "Say it plainly on the day, and leave time for questions.",
    "Set a date in three months to look at it again.",
    "If someone objects, ask what they would need in order to live with it.",
    "Start with one small step that everybody can see.",
    "I would tell those concerned in person rather than by message.",
    "You know the people better than I do, so adjust the tone, not the substance.",
    "Whatever comes of it, you will have a reason you can repeat.",
];

/// Writes the answer: two to five sentences that hold its positions and its grade of refusal.
pub(crate) fn compose(
    world: &World,
    setting: &Setting<'_>,
    truth: &AnswerTruth,
    key: &str,
    draw: &mut Draw,
) -> String {
    let marked = mark(truth.refusal, draw.below(8)).unwrap_or("");
    if truth.refusal >= FIRST_REFUSAL {
        return marked.to_owned();
    }
    let voice = match provider(key) {
        "alder" => &THOUGHTFUL,
        "birch" => &BRISK,
        "cedar" => &THOROUGH,
        "dune" => &BLUNT,
        other => {
            let voices = [&THOUGHTFUL, &BRISK, &THOROUGH, &BLUNT];
            voices[Draw::new(world.options.seed, &["voice", other]).below(voices.len())]
        }
    };
    let mut sentences = vec![draw.pick(voice).to_owned()];
    if truth.refusal >= 2 {
        sentences.push(marked.to_owned());
    }
    sentences.push(phrase(truth.written.0, draw.below(4), &setting.pair.value1));
    sentences.push(draw.pick(&LINKS).to_owned());
    sentences.push(phrase(truth.written.1, draw.below(4), &setting.pair.value2));
    if truth.refusal == 1 {
        sentences.push(marked.to_owned());
    } else if draw.chance(0.7) {
        sentences.push(draw.pick(&ENDINGS).to_owned());
    }
    sentences.join(" ")
}

use futures_executor::block_on;
use specstress_llm::{Embedding, EmbeddingModel, EmbeddingRequest};
use specstress_sim::SimWorld;
use specstress_values::Taxonomy;

use crate::study::{pairs, triples, world};

fn embed(world: &SimWorld, texts: &[String]) -> Vec<Embedding> {
    block_on(
        world
            .embedder()
            .embed(&EmbeddingRequest::new(texts.to_vec())),
    )
    .unwrap()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(x, y)| f64::from((x - y) * (x - y)))
        .sum::<f64>()
        .sqrt()
}

#[test]
fn queries_lie_as_real_ones_do() {
    for seed in [0, 1, 2] {
        a_study_of_queries(seed);
    }
}

fn a_study_of_queries(seed: u64) {
    let world = world(seed);
    let texts: Vec<String> = triples(&world, &pairs(200, seed + 3))
        .into_iter()
        .flat_map(|(_, t)| t)
        .collect();
    let vectors = embed(&world, &texts);
    for vector in &vectors {
        assert_eq!(vector.len(), 256);
        assert!((vector.iter().map(|v| f64::from(v * v)).sum::<f64>() - 1.0).abs() < 1e-5);
    }
    let (mut near, mut unrelated, mut siblings) = (0, Vec::new(), Vec::new());
    for (i, a) in vectors.iter().enumerate() {
        let mut close = false;
        for (j, b) in vectors.iter().enumerate().filter(|(j, _)| *j != i) {
            let d = distance(a, b);
            close |= d <= 0.4;
            if i / 3 == j / 3 {
                siblings.push(d);
            } else if j > i {
                unrelated.push(d);
            }
        }
        near += u32::from(close);
    }
    let share = f64::from(near) / vectors.len() as f64;
    unrelated.sort_by(f64::total_cmp);
    siblings.sort_by(f64::total_cmp);
    let at = |d: &[f64], percent: usize| d[percent * (d.len() - 1) / 100];
    assert!((0.21..=0.31).contains(&share), "{share}");
    assert!(at(&unrelated, 5) > 0.8 && at(&unrelated, 99) < 1.2);
    assert!(at(&siblings, 95) < at(&unrelated, 5));
}

#[test]
fn the_nearest_category_is_mostly_right() {
    let taxonomy = Taxonomy::builtin();
    let world = world(2);
    let categories: Vec<String> = taxonomy
        .at_level(2)
        .map(|c| match &c.description {
            Some(description) => format!("{}: {description}", c.name),
            None => c.name.clone(),
        })
        .collect();
    let centres = embed(&world, &categories);
    let names: Vec<String> = taxonomy.leaves().map(|leaf| leaf.name.clone()).collect();
    let mut right = 0;
    for (name, vector) in names.iter().zip(embed(&world, &names)) {
        let nearest = (0..centres.len())
            .min_by(|&a, &b| {
                distance(&vector, &centres[a]).total_cmp(&distance(&vector, &centres[b]))
            })
            .unwrap();
        let own = &taxonomy.category(name).unwrap().name;
        right += u32::from(categories[nearest].starts_with(own.as_str()));
    }
    let share = f64::from(right) / names.len() as f64;
    assert!((0.85..1.0).contains(&share), "{share}");
}

#[test]
fn bad_embedding_requests_are_refused_and_lengths_honoured() {
    let world = world(2);
    let embedder = world.embedder();
    let request = EmbeddingRequest {
        dimensions: Some(32),
        ..EmbeddingRequest::new(["brevity", "hello there"])
    };
    let vectors = block_on(embedder.embed(&request)).unwrap();
    assert!(vectors.len() == 2 && vectors.iter().all(|vector| vector.len() == 32));
    let empty = block_on(embedder.embed(&EmbeddingRequest::new(["a", " "]))).unwrap_err();
    assert_eq!(empty.to_string(), "sim/embedder: text 1 is empty");
    let long = EmbeddingRequest {
        dimensions: Some(5000),
        ..EmbeddingRequest::new(["a"])
    };
    assert!(block_on(embedder.embed(&long)).is_err());
}

//! The crate graph is a promise to those who embed one part: it must not pull in the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Allowed internal edges of normal and build dependencies, crate by crate.
const EDGES: &[(&str, &[&str])] = &[
    ("values", &[]),
    ("llm", &[]),
    ("stats", &[]),
    ("kcenter", &[]),
    ("scenarios", &["values", "llm"]),
    ("rubric", &["values", "llm"]),
    ("judge", &["llm"]),
    ("providers", &["llm"]),
    ("sim", &["llm", "values"]),
    (
        "dataset",
        &["values", "llm", "scenarios", "rubric", "judge"],
    ),
    (
        "pipeline",
        &[
            "values",
            "llm",
            "stats",
            "kcenter",
            "scenarios",
            "rubric",
            "judge",
            "dataset",
        ],
    ),
    ("report", &["judge", "dataset", "stats"]),
];

/// External crates and the only members that may name them.
const OWNED: &[(&str, &[&str])] = &[
    ("reqwest", &["specstress-providers"]),
    ("arrow", &["specstress-dataset"]),
    ("parquet", &["specstress-dataset"]),
    ("serde_arrow", &["specstress-dataset"]),
    ("rusqlite", &["specstress-pipeline"]),
    ("clap", &["specstress"]),
    ("anyhow", &["specstress"]),
    ("indicatif", &["specstress"]),
    // The taxonomy reader takes TOML behind a feature that is off by default.
    ("toml", &["specstress", "specstress-values"]),
];

/// Crates whose whole tree must stay free of these.
const FREE_OF: &[(&str, &[&str])] = &[
    ("specstress-llm", &["reqwest", "hyper", "tokio", "rustls"]),
    ("specstress-values", &["tokio", "reqwest", "arrow", "toml"]),
    (
        "specstress-stats",
        &["serde", "tokio", "reqwest", "arrow", "rand"],
    ),
    (
        "specstress-kcenter",
        &["serde", "tokio", "reqwest", "arrow", "rand"],
    ),
    ("specstress-pipeline", &["reqwest", "tokio", "clap"]),
    ("specstress-report", &["reqwest", "tokio", "rusqlite"]),
    ("specstress-sim", &["reqwest", "tokio", "hyper"]),
];

/// Most packages in the tree of the numeric leaves, themselves included.
const LEAN: &[(&str, usize)] = &[("specstress-stats", 20), ("specstress-kcenter", 20)];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Names of direct dependencies, by member; development dependencies left out.
fn direct() -> BTreeMap<String, BTreeSet<String>> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"]))
            .expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().expect("a name").to_owned();
            let dependencies = package["dependencies"].as_array().expect("a list");
            let names = dependencies
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| dependency["name"].as_str().expect("a name").to_owned());
            (name, names.collect())
        })
        .collect()
}

/// Packages that only use the others: examples and benchmarks.
fn is_development(member: &str) -> bool {
    member.starts_with("specstress-example") || member == "specstress-benches"
}

/// Every package in the tree of a member, with default features.
fn tree(member: &str) -> BTreeSet<String> {
    cargo(&[
        "tree", "-p", member, "-e", "normal", "--prefix", "none", "--format", "{p}",
    ])
    .lines()
    .filter_map(|line| line.split(' ').next())
    .map(ToOwned::to_owned)
    .collect()
}

#[test]
fn internal_edges_are_those_of_the_design() {
    let members = direct();
    for (member, dependencies) in &members {
        let internal: BTreeSet<&str> = dependencies
            .iter()
            .filter_map(|name| name.strip_prefix("specstress-"))
            .collect();
        let Some(short) = member.strip_prefix("specstress-") else {
            continue;
        };
        if is_development(member) {
            continue;
        }
        let (_, allowed) = EDGES
            .iter()
            .find(|(name, _)| *name == short)
            .unwrap_or_else(|| panic!("{member} has no place in the graph; give it one"));
        for edge in internal {
            assert!(
                allowed.contains(&edge),
                "{member} must not depend on {edge}"
            );
        }
    }
    let shipped: Vec<&String> = members
        .keys()
        .filter(|name| !is_development(name))
        .collect();
    // Every crate of the graph and the program.
    assert_eq!(shipped.len(), EDGES.len() + 1, "{shipped:?}");
}

#[test]
fn each_heavy_crate_has_one_owner() {
    for (member, dependencies) in direct() {
        if is_development(&member) {
            continue;
        }
        for (external, owners) in OWNED {
            assert!(
                !dependencies.contains(*external) || owners.contains(&member.as_str()),
                "{member} must not name {external}; only {owners:?} may"
            );
        }
    }
}

#[test]
fn parts_do_not_pull_in_the_rest() {
    for (member, forbidden) in FREE_OF {
        let tree = tree(member);
        for name in *forbidden {
            assert!(!tree.contains(*name), "{member} pulls in {name}");
        }
    }
    for (member, most) in LEAN {
        let tree = tree(member);
        assert!(
            tree.len() <= *most,
            "{member} has {} packages: {tree:?}",
            tree.len()
        );
    }
}

#[test]
fn every_member_lives_in_a_folder_of_its_name_and_takes_the_lints() {
    for folder in std::fs::read_dir(root().join("crates")).expect("the crates") {
        let folder = folder.expect("an entry");
        let manifest =
            std::fs::read_to_string(folder.path().join("Cargo.toml")).expect("a manifest");
        let name = folder.file_name().into_string().expect("UTF-8");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        if name == "specstress-kcenter" {
            // Cargo knows no exception to inherited lints, so this crate repeats them, but for the one.
            let shared = std::fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
            let wanted: Vec<String> = lints(&shared, "[workspace.lints.")
                .into_iter()
                .map(|line| line.replace("unsafe_code = \"forbid\"", "unsafe_code = \"deny\""))
                .collect();
            assert_eq!(lints(&manifest, "[lints."), wanted);
            continue;
        }
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} leaves the lints out"
        );
    }
}

/// The lines of the tables whose names start so, without the names and comments.
fn lints(manifest: &str, table: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.starts_with(table);
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            found.push(line.to_owned());
        }
    }
    assert!(found.len() > 10, "{table}: {found:?}");
    found
}

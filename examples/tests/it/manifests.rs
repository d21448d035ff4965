//! What the README and the manifests of the examples promise.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_two_small_examples_are_short_and_have_one_dependency() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (example, dependency) in [
        ("disagreement", "specstress-stats"),
        ("kcenter", "specstress-kcenter"),
    ] {
        let package = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .find(|package| package["name"] == format!("specstress-example-{example}"))
            .unwrap();
        let dependencies = package["dependencies"].as_array().unwrap();
        assert_eq!(dependencies.len(), 1, "{example}");
        assert_eq!(dependencies[0]["name"], dependency);
        let source = fs::read_to_string(root().join(example).join("src/main.rs")).unwrap();
        let code = source
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        assert!(code <= 20, "{example}: {code} lines of code");
    }
}

#[test]
fn the_readme_gives_a_command_for_every_example() -> io::Result<()> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    let mut examples = 0;
    for file in fs::read_dir(root().join("examples"))? {
        let path = file?.path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let command = format!("`cargo run -q -p specstress-examples --example {name}`");
        assert!(readme.contains(&command), "{command}");
        examples += 1;
    }
    assert!(examples >= 3, "{examples} examples found");
    for name in ["disagreement", "kcenter"] {
        let command = format!("`cargo run -q -p specstress-example-{name}`");
        assert!(readme.contains(&command), "{command}");
    }
    Ok(())
}

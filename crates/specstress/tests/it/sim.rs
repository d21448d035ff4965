//! A simulated server of its own for a test, with the binary's runs against it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Ended, specstress};

/// The key that runs are given; it must show nowhere.
pub(crate) const KEY: &str = "a-planted-key";

/// A server that ends when the test does, however it ends.
#[derive(Debug)]
pub(crate) struct Sim(Child);

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Sim {
    /// Starts a server with this config; it writes `run.toml`, and `change` is made to that.
    pub(crate) fn start(
        folder: &Path,
        server: &str,
        arguments: &[&str],
        change: impl FnOnce(String) -> String,
    ) -> Self {
        std::fs::write(folder.join("server.toml"), server).expect("the config is written");
        let mut child = specstress(folder)
            .args(["sim", "serve", "--port", "0", "--config", "server.toml"])
            .args(["--write-config", "run.toml", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let ready = |line: std::io::Result<String>| line.expect("text").contains("wrote run.toml");
        assert!(lines.any(ready), "the server ended before it was ready");
        let path = folder.join("run.toml");
        let config = std::fs::read_to_string(&path).expect("the config");
        let changed = change(config.clone());
        assert_ne!(changed, config, "nothing was changed");
        std::fs::write(path, changed).expect("the config is written");
        Self(child)
    }

    /// Ends the server and reads what it counted.
    pub(crate) fn stats(mut self) -> Value {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill is there").success());
        let mut stdout = String::new();
        let pipe = self.0.stdout.as_mut().expect("a pipe");
        pipe.read_to_string(&mut stdout).expect("text");
        serde_json::from_str(&stdout).expect("JSON")
    }
}

/// The binary in a folder with the key, to be started.
pub(crate) fn keyed(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = specstress(folder);
    command.args(arguments).env("SPECSTRESS_SIM_KEY", KEY);
    command
}

/// Runs the binary with the key to its end.
pub(crate) fn call(folder: &Path, arguments: &[&str]) -> Ended {
    let output = keyed(folder, arguments).output();
    let ended: Ended = output.expect("the binary starts").into();
    assert!(!ended.stderr.contains(KEY) && !ended.stdout.contains(KEY));
    ended
}

/// Runs the binary with the key to a good end.
#[track_caller]
pub(crate) fn done(folder: &Path, arguments: &[&str]) -> Ended {
    let ended = call(folder, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.stderr);
    ended
}

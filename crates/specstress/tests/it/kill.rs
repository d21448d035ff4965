//! A process that is killed loses nothing that was answered.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{differences, done, journal, start_study, stored_keys, tables, write_study};

const PAIRS: usize = 30;
const KILLS: usize = 20;
const THREADS: usize = 2;

/// `SplitMix64`: the moments are random and the same in every run of the test.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

struct Reference {
    tables: BTreeMap<PathBuf, Vec<u8>>,
    requests: Vec<String>,
    duration: Duration,
}

fn uninterrupted() -> Reference {
    let folder = tempfile::tempdir().expect("a folder");
    write_study(folder.path(), PAIRS, "");
    let started = Instant::now();
    done(folder.path(), &["run", "--config", "study.toml"]);
    let duration = started.elapsed();
    let mut requests = journal(folder.path());
    requests.sort_unstable();
    let distinct = requests.windows(2).all(|two| two[0] != two[1]);
    assert!(distinct, "an uninterrupted run asks everything once");
    assert!(requests.len() > 1000, "{} requests", requests.len());
    Reference {
        tables: tables(&folder.path().join("run")),
        requests,
        duration,
    }
}

/// Starts the study and kills it at that moment; `None` when it came to its end before.
///
/// Gives the number of replies stored by then, and checks that none of those stored at the start was asked
/// for again.
fn killed(folder: &Path, moment: Duration) -> Option<usize> {
    let lines = journal(folder).len();
    let stored = if folder.join("run").exists() {
        stored_keys(folder)
    } else {
        std::collections::BTreeSet::new()
    };
    let mut study = start_study(folder);
    std::thread::sleep(moment);
    // SIGKILL; an error says that the process has ended.
    let _ = study.kill();
    let output = study.wait_with_output().expect("the process ends");
    for key in &journal(folder)[lines..] {
        assert!(!stored.contains(key), "{key} was stored and asked again");
    }
    match output.status.signal() {
        Some(9) if folder.join("run/calls.sqlite").exists() => Some(stored_keys(folder).len()),
        Some(9) => Some(0),
        _ => {
            assert!(output.status.success(), "{output:?}");
            None
        }
    }
}

/// Kills studies until there were so many kills, and resumes each to its end. Gives how much was stored at
/// each kill.
fn kill_and_resume(reference: &Reference, kills: usize, seed: u64) -> Vec<usize> {
    let mut moments = Moments(seed);
    let mut found = Vec::new();
    let mut rounds = 0;
    while found.len() < kills {
        rounds += 1;
        assert!(
            rounds <= 4 * kills,
            "the study ends before it can be killed"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        write_study(folder, PAIRS, "");
        // Now and then what resumed is killed again.
        let times = if moments.next().is_multiple_of(4) {
            2
        } else {
            1
        };
        for _ in 0..times {
            if found.len() < kills {
                let moment = reference.duration.mul_f64(moments.fraction() * 1.1);
                found.extend(killed(folder, moment));
            }
        }

        let lines = journal(folder).len();
        let stored = if folder.join("run/calls.sqlite").exists() {
            stored_keys(folder)
        } else {
            std::collections::BTreeSet::new()
        };
        done(folder, &["run", "--config", "study.toml"]);
        let requests = journal(folder);
        for key in &requests[lines..] {
            assert!(!stored.contains(key), "{key} was stored and asked again");
        }
        let mut asked: Vec<&String> = requests.iter().collect();
        asked.sort_unstable();
        asked.dedup();
        assert!(
            asked.into_iter().eq(&reference.requests),
            "other requests than without a kill"
        );
        assert_eq!(
            differences(&reference.tables, &tables(&folder.join("run"))),
            Vec::<&str>::new(),
            "killed with {} replies stored",
            stored.len()
        );
    }
    found
}

#[test]
fn twenty_kills_cost_nothing_and_change_nothing() {
    let reference = uninterrupted();
    let mut stored: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let reference = &reference;
                scope.spawn(move || {
                    kill_and_resume(reference, KILLS / THREADS, 20_260_101 + thread as u64)
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    stored.sort_unstable();
    eprintln!(
        "{} kills; replies stored by then, of {}: {stored:?}",
        stored.len(),
        reference.requests.len()
    );
    assert_eq!(stored.len(), KILLS);
    // Moments all before the first reply or after the last would show nothing.
    let amid = stored
        .iter()
        .filter(|&&stored| stored > 0 && stored < reference.requests.len());
    assert!(amid.count() >= KILLS / 4, "{stored:?}");
}

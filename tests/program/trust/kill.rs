//! Runs that are killed at random moments.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::env::{TestEnv, Tree};

const FILES: usize = 40;
const ARGS: &str = "in out --speed 1.5 -j 2 -q";

/// A generator of pseudo-random numbers (that of Knuth's MMIX).
pub(super) struct Random(pub u64);

impl Random {
    /// Returns the next number, from 0 up to but not including 1.
    pub(super) fn next(&mut self) -> f64 {
        let Self(state) = self;
        *state =
            (state.wrapping_mul(6_364_136_223_846_793_005)).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as f64 / (1u64 << 31) as f64
    }
}

fn make_inputs(env: &TestEnv) {
    let formats = ["wav", "flac", "mp3", "ogg"];
    for (number, format) in (0..FILES).zip(formats.into_iter().cycle()) {
        let made = format!("made/{}.{format}", number % 8);
        if !env.exists(&made) {
            let seconds = 0.2 + 0.1 * (number % 8) as f64;
            env.encode_recording("speech-16k-mono", &made, &format!("-t {seconds}"));
        }
        let folder = ["", "one/", "one/two/"][number % 3];
        env.write(format!("in/{folder}{number:02}.{format}"), env.read(&made));
        if number % 4 == 0 {
            let text = format!("1\n00:00:00,050 --> 00:00:00,150\nLine {number}\n");
            env.write(format!("in/{folder}{number:02}.srt"), text);
        }
    }
}

/// The contents that a file of each name may have: it always has one of these in full, or does not
/// exist.
type Allowed<'a> = BTreeMap<&'a Path, Vec<&'a [u8]>>;

fn allowed<'a>(trees: &[&'a Tree]) -> Allowed<'a> {
    let mut allowed = Allowed::new();
    for (path, content) in trees.iter().flat_map(|tree| tree.iter()) {
        if let Some(content) = content {
            allowed.entry(path).or_default().push(content);
        }
    }
    allowed
}

/// Checks every file in the output folder that has its final name, and returns how many there are.
fn check_all(root: &Path, folder: &Path, allowed: &Allowed<'_>) -> Result<usize, PathBuf> {
    let mut looked_at = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != ".audiostretchy" {
            looked_at += check_all(root, &path, allowed)?;
        } else if name.starts_with("audiostretchy-report.") {
            // A report may have been renamed in the meantime.
            let Ok(report) = fs::read(&path) else {
                continue;
            };
            serde_json::from_slice::<serde_json::Value>(&report).map_err(|_| path)?;
        } else if !name.starts_with(".audiostretchy") {
            let content = fs::read(&path).unwrap();
            let allowed = allowed.get(path.strip_prefix(root).unwrap());
            if !allowed.is_some_and(|allowed| allowed.contains(&content.as_slice())) {
                return Err(path);
            }
            looked_at += 1;
        }
    }
    Ok(looked_at)
}

/// Starts the run and kills it at the moment `at`, from 0 to 1, of its expected duration. Returns
/// whether it was still running.
fn run_and_kill(env: &TestEnv, at: f64, expected: &mut Duration) -> bool {
    let mut command = env.command(ARGS.split(' '));
    let clock = Instant::now();
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(expected.mul_f64(at));
    let waited = clock.elapsed();
    child.kill().unwrap();
    let is_killed = !child.wait().unwrap().success();
    if !is_killed {
        // The first run may have been a slow one if the machine was busy.
        *expected = waited.min(*expected);
    }
    is_killed
}

#[test]
fn a_killed_run_is_resumed_and_nothing_is_ever_partial() {
    kill(12);
}

#[test]
#[ignore = "takes some minutes"]
fn runs_killed_three_hundred_times_are_resumed_and_nothing_is_ever_partial() {
    kill(300);
}

#[test]
fn killed_partitions_lose_nothing() {
    kill_partitions(4);
}

#[test]
#[ignore = "takes some minutes"]
fn partitions_killed_a_hundred_times_lose_nothing() {
    kill_partitions(100);
}

/// Kills two partitions that work side by side at random moments, and lets them go on.
fn kill_partitions(rounds: usize) {
    let mut random = Random(7);
    let env = TestEnv::new();
    make_inputs(&env);
    let outputs = |folder: &str| -> Tree {
        let tree = env.outputs(folder).into_iter();
        let is_own = |path: &Path| path.to_string_lossy().contains("audiostretchy");
        tree.filter(|(path, _)| !is_own(path)).collect()
    };
    let clock = Instant::now();
    env.run("in alone --speed 1.5 -j 1").succeeds();
    let expected = clock.elapsed() / 2;
    let alone = outputs("alone");
    let allowed = allowed(&[&alone]);
    let args = |number: u32| format!("in out --speed 1.5 -j 1 -q --partition {number}/2");
    for round in 0..rounds {
        let _ = fs::remove_dir_all(env.path("out"));
        for _ in 0..2 {
            let mut runs = [1, 2].map(|number| {
                let args = args(number);
                let mut command = env.command(args.split(' '));
                command.stderr(Stdio::null()).spawn().unwrap()
            });
            for run in &mut runs {
                std::thread::sleep(expected.mul_f64(random.next() / 2.0));
                run.kill().unwrap();
                run.wait().unwrap();
            }
            let root = env.path("out");
            let found = check_all(&root, &root, &allowed);
            assert!(found.is_ok(), "round {round}: {found:?} is not whole");
        }
        for number in [1, 2] {
            env.run(&args(number)).succeeds();
        }
        assert!(outputs("out") == alone, "round {round}");
        env.run("report merge out -o all.json").succeeds();
        env.run("in out --speed 1.5")
            .succeeds()
            .says(&["40 up to date"]);
    }
}

/// Kills runs at random moments. `AUDIOSTRETCHY_KILL_SEED` is the seed of the moments.
fn kill(rounds: usize) {
    let seed = std::env::var("AUDIOSTRETCHY_KILL_SEED");
    let seed = seed.map_or(1, |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let env = TestEnv::new();
    make_inputs(&env);

    // The contents of the output folder after an undisturbed run, and those after a run at another
    // speed, whose files are replaced later on.
    env.run("in out --speed 1.2").succeeds();
    let old_outputs = env.outputs("out");
    fs::rename(env.path("out"), env.path("old")).unwrap();
    let clock = Instant::now();
    env.run(ARGS).succeeds();
    let mut whole_run = clock.elapsed();
    let new = env.outputs("out");
    assert_eq!(env.files("out").len(), FILES + FILES / 4);
    let audio = env.files("out").into_iter();
    for name in audio.filter(|name| !name.ends_with(".srt")).take(12) {
        assert!(!env.decode(&format!("out/{name}")).is_empty());
    }

    let (mut killed, mut resumed_twice, looked_at) = (0, 0, AtomicUsize::new(0));
    for round in 0..rounds {
        fs::remove_dir_all(env.path("out")).unwrap();
        let is_second_run = round % 3 == 2;
        let allowed = if is_second_run {
            // The times are kept: a file with another time is not recognised as an output.
            env.tool("cp", ["-a", "old", "out"]);
            allowed(&[&old_outputs, &new])
        } else {
            allowed(&[&new])
        };
        let over = AtomicBool::new(false);
        let root = env.path("out");
        let partial = std::thread::scope(|scope| {
            let checker = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    looked_at.fetch_add(check_all(&root, &root, &allowed)?, Ordering::Relaxed);
                    std::thread::yield_now();
                }
                Ok::<_, PathBuf>(())
            });
            killed += usize::from(run_and_kill(&env, random.next(), &mut whole_run));
            if round % 5 == 4 {
                // Kill the resumed run, too.
                let was = run_and_kill(&env, random.next(), &mut whole_run);
                resumed_twice += usize::from(was);
            }
            let resumed = env.run(ARGS);
            over.store(true, Ordering::Relaxed);
            (checker.join().unwrap(), resumed)
        });
        let (partial, resumed) = partial;
        let at = format!("seed {seed}, round {round}");
        assert!(partial.is_ok(), "{at}: {partial:?} is partial");
        let resumed = resumed.succeeds();
        let outputs = env.outputs("out");
        assert!(outputs == new, "{at}: the outputs differ\n{resumed}");
    }
    println!(
        "seed {seed}: {rounds} rounds, {killed} killed in the middle, {resumed_twice} killed again \
         after that, {} looks at outputs, undisturbed run {:.2} s, {:.1} s in all",
        looked_at.into_inner(),
        whole_run.as_secs_f64(),
        clock.elapsed().as_secs_f64(),
    );
    assert!(
        killed * 3 > rounds,
        "only {killed} of {rounds} runs were killed"
    );
}

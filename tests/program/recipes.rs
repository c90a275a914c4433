//! The recipes of the documentation do what they say.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cli::split::book;
use crate::env::{Run, TestEnv};

const PAGE: &str = include_str!("../../docs/recipes.md");

/// Returns the blocks of a language on the page.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("```{language}\n");
    let blocks = PAGE.split(&start).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// Creates a folder with all that the recipes read.
fn home() -> TestEnv {
    let env = book();
    fs::rename(env.path("in"), env.path("books")).unwrap();
    env.encode_recording("speech-16k-mono", "one.wav", "-t 1");
    let audio = env.read("one.wav");
    for name in [
        "podcasts/show/1.wav",
        "lessons/lesson.wav",
        "takes/01.wav",
        "takes/02.wav",
        "audio/a.wav",
        "nas/audio/a.wav",
    ] {
        env.write(name, &audio);
    }
    env.write(
        "lessons/lesson.en.srt",
        "1\n00:00:00,300 --> 00:00:00,600\nHi\n",
    );
    let [takes] = blocks("csv")[..] else {
        panic!("there is one list of takes")
    };
    env.write("takes.csv", takes);
    env.create_folder("bin");
    symlink(
        env!("CARGO_BIN_EXE_audiostretchy"),
        env.path("bin/audiostretchy"),
    )
    .unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    symlink(examples, env.path("examples")).unwrap();
    env
}

/// Runs a script in a home folder.
fn shell<'a>(env: &'a TestEnv, script: &str) -> Run<'a> {
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("bash");
    command
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(env.path(""))
        .env_clear()
        .env("PATH", format!("{}:{path}", env.path("bin").display()))
        .env("HOME", env.path(""))
        .stdin(Stdio::null());
    Run::of(env, command)
}

#[test]
fn every_command_makes_what_it_should() {
    let env = home();
    let commands = blocks("sh");
    assert!(commands.len() > 8);
    for command in commands {
        shell(&env, command).succeeds();
    }
    assert_eq!(env.files("faster"), ["show/1.wav"]);
    let chapters = env.files("phone");
    assert!(
        chapters.len() > 2 && chapters.iter().all(|name| name.ends_with(".mp3")),
        "{chapters:?}"
    );
    assert_eq!(
        env.files("slower"),
        ["lesson_0.75x.en.srt", "lesson_0.75x.wav"]
    );
    assert!(env.exists("lesson.json") && env.exists("slower.m4b"));
    // At 16 kHz.
    for (name, frames) in [("fitted/01.wav", 8000), ("fitted/02.wav", 12_000)] {
        assert_eq!(env.decode(name).len(), frames, "{name}");
    }
    assert_eq!(env.decode("fitted.wav").len(), 19_200);
    for name in ["audio.toml", "junit.xml", "summary.md", "out/a.wav"] {
        assert!(env.exists(name), "{name}");
    }
    assert_eq!(env.files("nas/faster"), ["a.wav"]);
}

#[test]
fn the_timer_and_the_line_of_cron_are_understood() {
    let env = home();
    let [line] = blocks("cron")[..] else {
        panic!("there is one line of cron")
    };
    let (times, command) = line.split_once("  ").unwrap();
    assert_eq!(times.split(' ').count(), 5);
    let before = env.tree_of("podcasts");
    let run = shell(&env, command).succeeds();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(env.files("faster"), ["show/1.wav"]);
    assert!(env.tree_of("podcasts") == before);
    let units = ["timer", "service"].map(|end| format!("examples/systemd/audiostretchy.{end}"));
    let verify = format!("systemd-analyze verify --man=no {}", units.join(" "));
    let run = shell(&env, &verify).succeeds();
    assert_eq!(run.stderr, "");
    // As systemd would run it.
    let service = String::from_utf8(env.read(&units[1])).unwrap();
    let value = |key: &str| {
        let line = service.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap().replace("%h", "\"$HOME\"")
    };
    shell(&env, &value("ExecStart="))
        .succeeds()
        .says(&["1 done before"]);
    assert!(value("Environment=").starts_with("PATH="));
}

#[test]
fn workflows_give_the_action_what_it_takes() {
    let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
    let action = fs::read_to_string(action).unwrap();
    let mut given = 0;
    for workflow in blocks("yaml") {
        let mut lines = workflow
            .lines()
            .skip_while(|line| !line.contains("OWNER/audiostretchy@"));
        let with = lines.by_ref().find(|line| line.trim() == "with:").unwrap();
        let indent = " ".repeat(with.len() - with.trim_start().len() + 2);
        for line in lines {
            let Some(input) = line.strip_prefix(&indent) else {
                break;
            };
            let Some((name, _)) = input.split_once(':').filter(|_| !input.starts_with(' ')) else {
                continue;
            };
            assert!(action.contains(&format!("\n  {name}:\n")), "{name}");
            given += 1;
        }
    }
    assert_eq!(given, 7);
}

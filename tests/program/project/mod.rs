//! Project files: `run` and `init`.

mod mistakes;

use std::fs;

use serde_json::Value;

use crate::env::TestEnv;
use crate::json_schema::Schema;

const PROJECT: &str = r#"
[defaults]
preset = "speech"
speed = 1.5
exact_length = true

[[job]]
name = "talks"
inputs = ["talks"]
output = "out/talks"
format = "flac"

[[job.rule]]
glob = ["music/**", "*.theme.wav"]
preset = "music"
speed = 1.2

[[job.rule]]
glob = "*.wav"
suffix = "_{speed}x"

[[job]]
inputs = ["lessons", "extra.wav"]
output = "out/lessons"
ratio = 1.25

[[job]]
name = "raw"
inputs = "raw"
output = "out/raw"
bitrate = 64
format = "mp3"
"#;

/// Creates sixty files in the folders of three jobs.
fn sixty_files() -> TestEnv {
    let env = TestEnv::with_short_speech(&["extra.wav"]);
    let audio = env.read("extra.wav");
    env.tool("ffmpeg", ["-v", "error", "-i", "extra.wav", "one.mp3"]);
    let mp3 = env.read("one.mp3");
    for number in 0..12 {
        env.write(format!("talks/music/{number}.wav"), &audio);
        env.write(format!("talks/{number}.wav"), &audio);
        env.write(format!("talks/{number}.mp3"), &mp3);
        env.write(format!("raw/{number}.wav"), &audio);
    }
    for number in 0..10 {
        env.write(format!("lessons/{number}.wav"), &audio);
    }
    env.write("talks/a.theme.wav", &audio);
    env.write("audiostretchy.toml", PROJECT);
    env
}

fn report(env: &TestEnv) -> Value {
    env.report("")
}

/// Returns how many files ended so.
fn count(report: &Value, status: &str) -> u64 {
    report["counts"][status].as_u64().unwrap()
}

#[test]
fn jobs_and_rules_are_carried_out_together_and_only_what_changed_again() {
    let env = sixty_files();
    env.run("run")
        .succeeds()
        .says(&["60 done", "report: audiostretchy-report.json"]);
    let first = report(&env);
    let file = |input: &str| {
        let files = first["files"].as_array().unwrap();
        let found = files.iter().find(|file| file["input"] == input);
        found.unwrap_or_else(|| panic!("{input}")).clone()
    };
    for (input, output, job, rule, ratio) in [
        (
            "talks/music/3.wav",
            "out/talks/music/3.flac",
            "talks",
            Some("music/**, *.theme.wav"),
            1.0 / 1.2,
        ),
        (
            "talks/a.theme.wav",
            "out/talks/a.theme.flac",
            "talks",
            Some("music/**, *.theme.wav"),
            1.0 / 1.2,
        ),
        (
            "talks/3.wav",
            "out/talks/3_1.5x.flac",
            "talks",
            Some("*.wav"),
            1.0 / 1.5,
        ),
        ("talks/3.mp3", "out/talks/3.flac", "talks", None, 1.0 / 1.5),
        ("lessons/3.wav", "out/lessons/3.wav", "2", None, 1.25),
        ("extra.wav", "out/lessons/extra.wav", "2", None, 1.25),
        ("raw/3.wav", "out/raw/3.mp3", "raw", None, 1.0 / 1.5),
    ] {
        let file = file(input);
        assert_eq!(file["output"], output);
        assert_eq!(file["job"], job);
        assert_eq!(file["rule"].as_str(), rule);
        let lengths = ["source", "result"].map(|end| file[end]["seconds"].as_f64().unwrap());
        assert!(
            (lengths[1] / lengths[0] - ratio).abs() < 0.001,
            "{input}: {lengths:?}"
        );
    }
    let settings = &first["jobs"][0]["rules"][0]["settings"];
    assert_eq!(settings["preset"], "music");
    assert_eq!(
        settings["values"]["ratio"]["source"],
        "audiostretchy.toml:16"
    );
    let before = env.tree_of("out");
    env.run("run").succeeds().says(&["60 up to date"]);
    assert!(env.tree_of("out") == before);
    let changed = fs::File::options()
        .write(true)
        .open(env.path("talks/music/3.wav"))
        .unwrap();
    changed
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    env.run("run").succeeds().says(&["1 done, 59 up to date"]);
    // Another speed of one rule makes its files again.
    let project = PROJECT.replace("speed = 1.2", "speed = 1.3");
    env.write("audiostretchy.toml", project);
    env.run("run").succeeds().says(&["13 done, 47 up to date"]);
    Schema::read("report.schema.json", &[]).check(&report(&env));
}

#[test]
fn a_job_can_be_chosen_and_a_plan_told() {
    let env = sixty_files();
    let before = env.tree();
    env.run("run --dry-run --report plan.json")
        .succeeds()
        .prints(&[
            "60 files to stretch",
            "job talks, music/**, *.theme.wav: preset music",
        ]);
    Schema::read("plan.schema.json", &[])
        .check(&serde_json::from_slice(&env.read("plan.json")).unwrap());
    fs::remove_file(env.path("plan.json")).unwrap();
    env.run("run --dry-run").succeeds();
    assert!(env.tree() == before);
    env.run("run --job raw --job 2 -q").succeeds();
    assert!(!env.exists("out/talks"));
    assert_eq!(count(&report(&env), "done"), 23);
    env.refuses("run --job rav", 2, &["no job rav", "did you mean raw?"]);
    env.refuses("run --job 9", 2, &["no job 9", "talks, 2, raw"]);
}

#[test]
fn partitions_share_a_project_and_what_failed_is_run_again() {
    let env = sixty_files();
    env.write("raw/broken.wav", "this is no audio");
    env.run("run --partition 1/2 -q");
    assert!(env.exists("audiostretchy-report.1-of-2.json"), "{env}");
    env.run("run --partition 2/2 -q");
    env.run("report merge . -o all.json").succeeds();
    let merged: Value = serde_json::from_slice(&env.read("all.json")).unwrap();
    assert_eq!((count(&merged, "done"), count(&merged, "failed")), (60, 1));
    assert_eq!(merged["jobs"].as_array().unwrap().len(), 3);
    let run = env.run("run").exits(1).says(&["60 up to date, 1 failed"]);
    let retry = run.stderr.lines().last().unwrap();
    let retry = retry.strip_prefix("retry: audiostretchy ");
    let retry = retry.unwrap_or_else(|| panic!("{run}"));
    let whole = env.read("raw/1.wav");
    env.write("raw/broken.wav", whole);
    env.run(retry).succeeds().says(&["broken.wav"]);
    env.run("run").succeeds().says(&["61 up to date"]);
}

#[test]
fn paths_start_from_the_file_wherever_the_program_is_started() {
    let env = TestEnv::with_short_speech(&["show/in/a.wav"]);
    env.create_folder("show/deep/er");
    let project = "[defaults]\nreport = \"reports/last.json\"\n[[job]]\ninputs = [\"in\"]\n\
                   output = \"out\"\nspeed = 2\npreset = \"./own.toml\"\n";
    env.write("show/audiostretchy.toml", project);
    env.write("show/own.toml", "upper_freq = 250\n");
    env.create_folder("show/reports");
    let run_in = |folder: &str, args: &[&str]| {
        let mut command = env.command(args);
        command.current_dir(env.path(folder));
        crate::env::Run::of(&env, command)
    };
    run_in("show/deep/er", &["run", "--report-html", "page.html"])
        .succeeds()
        .says(&["show/reports/last.json"]);
    assert_eq!(env.files("show/out"), ["a.wav"]);
    assert!(env.exists("show/reports/last.json"));
    let page = String::from_utf8(env.read("show/deep/er/page.html")).unwrap();
    assert!(page.contains("../../out/a.wav"), "{page}");
    run_in("", &["run", "show/audiostretchy.toml"])
        .succeeds()
        .says(&["1 up to date"]);
    run_in("show", &["run", "--report", "here.json"])
        .succeeds()
        .says(&["1 up to date"]);
    assert!(env.exists("show/here.json"));
    // Of two partitions, each has a report of its own.
    run_in("show", &["run", "--partition", "1/1"]).succeeds();
    assert!(env.exists("show/reports/last.1-of-1.json"));
}

#[test]
fn two_jobs_can_share_a_folder_and_one_may_have_no_files() {
    let env = TestEnv::with_short_speech(&["a/1.wav", "b/2.wav"]);
    env.create_folder("none");
    let job = |name: &str| {
        format!("[[job]]\ninputs = \"{name}\"\noutput = \"out\"\nspeed = 2\nprune = true\n")
    };
    let none = "[[job]]\ninputs = \"none\"\noutput = \"nothing\"\nspeed = 2\nno_files = \"pass\"\n";
    let rule = "[[job.rule]]\nglob = \"*.mp3\"\nspeed = 3\n";
    let project = [&job("a"), &job("b"), none, rule].concat();
    env.write("audiostretchy.toml", &project);
    env.run("run")
        .succeeds()
        .says(&["2 done", "job 3: the rule *.mp3 fits no file"]);
    assert_eq!(env.files("out"), ["1.wav", "2.wav"]);
    env.write("b/3.wav", env.read("b/2.wav"));
    fs::remove_file(env.path("b/2.wav")).unwrap();
    env.run("run")
        .succeeds()
        .says(&["1 done, 1 up to date, 1 removed"]);
    assert_eq!(env.files("out"), ["1.wav", "3.wav"]);
    // Of jobs that all may have none, nothing is left.
    env.write("empty.toml", none);
    let before = env.tree();
    env.run("run empty.toml").succeeds();
    assert!(env.tree() == before);
}

#[test]
fn a_folder_that_another_run_has_ends_the_project() {
    let env = TestEnv::with_short_speech(&["a/1.wav", "b/2.wav"]);
    let job =
        |name: &str| format!("[[job]]\ninputs = \"{name}\"\noutput = \"o{name}\"\nspeed = 2\n");
    env.write("audiostretchy.toml", [job("a"), job("b")].concat());
    env.create_folder("ob");
    let journal = env.path("ob/.audiostretchy.jsonl");
    let locked = fs::File::create(journal).unwrap();
    locked.lock().unwrap();
    env.run("run")
        .exits(75)
        .says(&["ob: another run is writing to that folder"]);
    assert!(env.files("oa").is_empty());
    drop(locked);
    env.run("run").succeeds().says(&["2 done"]);
}

#[test]
fn init_writes_a_project_that_runs() {
    let env = TestEnv::with_short_speech(&["podcasts/a.wav"]);
    env.refuses("run", 2, &["no audiostretchy.toml here or above", "init"]);
    env.run("init")
        .succeeds()
        .says(&["wrote audiostretchy.toml"]);
    env.refuses("init", 2, &["audiostretchy.toml: is there already"]);
    env.run("run").succeeds().says(&["podcasts/a.wav"]);
    assert_eq!(env.files("faster"), ["a.wav"]);
    env.refuses("init notes.txt", 2, &["ends in .toml"]);
    // What is commented out can be switched on.
    let text = String::from_utf8(env.read("audiostretchy.toml")).unwrap();
    let is_option =
        |line: &str| line.starts_with("# ") && (line.contains(" = ") || line.contains("[["));
    let lines = text.lines().map(|line| match is_option(line) {
        true => line.trim_start_matches("# "),
        false => line,
    });
    let all: Vec<&str> = lines.collect();
    env.write("audiostretchy.toml", all.join("\n"));
    env.write("lessons/b.wav", env.read("podcasts/a.wav"));
    env.write("podcasts/music/c.wav", env.read("podcasts/a.wav"));
    env.create_folder("reports");
    env.run("run").succeeds().says(&["2 done, 1 done before"]);
    assert_eq!(env.files("slower"), ["b_0.8x.opus"]);
}

#[test]
fn inputs_called_like_the_subcommands_are_told_from_them() {
    let env = TestEnv::with_short_speech(&["run/a.wav", "init/a.wav"]);
    let before = env.tree();
    for (args, meant) in [
        ("run out --speed 2", "./run"),
        ("run out", "./run"),
        ("run out/", "./run"),
        ("run", "./run"),
        ("run run", "./run"),
        ("init out --speed 2", "./init"),
        ("init out", "./init"),
    ] {
        env.run(args).exits(2).says(&[meant]);
    }
    assert!(env.tree() == before);
    env.run("./run out --speed 2").succeeds();
    assert!(env.exists("out/a.wav"));
}

#[test]
fn a_job_can_write_a_single_file_that_is_left_until_something_changes() {
    let env = TestEnv::with_short_speech(&["intro.wav", "talks/a.wav"]);
    env.write(
        "audiostretchy.toml",
        "[[job]]\ninputs = \"intro.wav\"\noutput = \"jingle.mp3\"\nspeed = 1.1\ntime_map = \"map.json\"\n\
         [[job]]\ninputs = \".\"\noutput = \"out\"\nspeed = 2\n\
         [[job]]\ninputs = \"intro.wav\"\noutput = \"new/intro.flac\"\nspeed = 1.2\n",
    );
    env.run("run").succeeds().says(&["4 done"]);
    assert!(env.exists("jingle.mp3") && env.exists("new/intro.flac") && env.exists("map.json"));
    // What one job writes is no input of another that walks the folder it is in.
    env.run("run").succeeds().says(&["4 up to date"]);
    assert_eq!(env.files("out"), ["intro.wav", "talks/a.wav"]);
    env.write("intro.wav", env.read("out/intro.wav"));
    env.run("run").succeeds().says(&["3 done, 1 up to date"]);
    env.write("jingle.mp3", "mine now");
    env.run("run").succeeds().says(&["jingle.mp3 was changed"]);
    assert_eq!(env.read("jingle.mp3"), b"mine now");
}

#[test]
fn lists_and_lengths_of_a_job_lie_beside_the_file() {
    let env = TestEnv::with_short_speech(&["dub/takes/1.wav", "dub/takes/2.wav"]);
    env.write("dub/d.csv", "takes/1.wav,0.2\ntakes/2.wav,0.5\n");
    env.write("dub/list.txt", "takes/1.wav\ntakes/2.wav\n");
    env.write(
        "dub/p.toml",
        "[defaults]\nspeed = 1.5\n[[job]]\nfiles_from = \"list.txt\"\noutput = \"out\"\n\
         durations = \"d.csv\"\n",
    );
    env.run("run dub/p.toml").succeeds().says(&["2 done"]);
    assert_eq!(env.decode("dub/out/takes/1.wav").len(), 3200);
    assert_eq!(env.decode("dub/out/takes/2.wav").len(), 8000);
    env.run("run dub/p.toml").succeeds().says(&["2 up to date"]);
}

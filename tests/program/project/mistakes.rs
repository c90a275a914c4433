//! Project files with something wrong in them.

use crate::env::TestEnv;

#[test]
fn each_mistake_is_told_with_its_place() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "other/a.wav"]);
    let job = "[[job]]\ninputs = [\"in\"]\noutput = \"out\"\n";
    let fast = &format!("{job}speed = 2\n");
    let with = |more: &str| format!("{fast}{more}\n");
    let cases: &[(&str, &[&str])] = &[
        (
            &with("sped = 1"),
            &["p.toml:5: unknown key \"sped\"", "speed?"],
        ),
        (
            &with("max-depth = 1"),
            &["p.toml:5: unknown key", "max_depth?"],
        ),
        (
            &with("xyzzy = 1"),
            &["p.toml:5: unknown key", "known are name, inputs"],
        ),
        (
            &with("jobs = 4"),
            &["p.toml:5: jobs is for the whole run", "run --jobs"],
        ),
        (
            &with("report = \"a\""),
            &["p.toml:5", "put it into [defaults]"],
        ),
        (
            &with("preset = \"sppech\""),
            &["p.toml:5", "did you mean speech?"],
        ),
        (
            &with("preset = \"no/such.toml\""),
            &["p.toml:5: cannot read no/such.toml"],
        ),
        (
            &with("upper_freq = 1.5"),
            &["p.toml:5: upper_freq is 1.5: it must be a whole number"],
        ),
        (
            &with("ratio = 9"),
            &["p.toml:5: ratio is 9: it must be from 0.25 to 4"],
        ),
        (
            &with("ratio = 0.5"),
            &["p.toml:5: ratio excludes speed, which line 4 sets"],
        ),
        (
            &with("hidden = \"yes\""),
            &["p.toml:5: hidden is \"yes\": it must be true or false"],
        ),
        (
            &with("max_depth = -1"),
            &["p.toml:5: max_depth is -1: it must be a whole number"],
        ),
        (
            &with("if_exists = \"skp\""),
            &["p.toml:5: if_exists", "did you mean \"skip\"?"],
        ),
        (
            &with("split = \"chapter\""),
            &["p.toml:5: split", "it must be \"chapters\""],
        ),
        (
            &with("glob = [1]"),
            &["p.toml:5: glob is a list of something else"],
        ),
        (
            &with("speed = [1]"),
            &["p.toml:5", "not valid TOML: duplicate key"],
        ),
        (&with("glob = \"[\""), &["p.toml:1: job 1: --glob", "["]),
        (
            &with("suffix = \"{sped}\""),
            &["p.toml:1: job 1: --suffix: {sped} is not known"],
        ),
        (
            &with("files_from = \"-\""),
            &["p.toml:5: files_from is \"-\": it must be a file"],
        ),
        (
            &with("durations = \"d.csv\""),
            &["p.toml:1: job 1: durations gives each file its length; take speed out"],
        ),
        (
            &with("files_from = \"a\"\nfiles_from0 = \"b\""),
            &["p.toml:1: job 1: files_from excludes files_from0"],
        ),
        (
            &with("bitrate = 64\nbitrate_kbps = 96"),
            &["p.toml:6: bitrate and bitrate_kbps are the same: keep one of them"],
        ),
        (
            &with("duration = 3"),
            &["p.toml:5: duration excludes speed, which line 4 sets"],
        ),
        (
            &with("time_map = \"map.json\""),
            &["job 1: --time-map is for a single input file"],
        ),
        (
            &with("[[job.rule]]\nspeed = 3"),
            &["p.toml:5: the rule has no glob"],
        ),
        (
            &with("[[job.rule]]\nglob = \"a\"\nhidden = true"),
            &["p.toml:7: hidden is for whole jobs"],
        ),
        (
            &with("[[job.rule]]\nglob = \"a\"\ninputs = \"b\""),
            &["p.toml:7: unknown key \"inputs\""],
        ),
        (
            &with("[job.rule]\nglob = \"a\""),
            &["p.toml:5: rule is a list of tables: [[job.rule]]"],
        ),
        (
            &with("[jobs]"),
            &["p.toml:5: unknown key \"jobs\": did you mean job?"],
        ),
        (
            "speed = 1.5\n",
            &["p.toml:1: unknown key \"speed\"", "[defaults]"],
        ),
        ("", &["p.toml:1: there is no job"]),
        (
            "[job]\ninputs = \"a\"\n",
            &["p.toml:1: job is a list of tables: [[job]]"],
        ),
        (
            "[[job]]\noutput = \"b\"\n",
            &["p.toml:1: the job 1 has no inputs"],
        ),
        (
            "[[job]]\ninputs = []\noutput = \"b\"\n",
            &["p.toml:2: inputs is a list: it must be files"],
        ),
        (
            "[[job]]\ninputs = \"a\"\n",
            &["p.toml:1: the job 1 has no output"],
        ),
        ("[[job]\n", &["p.toml:1: not valid TOML"]),
        (job, &["p.toml:1: job 1: nothing would change"]),
        (
            &format!("{fast}[[job]]\nname = \"1\"\ninputs = \"other\"\noutput = \"o2\"\n"),
            &["p.toml:5", "the job in line 1 is called 1 too"],
        ),
        (
            &format!("{fast}[[job]]\ninputs = \"other\"\noutput = \"./in/../out\"\nspeed = 3\n"),
            &["in/a.wav (job 1) and other/a.wav (job 2) would both be written to"],
        ),
        (
            &format!("{fast}[[job]]\ninputs = \"in\"\noutput = \"out\"\nspeed = 3\n"),
            &["in/a.wav (job 1) and in/a.wav (job 2) would both be written to"],
        ),
        (
            &format!("{fast}[[job]]\ninputs = \"none\"\noutput = \"o2\"\nspeed = 3\n"),
            &["job 2: none: no such file or folder"],
        ),
        (
            &format!("{fast}[[job]]\ninputs = \"other\"\noutput = \"in\"\nspeed = 3\n"),
            &["job 1: in: is written by the job 2"],
        ),
    ];
    for (project, pieces) in cases {
        env.write("p.toml", project);
        env.refuses("run p.toml", 2, pieces);
    }
    env.write("p.toml", with("exclude = \"*\""));
    env.refuses("run p.toml", 4, &["job 1: no audio files found in in"]);
    // As editors of Windows write it.
    let windows = format!("\u{feff}{}", with("sped = 1").replace('\n', "\r\n"));
    env.write("p.toml", windows);
    env.refuses("run p.toml", 2, &["p.toml:5: unknown key"]);
    env.write("p.toml", b"speed = \xff");
    env.refuses("run p.toml", 2, &["p.toml:1: this is not UTF-8 text"]);
    env.write("p.toml", fast);
    env.refuses(
        "run p.toml --report p.toml",
        2,
        &["would overwrite that file"],
    );
}

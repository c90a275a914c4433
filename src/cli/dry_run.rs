//! Showing a plan.

use std::io::{self, Write};

use audiostretchy::batch::{Action, Job, Plan, PlanEstimate, estimate};
use audiostretchy::figures;
use audiostretchy::preset::Resolved;

use super::text;

/// Prints what a run would do: every file, then the whole.
pub fn print(plan: &Plan, resolved: &Resolved, jobs: usize) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let expected = estimate(plan, jobs);
    let mut files: Vec<&Job> = plan.jobs.iter().collect();
    files.sort_by(|a, b| a.input.cmp(&b.input));
    for job in files {
        let (input, output) = (text::path(&job.input), text::path(&job.output));
        writeln!(out, "{input} -> {output} ({})", about(&expected, job))?;
    }
    for unreadable in &plan.unreadable {
        writeln!(
            out,
            "{}: {}",
            text::path(&unreadable.path),
            text::with_causes(&unreadable.source)
        )?;
    }
    let seconds: f64 = plan.to_stretch().map(Job::seconds).sum();
    writeln!(
        out,
        "{} to stretch, {} of audio, about {} of work",
        figures::count(plan.to_stretch().count() as u64, "file"),
        figures::length(seconds),
        figures::rough(expected.processing.as_secs_f64()),
    )?;
    let preset = resolved.preset.as_deref().unwrap_or("none");
    let settings = resolved.entries.iter().filter_map(|entry| {
        let value = entry.value.as_ref()?;
        Some(format!("{} {value}", entry.key))
    });
    let settings = settings.collect::<Vec<_>>().join(", ");
    writeln!(out, "preset {}: {settings}", text::escape(preset))
}

fn about(expected: &PlanEstimate, job: &Job) -> String {
    match job.action {
        Action::SkipExisting => return "skipped: the output exists".into(),
        Action::SkipUpToDate => return "skipped: up to date".into(),
        Action::SkipChanged => return "skipped: up to date, but changed since it was made".into(),
        Action::Refuse => return "will fail: the output was changed since it was made".into(),
        _ => {}
    }
    let Some(audio) = &job.audio else {
        return "will fail: cannot be read as audio".into();
    };
    let length = match (audio.seconds(), expected.output_seconds(job)) {
        (Some(input), Some(output)) => {
            let [input, output] = [input, output].map(figures::length);
            format!("{input} to about {output}")
        }
        (Some(input), None) => format!("{}, will fail", figures::length(input)),
        (None, _) => "unknown length".into(),
    };
    let (codec, channels) = (
        audio.codec,
        figures::count(audio.channels as u64, "channel"),
    );
    format!("{codec}, {} Hz, {channels}, {length}", audio.sample_rate)
}

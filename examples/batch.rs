//! A whole folder on all processors: a plan, a run with events that can be stopped, and a report.
//!
//! ```sh
//! cargo run --example batch -- podcasts faster 0.8
//! ```
#![allow(clippy::print_stdout)] // An example shows what it does.

use std::error::Error;

use audiostretchy::batch::{
    Event, IfExists, PlanRequest, RunOptions, Session, StopToken, estimate,
};
use audiostretchy::report::Status;
use audiostretchy::{Format, StretchOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, ratio] = &arguments[..] else {
        return Err("usage: batch INPUT-FOLDER OUTPUT-FOLDER RATIO".into());
    };
    let mut request = PlanRequest::new(vec![input.into()], output.into());
    request.settings.stretch = StretchOptions {
        ratio: ratio.parse()?,
        ..StretchOptions::default()
    };
    request.settings.encoding.format = Some(Format::Flac);
    request.if_exists = IfExists::Overwrite;
    // Checks everything, and keeps other runs out of the folder from now on.
    let mut session = Session::start(&request)?;
    session.probe();
    println!(
        "about {:.1?} of work",
        estimate(session.plan(), 0).processing
    );

    let stop = StopToken::new();
    // This is called from the worker threads, by one of them at a time.
    let on_event = |event: Event<'_>| match event {
        Event::FileStarted { job, .. } => println!("started {}", job.input.display()),
        Event::FileFinished { report, .. } if report.status == Status::Failed => {
            println!("failed {}; no other is taken up", report.input);
            stop.stop();
        }
        Event::FileFinished { report, .. } => println!("finished {}", report.input),
        _ => {}
    };
    let report = session.run(&RunOptions::default(), &stop, on_event);
    println!(
        "{} done, {} failed, {} not run",
        report.counts.done, report.counts.failed, report.counts.not_run
    );
    for failure in report.failures() {
        if let Some(error) = &failure.error {
            println!("{}: {} ({})", failure.input, error.message, error.code);
        }
    }
    Ok(())
}

//! A batch that runs unattended: killed, interrupted, out of space, run again.
//!
//! Similar tools are known for eleven faults. For each, there is a test that this program does not
//! have it:
//!
//! | fault | test |
//! | --- | --- |
//! | two inputs to one output: a file lost, exit 0 | `selection::flatten_puts_all_in_one_folder_and_refuses_two_of_one_name` |
//! | failures but exit 0 | `eleven::a_bad_file_stops_nothing_and_is_told_in_the_exit_code` |
//! | names that are not UTF-8 panic | `selection::a_list_may_name_anything_a_file_system_can` |
//! | a link to the parent: one file processed 41 times | `selection::links_are_followed_on_demand_and_loops_are_not` |
//! | output inside input: eats its own output | `resume::an_output_folder_in_the_input_is_never_an_input`, `resume::outputs_beside_their_inputs_do_not_become_inputs` |
//! | interrupted: the partial file is later skipped as existing | `kill::a_killed_run_is_resumed_and_nothing_is_ever_partial`, `signals::*` |
//! | a misspelt preset key: a warning and the default | `eleven::a_misspelt_preset_key_is_refused_before_anything_is_read` |
//! | one bad file stops the batch | `eleven::a_bad_file_stops_nothing_and_is_told_in_the_exit_code`, `faults::*` |
//! | chapters keep their old times | `eleven::chapters_move_with_their_audio` |
//! | WAV cue and LIST lost | `eleven::cue_points_and_info_of_wav_are_kept` |
//! | input and output the same: the input is destroyed | `eleven::an_input_is_never_its_own_output` |
//!
//! Some tests use strace to make system calls fail.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures, and what could not be tested on this machine"
)]

mod changes;
mod eleven;
mod escapes;
mod faults;
mod gone;
mod kill;
mod live;
#[cfg(target_os = "linux")]
mod mounts;
mod ownership;
mod resume;
mod selection;
mod signals;
mod systems;
mod two_runs;

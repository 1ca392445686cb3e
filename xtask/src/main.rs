//! The project's commands: `cargo xtask demo`, `test`, `build`, `bench` and `postgres`. Each installs what it lacks on a Debian or Ubuntu
//! machine that has rustup and Node.js, and says in one line what it is doing.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks to its user on both"
)]

mod cli;
mod commands;
mod lock;
mod needs;
mod pkg;
mod process;
mod service;
mod vault;
mod vendors;
mod workspace;

use std::process::ExitCode;

use cli::Command;

fn main() -> ExitCode {
    let result = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Demo(options)) => commands::demo::run(&options),
        Ok(Command::Test(suite, only)) => commands::test::run(suite, only),
        Ok(Command::Build) => commands::build::run().map(|()| ExitCode::SUCCESS),
        Ok(Command::Bench(effort)) => commands::bench::run(effort).map(|()| ExitCode::SUCCESS),
        Ok(Command::Postgres) => commands::postgres::run(),
        Ok(Command::Help) => {
            println!("{}", cli::HELP);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("xtask: {error}\n\n{}", cli::HELP);
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

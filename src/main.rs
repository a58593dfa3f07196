//! The program: settings in, server out.

use std::process::ExitCode;

use tertulia::server::config::{Command, EXIT_USAGE, Settings, Stop, markdown, new_token, sabotage};
use tertulia::server::{logging, restored, run};
use tertulia_chat::sabotage::Sabotage;

fn main() -> ExitCode {
    match Settings::from_process() {
        Ok(Command::Serve(settings)) => {
            logging::start(&settings);
            if let Some(name) = sabotage()
                && !Sabotage::ALL.iter().any(|(known, kind)| *known == name && kind.begin())
            {
                tracing::error!(name, "there is no such sabotage");
                return ExitCode::from(EXIT_USAGE);
            }
            let outcome = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())
                .and_then(|runtime| runtime.block_on(run(*settings)).map_err(|error| error.to_string()));
            match outcome {
                Ok(()) => ExitCode::SUCCESS,
                Err(reason) => {
                    tracing::error!("{reason}");
                    ExitCode::FAILURE
                }
            }
        }
        Ok(Command::Restored(settings)) => match restored(&settings) {
            Ok(text) => logging::say(&text),
            Err(reason) => {
                logging::start(&settings);
                tracing::error!("{reason}");
                ExitCode::FAILURE
            }
        },
        Ok(Command::PrintSettingsMarkdown) => logging::say(&markdown()),
        Ok(Command::NewToken(wishes)) => match new_token(&wishes) {
            Ok(text) => logging::say(&text),
            Err(stop) => refuse(&stop),
        },
        Err(stop) => refuse(&stop),
    }
}

fn refuse(stop: &Stop) -> ExitCode {
    // Nobody can be told when even standard error is closed; the exit code says it.
    let _ = stop.report();
    ExitCode::from(stop.code())
}

//! The thread that speaks with the process: it may be slow, and keys are not
//! to wait for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::super::client::Client;
use super::super::ctl;
use super::super::error::ControlError;
use super::super::protocol::Request;
use super::super::target::{State, Status};
use super::PATIENCE;
use crate::error::HostError;
use crate::report::model::ReportFile;

/// How often the table is drawn anew.
const REFRESH: Duration = Duration::from_secs(1);
/// How long the process has for a snapshot.
const ANSWER: Duration = Duration::from_secs(10);

/// What is heard of the process.
#[derive(Debug)]
pub(super) enum News {
    /// How it is doing, and what it has recorded, if a session runs.
    State(Box<(Status, Option<ReportFile>)>),
    /// What came of an order.
    Done(String),
    /// What went wrong.
    Failed(ControlError),
}

/// Asks the process for news each second, and has it do what is ordered. Ends
/// when nobody orders any more.
pub(super) fn spawn(
    pid: u32,
    client: Client,
) -> Result<(Sender<Request>, Receiver<News>), HostError> {
    let (orders, ordered) = channel();
    let (tell, news) = channel();
    let link = Link { pid, client: Some(client), tell };
    std::thread::Builder::new()
        .name("lockscope-top".to_owned())
        .spawn(move || link.run(&ordered))
        .map_err(|source| HostError::System { what: "start its thread", source })?;
    Ok((orders, news))
}

struct Link {
    pid: u32,
    /// Nothing after a failure: the next attempt connects anew.
    client: Option<Client>,
    tell: Sender<News>,
}

impl Link {
    fn run(mut self, ordered: &Receiver<Request>) {
        loop {
            let news = self.with(|client, _| look(client));
            if self.tell.send(news).is_err() {
                return;
            }
            match ordered.recv_timeout(REFRESH) {
                Ok(request) => {
                    let done = self
                        .with(|client, pid| ctl::outcome(client, pid, &request).map(News::Done));
                    if self.tell.send(done).is_err() {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn with(&mut self, act: impl FnOnce(&mut Client, u32) -> Result<News, ControlError>) -> News {
        let connected = match self.client.take() {
            Some(client) => Ok(client),
            None => Client::to(self.pid, PATIENCE),
        };
        let acted = connected.and_then(|mut client| {
            let acted = act(&mut client, self.pid);
            // A process that says no is there.
            if matches!(acted, Ok(_) | Err(ControlError::Refused { .. })) {
                self.client = Some(client);
            }
            acted
        });
        acted.unwrap_or_else(News::Failed)
    }
}

fn look(client: &mut Client) -> Result<News, ControlError> {
    let status: Status = client.ask(&Request::Status, ANSWER)?;
    let report = match status.state {
        State::Stopped => None,
        State::Running | State::Asleep => Some(client.ask(&Request::Snapshot, ANSWER)?),
    };
    Ok(News::State(Box::new((status, report))))
}

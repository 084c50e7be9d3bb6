//! The protocol, version 1: documented in `docs/control.md`.
//!
//! Each side begins with a [`Hello`]; then every [`Request`] gets an
//! [`Answer`], in order. All are JSON objects, each in a line. Within a version
//! requests and fields of answers are added, never renamed; readers ignore
//! fields of answers that they do not know, and refuse fields of requests,
//! because whoever sends one means something by it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[cfg(test)]
mod tests;

/// The value of [`Hello::lockscope`].
const NAME: &str = "control";
/// The value of [`Hello::version`].
pub(super) const VERSION: u32 = 1;
/// Bytes of the longest request, its line break included.
pub(super) const LONGEST_REQUEST: usize = 64 << 10;

/// The first line of each side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// [`NAME`].
    lockscope: String,
    pub(super) version: u64,
    /// The release of the sender's lockscope.
    #[serde(default)]
    release: String,
}

impl Hello {
    pub(super) fn ours() -> Self {
        Self {
            lockscope: NAME.to_owned(),
            version: u64::from(VERSION),
            release: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The hello in a line; nothing if it is something else.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok().filter(|hello: &Self| hello.lockscope == NAME)
    }

    /// What is wrong with a client that says this.
    pub(super) fn refusal(line: &[u8]) -> Option<Refusal> {
        let Some(hello) = Self::parse(line) else {
            let expected = line_of(&Self::ours());
            return Some(Refusal::new(
                Kind::Request,
                format!(
                    "the first line must be {}; greet before you ask",
                    String::from_utf8_lossy(&expected).trim_end()
                ),
            ));
        };
        (hello.version != u64::from(VERSION)).then(|| {
            let found = hello.version;
            Refusal::new(
                Kind::Version,
                format!(
                    "this process speaks version {VERSION} of the control protocol, the client version {found}; use the lockscope that the process was started with, which is {}",
                    env!("CARGO_PKG_VERSION")
                ),
            )
        })
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Status,
    Start,
    Stop,
    Snapshot,
    Set { key: String, value: String },
    Use { backend: String, settings: Vec<(String, String)> },
    Wake { cause: String },
}

/// The names of requests, as they are sent.
const COMMANDS: [&str; 7] = ["status", "start", "stop", "snapshot", "set", "use", "wake"];

impl Request {
    /// The request in a line.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::of(line)?;
        let command = fields.text("command")?;
        let request = match command.as_str() {
            "status" => Self::Status,
            "start" => Self::Start,
            "stop" => Self::Stop,
            "snapshot" => Self::Snapshot,
            "set" => Self::Set { key: fields.text("key")?, value: fields.text("value")? },
            "use" => Self::Use { backend: fields.text("backend")?, settings: fields.settings()? },
            "wake" => Self::Wake { cause: fields.text("cause")? },
            other => {
                return Err(malformed(format!(
                    "no command is named '{}'; this process knows {}",
                    shortened(other),
                    COMMANDS.join(", ")
                )));
            }
        };
        fields.end(&command)?;
        Ok(request)
    }

    /// The line that says so.
    pub(super) fn line(&self) -> Vec<u8> {
        line_of(&match self {
            Self::Status => json!({ "command": "status" }),
            Self::Start => json!({ "command": "start" }),
            Self::Stop => json!({ "command": "stop" }),
            Self::Snapshot => json!({ "command": "snapshot" }),
            Self::Set { key, value } => json!({ "command": "set", "key": key, "value": value }),
            Self::Use { backend, settings } => {
                let settings: Map<String, Value> = settings
                    .iter()
                    .map(|(key, value)| (key.clone(), Value::String(value.clone())))
                    .collect();
                json!({ "command": "use", "backend": backend, "settings": settings })
            }
            Self::Wake { cause } => json!({ "command": "wake", "cause": cause }),
        })
    }
}

/// The fields of a request, each of which is taken once.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(line: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(malformed("a request must be a JSON object; send one in a line".into())),
            Err(error) => Err(malformed(format!(
                "a request must be a JSON object in a line, and this line is none: {error}; correct it"
            ))),
        }
    }

    fn text(&mut self, name: &str) -> Result<String, Refusal> {
        match self.0.shift_remove(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(malformed(format!("the field '{name}' must be a string; send one"))),
            None => Err(malformed(format!("the field '{name}' is missing; add it"))),
        }
    }

    /// An object of strings, which may be missing.
    fn settings(&mut self) -> Result<Vec<(String, String)>, Refusal> {
        const WRONG: &str = "the field 'settings' must be an object of strings; send one, as in {\"period\": \"100\"}";
        let settings = match self.0.shift_remove("settings") {
            None => return Ok(Vec::new()),
            Some(Value::Object(settings)) => settings,
            Some(_) => return Err(malformed(WRONG.to_owned())),
        };
        settings
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(value) => Ok((key, value)),
                _ => Err(malformed(WRONG.to_owned())),
            })
            .collect()
    }

    fn end(&self, command: &str) -> Result<(), Refusal> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(malformed(format!(
                "the command '{command}' has no field '{}'; remove it, or use a process with a newer lockscope",
                shortened(name)
            ))),
        }
    }
}

fn malformed(message: String) -> Refusal {
    Refusal::new(Kind::Request, message)
}

/// What others wrote, in an error of one line.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    /// A sentence that ends in what to do.
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(kind: Kind, message: String) -> Self {
        Self { kind, message }
    }
}

/// What a program can do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// The line is no request, or no greeting. The client is wrong.
    Request,
    /// The client speaks another version.
    Version,
    /// The client is not allowed to ask.
    Denied,
    /// Too many clients are connected.
    Busy,
    /// The client took too long.
    Timeout,
    /// The process could not do it.
    Failed,
    /// A kind of a newer release.
    #[serde(other)]
    Other,
}

/// What the process answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer<T> {
    Ok(T),
    Error(Refusal),
}

/// The line that says so.
pub(super) fn refused(refusal: Refusal) -> Vec<u8> {
    line_of(&Answer::<()>::Error(refusal))
}

/// The line that holds the outcome.
pub(super) fn done(outcome: &impl Serialize) -> Vec<u8> {
    line_of(&Answer::Ok(outcome))
}

/// The value as JSON in a line. Strings have their line breaks escaped.
pub(super) fn line_of(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap_or_else(|error| {
        // Only a key that is no string can be the reason, and we have none.
        format!(r#"{{"error":{{"kind":"failed","message":"the answer is no JSON ({error}); report this as a defect of lockscope"}}}}"#).into_bytes()
    });
    line.push(b'\n');
    line
}

//! `lockscope report`: a report's file, in the form that is asked for.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::file::Text;
use super::table::{SortKey, TableOptions};
use super::{ReportError, file, folded, pprof, table, terminal};

/// What `lockscope report` is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// The report's file, as `lockscope run` wrote it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How many rows the table shows
    #[arg(long, value_name = "N", default_value_t = TableOptions::default().top)]
    pub top: usize,
    /// What the table is ordered by
    #[arg(long, value_enum, value_name = "KEY", default_value_t)]
    pub sort: SortKey,
    /// Print all of the report as JSON instead of the table
    #[arg(long)]
    pub json: bool,
    /// Write three pprof profiles instead of the table: OUT.mutex.pb.gz,
    /// OUT.block.pb.gz and OUT.hold.pb.gz, or into OUT if that is a folder
    #[arg(long, value_name = "OUT")]
    pub pprof: Option<PathBuf>,
    /// Write folded stacks of the waits instead of the table; `-` prints them
    #[arg(long, value_name = "OUT")]
    pub folded: Option<PathBuf>,
    /// Columns of the table; those of the terminal if not given
    #[arg(long, value_name = "COLUMNS")]
    pub width: Option<usize>,
    /// Do not use colours
    #[arg(long)]
    pub no_color: bool,
}

impl ReportArgs {
    /// How the table is to look, on the standard output as it is.
    #[must_use]
    pub fn table_options(&self) -> TableOptions {
        TableOptions {
            width: self.width.or_else(|| terminal::width(io::stdout())),
            colour: !self.no_color && terminal::wants_colour(io::stdout()),
            top: self.top,
            sort: self.sort,
        }
    }
}

/// Runs `lockscope report`, printing to `out`, which stands for the standard
/// output.
///
/// Every form that `args` name is made; the table is printed if they name
/// none. A reader who closes `out` early, as `head` does, has read enough.
///
/// # Errors
///
/// [`ReportError`]: the report cannot be read, or an output cannot be written.
pub fn run(args: &ReportArgs, out: &mut dyn Write) -> Result<(), ReportError> {
    let is_stream = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
    if is_stream(&args.pprof) {
        return Err(ReportError::PprofToStream);
    }
    let folded_to_stream = is_stream(&args.folded);
    if folded_to_stream && args.json {
        return Err(ReportError::TwoToStream);
    }
    let text = Text::read(&args.file)?;
    let report = text.report()?;
    let mut written = Vec::new();
    if let Some(path) = &args.pprof {
        written.extend(pprof::write(path, &report)?);
    }
    match &args.folded {
        Some(_) if folded_to_stream => print(out, &folded::render(&report))?,
        Some(path) => {
            file::write_whole(path, |out| out.write_all(folded::render(&report).as_bytes()))?;
            written.push(path.clone());
        }
        None => {}
    }
    if args.json {
        // Indented, and with what this version does not know.
        print(out, &format!("{:#}\n", text.value()?))?;
    }
    if !written.is_empty() {
        name(&written, args.json || folded_to_stream, out)?;
    } else if !args.json && !folded_to_stream {
        print(out, &table::render(&report, &args.table_options()))?;
    }
    Ok(())
}

/// Names the files that were written; beside `out` if that is the report's.
fn name(files: &[PathBuf], out_is_taken: bool, out: &mut dyn Write) -> Result<(), ReportError> {
    let text: String = files.iter().map(|path| format!("wrote {}\n", path.display())).collect();
    if out_is_taken { print(&mut io::stderr(), &text) } else { print(out, &text) }
}

fn print(out: &mut dyn Write, text: &str) -> Result<(), ReportError> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|source| ReportError::Print { source }),
    }
}

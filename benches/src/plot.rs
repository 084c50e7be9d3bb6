//! Lines: what a figure does as something grows.

use core::fmt::Write;

use crate::memory::BY_NUMBER;
use crate::page::{escaped, extent};
use crate::record::{Cell, Row, Table};
use crate::suite::{BY_THREADS, PERIODS};

/// One plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    title: String,
    /// What grows from left to right, each step alike many times as large.
    grows: &'static str,
    /// Whether what stands above is as many times as large, not as much more.
    is_logarithmic: bool,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    points: Vec<(f64, Cell)>,
}

/// The plots of a table that says how something grows; none of any other.
#[must_use]
pub fn plots(table: &Table) -> Vec<Plot> {
    if table.id == PERIODS {
        let columns = table.columns.iter().enumerate();
        return columns.map(|(at, column)| by_rows(table, at, column)).collect();
    }
    if table.id == BY_NUMBER {
        return vec![by_columns(table, "Bytes per lock", "locks", |name| name.ends_with("locks"))];
    }
    if table.id.starts_with(BY_THREADS) {
        let own = |name: &str| name.ends_with("each");
        let one = |name: &str| !name.ends_with("each");
        return vec![
            by_columns(table, "On one lock", "threads", one),
            by_columns(table, "Each thread on a lock of its own", "threads", own),
        ];
    }
    Vec::new()
}

/// A line for each row, along those columns whose name is asked for and begins with a
/// number.
fn by_columns(table: &Table, title: &str, grows: &'static str, asked: fn(&str) -> bool) -> Plot {
    let number = |name: &str| name.split(' ').next()?.replace(',', "").parse::<f64>().ok();
    let columns: Vec<(usize, f64)> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, name)| asked(name))
        .filter_map(|(at, name)| Some((at, number(name)?)))
        .collect();
    let line = |row: &Row| Line {
        name: row.title.clone(),
        points: columns.iter().filter_map(|(at, x)| Some((*x, (*row.cells.get(*at)?)?))).collect(),
    };
    let lines = table.rows.iter().map(line).filter(|line| !line.points.is_empty()).collect();
    Plot { title: title.to_owned(), grows, is_logarithmic: table.id == BY_NUMBER, lines }
}

/// A line for each backend, along the rows of its periods.
fn by_rows(table: &Table, at: usize, column: &str) -> Plot {
    let mut lines: Vec<Line> = Vec::new();
    for row in &table.rows {
        let Some((name, how)) = row.title.rsplit_once(", ") else { continue };
        let period = match how.strip_prefix("one in ") {
            Some(period) => period.parse().ok(),
            None => (how == "every operation").then_some(1.0),
        };
        let (Some(period), Some(Some(cell))) = (period, row.cells.get(at)) else { continue };
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push((period, *cell)),
            None => lines.push(Line { name: name.to_owned(), points: vec![(period, *cell)] }),
        }
    }
    let grows = "one operation is recorded in so many";
    Plot { title: column.to_owned(), grows, is_logarithmic: false, lines }
}

/// Where the picture is in its frame, in pixels.
const LEFT: f64 = 60.0;
const TOP: f64 = 28.0;
const WIDTH: f64 = 470.0;
const HEIGHT: f64 = 220.0;
/// Where the lines' names stand, and how far below each other.
const NAMES: f64 = LEFT + WIDTH + 24.0;
const NAME: f64 = 17.0;
/// How many colours there are: as many as the page's style has.
const COLOURS: usize = 8;

/// A value's place between two others, from 0 to 1.
#[derive(Clone, Copy)]
struct Scale {
    from: f64,
    to: f64,
    is_logarithmic: bool,
}

impl Scale {
    fn place(&self, value: f64) -> f64 {
        let of = |value: f64| if self.is_logarithmic { value.max(1e-9).ln() } else { value };
        let (from, to) = (of(self.from), of(self.to));
        if to > from { (of(value) - from) / (to - from) } else { 0.5 }
    }

    /// Values to be named: powers of ten, or a handful of round ones.
    fn marks(&self) -> Vec<f64> {
        if self.is_logarithmic {
            let powers = (0..12).map(|power| 10_f64.powi(power));
            return powers.filter(|mark| (self.from..=self.to).contains(mark)).collect();
        }
        let rough = (self.to - self.from) / 5.0;
        let unit = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * unit);
        let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(rough);
        (0..=5).map(|mark| f64::from(mark) * step).filter(|mark| *mark <= self.to).collect()
    }
}

impl Plot {
    fn across(&self) -> Scale {
        let all = || self.lines.iter().flat_map(|line| line.points.iter().map(|(x, _)| *x));
        let (from, to) = (all().fold(f64::MAX, f64::min), all().fold(1.0, f64::max));
        Scale { from, to, is_logarithmic: true }
    }

    fn upward(&self) -> Scale {
        let all = || self.lines.iter().flat_map(|line| line.points.iter().map(|(_, cell)| *cell));
        // No interval is so wide that the lines would lie flat below it.
        let upper = |cell| extent(cell).2.min(2.0 * extent(cell).1);
        let to = all().map(upper).fold(f64::MIN_POSITIVE, f64::max);
        let least = all().map(|cell| extent(cell).0).fold(to, f64::min);
        let is_logarithmic = self.is_logarithmic;
        // From a power of ten on, or from nothing.
        let from = if is_logarithmic { 10_f64.powf(least.max(1.0).log10().floor()) } else { 0.0 };
        Scale { from, to: to * 1.05, is_logarithmic }
    }

    /// As a picture of its own.
    #[must_use]
    pub fn svg(&self) -> String {
        if self.lines.is_empty() {
            return String::new();
        }
        let (across, upward) = (self.across(), self.upward());
        let x = |value: f64| LEFT + across.place(value) * WIDTH;
        let y = |value: f64| TOP + (1.0 - upward.place(value).clamp(0.0, 1.0)) * HEIGHT;
        let height = (TOP + HEIGHT + 44.0).max(TOP + NAME * self.lines.len() as f64);
        let mut svg = format!(
            "<svg width=\"{:.0}\" height=\"{height:.0}\" role=\"img\"><text x=\"{LEFT}\" y=\"13\" font-weight=\"600\">{}</text>\n",
            NAMES + 260.0,
            escaped(&self.title)
        );
        for mark in upward.marks() {
            let (at, right) = (y(mark), LEFT + WIDTH);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{mark}</text>",
                LEFT - 6.0,
                at + 4.0
            );
        }
        let mut named: Vec<f64> =
            self.lines.iter().flat_map(|line| line.points.iter().map(|(x, _)| *x)).collect();
        named.sort_by(f64::total_cmp);
        named.dedup();
        let foot = TOP + HEIGHT;
        for value in named {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{value}</text>",
                x(value),
                foot + 16.0
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            LEFT + WIDTH / 2.0,
            foot + 34.0,
            self.grows
        );
        for (number, line) in self.lines.iter().enumerate() {
            line.draw(&mut svg, number, x, y);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

impl Line {
    /// Adds it, with the interval of each of its points, and its name.
    fn draw(
        &self,
        svg: &mut String,
        number: usize,
        x: impl Fn(f64) -> f64,
        y: impl Fn(f64) -> f64,
    ) {
        let colour = number % COLOURS;
        // Whoever cannot tell colours apart can tell these.
        let dashes = ["", "6 3", "2 3"][(number / COLOURS + number) % 3];
        let path: Vec<String> = self
            .points
            .iter()
            .map(|(at, cell)| format!("{:.1},{:.1}", x(*at), y(extent(*cell).1)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"line c{colour}\" stroke-dasharray=\"{dashes}\" points=\"{}\"/>",
            path.join(" ")
        );
        for (at, cell) in &self.points {
            let (low, middle, high) = extent(*cell);
            let _ = writeln!(
                svg,
                "<line class=\"line c{colour}\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{1:.1}\" y2=\"{2:.1}\"/><circle class=\"point p{colour}\" cx=\"{0:.1}\" cy=\"{3:.1}\" r=\"3\"><title>{4}: {5}</title></circle>",
                x(*at),
                y(low),
                y(high),
                y(middle),
                escaped(&self.name),
                escaped(&crate::documents::shown(*cell)),
            );
        }
        let at = TOP + NAME * number as f64;
        let _ = writeln!(
            svg,
            "<line class=\"line c{colour}\" stroke-dasharray=\"{dashes}\" x1=\"{NAMES}\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\"/><text x=\"{}\" y=\"{}\">{}</text>",
            NAMES + 24.0,
            NAMES + 32.0,
            at + 4.0,
            escaped(&self.name)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Ratio;

    fn table(id: &str, columns: &[&str], rows: &[&str]) -> Table {
        let mut table = Table::new(id, id, columns);
        table.rows = rows
            .iter()
            .zip(1..)
            .map(|(title, row)| {
                let cell = |column: usize| {
                    let median = f64::from(row) + column as f64;
                    Some(Cell::Ratio(Ratio { median, low: median - 0.1, high: median + 0.1 }))
                };
                Row { title: (*title).to_owned(), cells: (0..columns.len()).map(cell).collect() }
            })
            .collect();
        table
    }

    fn points(line: &Line) -> Vec<(f64, f64)> {
        line.points.iter().map(|(x, cell)| (*x, extent(*cell).1)).collect()
    }

    #[test]
    fn cost_is_drawn_against_periods() {
        let rows = ["wrapper, every operation", "wrapper, one in 100", "lazy, awake, one in 100"];
        let [one, two] = &plots(&table(PERIODS, &["std Mutex", "other"], &rows))[..] else {
            panic!("one for each column")
        };
        assert_eq!((&*one.title, &*two.title), ("std Mutex", "other"));
        let [wrapper, lazy] = &one.lines[..] else { panic!("one for each backend") };
        assert_eq!((&*wrapper.name, &*lazy.name), ("wrapper", "lazy, awake"));
        assert_eq!(points(wrapper), [(1.0, 1.0), (100.0, 2.0)]);
    }

    #[test]
    fn cost_is_drawn_against_threads_on_one_lock_and_on_their_own() {
        let columns = ["1 thread", "2 threads", "2 threads, a lock each"];
        let [one, own] = &plots(&table("threads_std", &columns, &["closed"]))[..] else {
            panic!("two plots")
        };
        assert_eq!(points(&one.lines[0]), [(1.0, 1.0), (2.0, 2.0)]);
        assert_eq!(points(&own.lines[0]), [(2.0, 3.0)]);
    }

    #[test]
    fn memory_is_drawn_against_the_number_of_locks_and_bars_are_left_alone() {
        let [plot] = &plots(&table(BY_NUMBER, &["1,000 locks", "10,000 locks"], &["a"]))[..] else {
            panic!("one plot")
        };
        assert_eq!(points(&plot.lines[0]), [(1e3, 1.0), (1e4, 2.0)]);
        assert!(plots(&table("two_short", &["std Mutex"], &["closed"])).is_empty());
    }

    #[test]
    fn a_picture_holds_each_point_in_its_frame() {
        let rows = ["wrapper, every operation", "wrapper, one in 100"];
        let svg = plots(&table(PERIODS, &["std <Mutex>"], &rows))[0].svg();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("std &lt;Mutex&gt;"), "{svg}");
        let heights = svg.split("cy=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for height in heights.map(|height| height.parse::<f64>().unwrap()) {
            assert!((TOP..=TOP + HEIGHT).contains(&height), "{height}");
        }
    }
}

//! Figures of several rounds, and the table that people read.

use std::fmt;

/// What several rounds have measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Round by round, this over the other.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(this, other)| this / other).collect())
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn ends(&self) -> (f64, f64) {
        self.0
            .iter()
            .fold((f64::INFINITY, 0.0), |(low, high), value| (low.min(*value), high.max(*value)))
    }
}

/// What a figure counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    PerSecond,
    Milliseconds,
    Microseconds,
    KiB,
    Times,
    Percent,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Microseconds => format!("{value:.0} us"),
            Self::KiB => format!("{value:.1} KiB"),
            Self::Times => format!("{value:.2}x"),
            Self::Percent => format!("{:.0} %", value * 100.0),
        }
    }
}

/// What a ratio should be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    None,
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Line>);

#[derive(Debug)]
struct Line {
    what: String,
    unit: Unit,
    series: Series,
    target: Target,
}

impl Table {
    pub(crate) fn figure(&mut self, what: impl Into<String>, unit: Unit, series: &Series) {
        self.ratio(what, unit, series, Target::None);
    }

    pub(crate) fn ratio(
        &mut self,
        what: impl Into<String>,
        unit: Unit,
        series: &Series,
        target: Target,
    ) {
        self.0.push(Line { what: what.into(), unit, series: series.clone(), target });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n{:<58}{:>12}   {:<26}", "", "median", "least .. most")?;
        for Line { what, unit, series, target } in &self.0 {
            let (low, high) = series.ends();
            let spread = format!("{} .. {}", unit.show(low), unit.show(high));
            let median = series.median();
            let verdict = match *target {
                Target::None => String::new(),
                Target::AtLeast(wanted) => verdict("at least", wanted, *unit, median >= wanted),
                Target::AtMost(wanted) => verdict("at most", wanted, *unit, median <= wanted),
            };
            let line = format!("{what:<58}{:>12}   {spread:<26}{verdict}", unit.show(median));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn verdict(sense: &str, wanted: f64, unit: Unit, is_met: bool) -> String {
    let met = if is_met { "met" } else { "NOT MET" };
    format!("{sense} {}: {met}", unit.show(wanted))
}

/// How busy the machine has been in the last minute, where the system tells.
pub(crate) fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

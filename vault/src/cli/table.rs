//! Columns for a person to read.

use std::fmt;

/// Rows under a heading. Every column is as wide as its widest cell.
pub(super) struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(super) fn new(heading: [&str; COLUMNS]) -> Self {
        Self { rows: vec![heading.map(String::from)] }
    }

    pub(super) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(cells);
    }
}

impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; COLUMNS];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &self.rows {
            let cells: String =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
            writeln!(formatter, "{}", cells.trim_end())?;
        }
        Ok(())
    }
}

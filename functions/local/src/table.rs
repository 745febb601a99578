//! Tables without lines: columns that line up, and nothing else.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// A table under its heads; columns of numbers stand to the right.
pub(crate) fn table(heads: &[&str], numbers: &[usize], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heads.iter().copied());
    table.add_rows(rows);
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // Nothing trails a line, so that transcripts and diffs stay clean.
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

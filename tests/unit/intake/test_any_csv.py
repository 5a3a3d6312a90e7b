"""CSVs of any separator and encoding, and those that cannot be read."""

import re

import pytest

from workflow_scripts.errors import UserError
from workflow_scripts.intake.any_csv import read_rows


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separator_and_encoding_are_recognised(tmp_path, separator, encoding):
    rows = [["path", "label"], ["é.png", "a"], ['say "so"', "b c"]]
    lines = [separator.join(f'"{cell.replace(chr(34), 2 * chr(34))}"' for cell in row) for row in rows]
    (tmp_path / "a.csv").write_bytes("\r\n".join(["", *lines, ""]).encode(encoding))
    assert read_rows(tmp_path / "a.csv") == rows


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ('a.png,"x\nb.png,y\nc.png,z\n', 1, "unexpected end of data"),
        ('a.png,x\nb.png,"y"z,\n', 2, "expected after"),
        (f"a.png,x\nb.png,{'y' * 200_000}\n", 2, "field larger than field limit"),
        ('a.png,"x\nb.png,y\nc.png,z"\n', 1, "a text in it has several lines"),
    ],
    ids=["open mark", "text behind a mark", "a long text", "a mark closed far below"],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line_and_the_reason(tmp_path, content, line, problem):
    (tmp_path / "a.csv").write_text(content)
    begin = f"{re.escape(str(tmp_path))}/a.csv: the row that begins in line {line} cannot be read"
    with pytest.raises(UserError, match=rf"^{begin} \(.*{problem}"):
        read_rows(tmp_path / "a.csv")

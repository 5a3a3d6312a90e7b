"""Texts in CSVs that a spreadsheet would run: none does, and every text comes back."""

import csv
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from workflow_scripts.io.tables import read_csv, write_csv
from workflow_scripts.spreadsheets import given_back, harmless

RUN = ("=", "+", "-", "@", "\t", "\r")
"""First letters of what spreadsheets run (OWASP, CSV injection)."""
TEXTS = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "'=1", "''@x", "\t=1", "Cr", "'quoted'", "a=b", "ü"]


@given(st.text(st.sampled_from("'=+-@\t\rab \"")))
def test_no_text_is_run_and_every_text_comes_back(text: str) -> None:
    assert not harmless(text).startswith(RUN)
    assert given_back(harmless(text)) == text


def test_a_table_is_written_harmless_and_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    table = pd.DataFrame({"label": TEXTS, "difference": [-1.5] * len(TEXTS)})
    write_csv(table, str(path))
    with open(path, newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert not [row["label"] for row in rows if row["label"].startswith(RUN)]
    assert rows[-3]["label"] == "'quoted'"
    assert {row["difference"] for row in rows} == {"-1.5"}  # a number stays one
    assert read_csv(path)["label"].tolist() == TEXTS

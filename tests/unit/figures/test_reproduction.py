"""Published numbers beside ours, against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.workflow import ROOT
from workflow_scripts.errors import UserError
from workflow_scripts.figures.reproduction import tabulate
from workflow_scripts.settings.published import read_facts

TABLE = pd.DataFrame(
    {
        "layer": "fire9",
        "whiten": [True] * 4 + [False],
        "fold": pd.array([None] * 3 + [0, None], dtype="Int64"),
        "inertia": [10.0, 11, 12, 5, 99],
        "accuracy": [0.9, 0.7, 0.8, 0.1, 0.2],
    }
)


def compared(folder, *facts, tables=TABLE):
    (folder / "facts.yaml").write_text("facts:\n" + "".join(f"  - {{{fact}}}\n" for fact in facts))
    (folder / "tables" / "study").mkdir(parents=True)
    tables.to_parquet(folder / "tables" / "study" / "figure.parquet")
    inputs = {"tables": [str(folder / "tables/study/figure.parquet")]}
    figure = {"facts": [fact.model_dump(mode="json") for fact in read_facts(folder / "facts.yaml")]}
    return tabulate(figure, [], inputs)


def fact(**keys):
    known = {
        "what": "w",
        "published": 0.8,
        "place": "p",
        "table": "study/figure",
        "column": "accuracy",
        "layer": "fire9",
    }
    return ", ".join(f"{key}: {value}" for key, value in {**known, "rows": "{whiten: true}", **keys}.items())


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, 0.8),
        ({"take": "sd"}, 0.1),
        ({"take": "min"}, 0.7),
        ({"take": "max"}, 0.9),
        ({"take": "lowest_inertia"}, 0.9),
        ({"take": "correlation"}, -0.5),
        ({"take": "share_above", "limit": 0.75}, 2 / 3),
        ({"take": "relative_span", "column": "inertia"}, 0.2),
        ({"rows": "{whiten: true, fold: 0}"}, 0.1),
    ],
)
def test_a_number_is_taken_of_the_rows_of_all_images(tmp_path, how, expected):
    row = compared(tmp_path, fact(**how)).iloc[0]
    assert row["ours"] == pytest.approx(expected)
    assert row["difference"] == pytest.approx(expected - 0.8)


def test_within_the_tolerance_or_not(tmp_path):
    table = compared(tmp_path, fact(published=0.81), fact(published=0.82), fact(published=0.82, tolerance=0.02))
    assert table["within"].tolist() == [True, False, True]
    assert table["sd"].tolist() == pytest.approx([0.1] * 3)
    assert table["n"].tolist() == [3, 3, 3]


def test_a_layer_in_place_of_the_papers_is_named(tmp_path):
    row = compared(tmp_path, fact(layer="fc1")).iloc[0]
    assert (row["published_layer"], row["layer"], row["remark"]) == ("fc1", "fire9", "fire9 in place of fc1")


def test_what_was_not_run_says_why(tmp_path):
    table = compared(tmp_path, fact(table="other"), fact(rows="{layer: fc2}"))
    assert table[["ours", "within"]].isna().all(axis=None)
    assert table["remark"].tolist() == [
        "not run: there is no table other",
        "not run: no row of study/figure has layer = fc2",
    ]


def test_a_mistake_in_the_published_numbers_is_one_line(tmp_path):
    (tmp_path / "facts.yaml").write_text("facts: [{what: w, published: high, place: p}]")
    with pytest.raises(UserError, match=r"facts\.yaml: facts\.0\.published: found 'high', allowed: a number"):
        read_facts(tmp_path / "facts.yaml")


def test_the_published_numbers_of_cohn_are_those_of_the_paper():
    facts = {fact.what: fact.published for fact in read_facts(ROOT / "config/published/cohn.yaml")}
    numbers = ["1 component", *(f"{n} components" for n in (5, 10, 20, 50, 100, 250, 500, 1000, 1800))]
    whitened = [facts[f"{number}, whitened"] for number in numbers]
    assert whitened == [0.46, 0.878, 0.972, 0.983, 0.996, 0.852, 0.547, 0.297, 0.17, 0.191]
    folds = [facts[f"fold {number}, validation"] for number in range(1, 6)]
    assert np.mean(folds) == pytest.approx(0.992)

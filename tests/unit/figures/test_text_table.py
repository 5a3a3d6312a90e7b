"""Tables as figures: many rows stand side by side where the figure is wide, and otherwise the largest are written."""

import numpy as np
import pytest
from figure_artefacts import STYLE, artefacts, draw, tabulate

from workflow_scripts.figures.text_table import MOST_LINES, write_table
from workflow_scripts.figures.theme import theme

HEADINGS = ["Class", "n"]


def written(width, n_rows, sizes=None):
    """The figure, and the names in it from top to bottom, part by part."""
    sizes = np.arange(n_rows) if sizes is None else sizes
    rows = [[f"class_{row:03d}", str(size)] for row, size in enumerate(sizes)]
    settings = {"width": width, "height": None, "title": None}
    with theme(STYLE):
        made, n_shown = write_table(settings, HEADINGS, rows, STYLE, sizes=sizes)
    names = [text for text in made.axes[0].texts if text.get_text().startswith("class_")]
    assert len(names) == n_shown
    ordered = sorted(names, key=lambda text: text.get_position())
    return made, [text.get_text() for text in ordered]


def test_few_rows_are_one_part_in_their_order():
    _, names = written(170, 30)
    assert names == [f"class_{row:03d}" for row in range(30)]


def test_many_rows_are_parts_of_equal_length_side_by_side():
    made, names = written(170, 121)
    assert names == [f"class_{row:03d}" for row in range(121)]
    assert len({text.get_position()[0] for text in made.axes[0].texts if text.get_text() == "Class"}) == 3
    assert max(text.get_position()[1] for text in made.axes[0].texts) == 41


def test_of_too_many_rows_the_largest_keep_their_order():
    sizes = np.random.default_rng(0).permutation(200)
    _, names = written(40, 200, sizes)
    largest = sorted(np.argsort(sizes)[-MOST_LINES:])
    assert names == [f"class_{row:03d}" for row in largest]


@pytest.mark.parametrize(("width", "said"), [(85, True), (170, False)])
def test_a_figure_says_when_rows_are_left_out(width, said, tmp_path):
    for kind, what in (("class_scores", "73 classes"), ("cluster_scores", "74 clusters")):
        cells, inputs = artefacts(tmp_path, 73)[kind]
        figure = draw(kind, tabulate(kind, cells, inputs), inputs, width)
        note = " ".join(figure._supxlabel.get_text().split())
        assert (f"The 50 largest of {what}." in note) == said

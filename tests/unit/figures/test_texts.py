"""Texts are as wide as they are measured, and shortened names stay different."""

import matplotlib as mpl
import pytest
from figure_artefacts import STYLE
from matplotlib.backends.backend_agg import FigureCanvasAgg

from workflow_scripts.figures.canvas import canvas, note
from workflow_scripts.figures.texts import text_width
from workflow_scripts.figures.theme import theme
from workflow_scripts.figures.trust import names_within


@pytest.mark.parametrize("dpi", [60, 90, 300])
def test_texts_are_as_wide_as_they_were_measured_at_every_resolution(dpi):
    with theme(STYLE):
        figure = canvas({"width": 170, "height": None, "title": None}, 20)
        note(figure, "n = 21 images, mean ± sd over up to 20 repeats; noise counts in accuracies only. " * 3, STYLE)
        figure.set_dpi(dpi)
        drawn = FigureCanvasAgg(figure)
        drawn.draw()
        (text,) = figure.findobj(lambda artist: isinstance(artist, mpl.text.Text) and artist.get_text().count("\n"))
        widest = max(text_width(line, text.get_size()) for line in text.get_text().split("\n"))
        assert text.get_window_extent(drawn.get_renderer()).width / dpi * 25.4 == pytest.approx(widest, rel=0.01)


@pytest.mark.parametrize("differing", ["{} pca 10 components ward", "resnet50 layer4 {} pca 10 components kmeans"])
def test_names_of_cells_stay_different_when_they_are_shortened(differing):
    names = [differing.format(level) for level in ("avg of the third block", "max of the third block")] * 2
    short = names_within(names, 30, STYLE)
    assert len(set(short)) == 2
    assert short[:2] == short[2:]
    assert all("…" in name for name in short)


def test_a_pair_of_names_that_become_equal_changes_no_other_name():
    names = [f"vgg16 block{b} avg pca 50 components {c}" for b in (1, 2, 3) for c in ("kmeans", "ward", "spectral")]
    pair = [f"vgg16 block5 {level} of all positions pca 50 components kmeans" for level in ("max", "avg")]
    short = names_within(names + pair, 34, STYLE)
    assert short[: len(names)] == names_within([*names, pair[0]], 34, STYLE)[:-1]
    assert short[-2:] == ["…block5 max of al… kmeans", "…block5 avg of al… kmeans"]


def test_names_that_differ_in_several_words_keep_these_words():
    names = [f"vgg16, block{b}, avg, pca, {n} components, kmeans" for b in (1, 2, 3, 4) for n in (10, 20, 50)]
    short = names_within(names, 30, STYLE)
    assert len(set(short)) == len(names)
    for name, text in zip(names, short, strict=True):
        _, block, _, _, n, _, clusterer = name.replace(",", "").split(" ")
        assert all(word in text for word in (block, n, clusterer))

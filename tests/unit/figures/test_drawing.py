"""Figures as drawn: readable, the same colours everywhere, the same bytes every time."""

import itertools
import re
from pathlib import Path

import figure_artefacts
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from figure_artefacts import (
    CELL,
    KINDS,
    STYLE,
    draw,
    tabulate,
    write_clusters,
    write_manifest,
    write_store,
)
from jinja2 import Environment
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from workflow_scripts.figures.colours import NOBODY, looks
from workflow_scripts.figures.saving import save
from workflow_scripts.figures.theme import theme

ROOT = Path(__file__).parents[3]
LEGIBLE = 4.5
CLASSES = [f"class_{c:02d}" for c in range(7)]


def texts(figure):
    """Every visible text with its place in pixels, after a real drawing."""
    canvas = FigureCanvasAgg(figure)
    with theme(STYLE):
        figure.draw_without_rendering()
        canvas.draw()
    found = [text for text in figure.findobj(mpl.text.Text) if text.get_visible() and text.get_text().strip()]
    unseen = {id(label) for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) for label in labels_out_of_view(axis)}
    return [(text, text.get_window_extent(canvas.get_renderer())) for text in found if id(text) not in unseen]


def labels_out_of_view(axis):
    """Of ticks beyond the limits, which matplotlib has and does not draw; and all of an axis that is switched off."""
    low, high = sorted(axis.get_view_interval())
    for tick in axis.get_major_ticks():
        if not (axis.axes.axison and low <= tick.get_loc() <= high):
            yield from (tick.label1, tick.label2)


OF_CLASSES = ("samples", "class_distribution", "scale_table", "preprocessing", "embedding", "confusion")
OF_NO_LABELS = (
    *("formats", "explained_variance", "reproduction", "k_distance"),
    *("intrinsic_dimension", "thick_line", "reconstruction", "training"),
    *("decision_graph", "toy_panel", "nmi_example"),
    *("choice_map", "restarts_enough"),
)
OF_MANY = (
    *("scale_table", "maps", "class_by_cluster", "silhouette_profile"),
    *("class_scores", "cluster_scores", "area_fractions"),
)
CASES = [(kind, 7) for kind in KINDS] + [(kind, n) for kind in OF_CLASSES for n in (2, 25)]
CASES += [(kind, 73) for kind in OF_MANY]


@pytest.mark.parametrize("width", [85, 170])
@pytest.mark.parametrize(("kind", "n_classes"), CASES)
def test_figures_have_their_width_and_their_texts_lie_inside_and_apart(kind, n_classes, width, drawn):
    figure = drawn(kind, n_classes, width=width, title="A title")
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(width)
    assert_texts_lie_inside_and_apart(figure)


LONG = ["Martensitisches Gefüge mit Restaustenit (Charge 17)", "Ελαττωματικές κηλίδες β-φάσης", "écailles & <rayures>"]


@pytest.mark.parametrize("width", [85, 170])
@pytest.mark.parametrize("kind", ["class_by_cluster", "confusion", "distances", "near_twins", "samples"])
def test_long_names_of_classes_fit(kind, width, made):
    cells, inputs = made(kind, len(LONG), names=LONG)
    assert_texts_lie_inside_and_apart(draw(kind, tabulate(kind, cells, inputs), inputs, width))


def test_curves_of_mutual_information_want_two_classes(drawn):
    assert "All labels are of one class" in strings(drawn("nmi_curves", 1))


@pytest.mark.parametrize("width", [85, 170])
def test_long_names_fit_above_several_images_side_by_side(width, made):
    cells, inputs = made("preprocessing", len(LONG), names=LONG)
    table = tabulate("preprocessing", cells, inputs, classes=3)
    assert_texts_lie_inside_and_apart(draw("preprocessing", table, inputs, width))


@pytest.mark.parametrize("kind", ["contact_sheet", "near_twins", "islands"])
def test_named_images_have_the_names_of_their_files(kind, made):
    cells, inputs = made(kind, 3)
    ids = pd.read_csv(inputs["manifest"][0])["image_id"]
    figure = draw(kind, tabulate(kind, cells, inputs, images=[ids[1], "2.png"]), inputs, 85)
    assert_texts_lie_inside_and_apart(figure)
    assert all(name in strings(figure) for name in ("1.png", "2.png"))


def assert_texts_lie_inside_and_apart(figure):
    boxes = texts(figure)
    outer = figure.bbox.padded(1.5)
    for text, box in boxes:
        sideways, upright = (outer.x0 <= box.x0, box.x1 <= outer.x1), (outer.y0 <= box.y0, box.y1 <= outer.y1)
        assert all(sideways + upright), f"{text.get_text()!r} leaves the figure"
        assert text.get_size() >= LEGIBLE, text.get_text()
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        apart = a.x1 <= b.x0 + 1.5 or b.x1 <= a.x0 + 1.5 or a.y1 <= b.y0 + 1.5 or b.y1 <= a.y0 + 1.5
        assert apart, f"{one.get_text()!r} overlaps {other.get_text()!r}"


def test_titles_side_by_side_stand_on_the_same_lines_whatever_their_letters(drawn):
    figure = drawn("samples", 2)
    figure.set_dpi(200)
    titled = [ax for ax in figure.axes if ax.get_title()]
    for ax, title in zip(titled, ("ccc\nn = 1", "ggg\nn = 1"), strict=True):
        ax.title.set_text(title)  # both words are as high as an x, and one goes below the line
    canvas = FigureCanvasAgg(figure)
    with theme(STYLE):
        canvas.draw()
    inked = np.asarray(canvas.buffer_rgba())[..., 0] < 140
    spans = [slice(*(round(x) for x in ax.get_window_extent().intervalx)) for ax in titled]
    one, other = (np.flatnonzero(inked[:, span].any(axis=1))[0] for span in spans)
    assert one == pytest.approx(other, abs=1)


def test_titles_of_maps_of_different_heights_stand_on_one_line(made):
    cells, inputs = made("maps", 2)
    table = tabulate("maps", cells, inputs)
    table.loc[table["series"] == table["series"].iloc[0], "y"] *= 0.5
    figure = draw("maps", table, inputs, 170)
    tops = {round(box.y0) for text, box in texts(figure) if "n = " in text.get_text()}
    assert len(tops) == 1


def test_a_pair_of_twins_is_nearer_to_its_own_title_than_to_the_next_one(made):
    cells, inputs = made("near_twins", 7)
    table = tabulate("near_twins", cells, inputs).head(1)
    figure = draw("near_twins", pd.concat([table] * 8), inputs, 170)
    first, second = (box for text, box in texts(figure) if text in (figure.subfigs[i]._suptitle for i in (0, 4)))
    image = figure.subfigs[0].axes[0].get_window_extent()
    assert 0 < first.y0 - image.y1 < 0.7 * (image.y0 - second.y1)


def test_the_point_of_a_single_k_is_on_top_of_all_curves_and_hides_no_other_point(drawn):
    lines = drawn("nmi_curves").axes[0].get_lines()
    points = [line for line in lines if line.get_marker() == "o"]
    assert points
    assert all(line.get_fillstyle() == "none" for line in points)
    assert min(line.zorder for line in points) > max(line.zorder for line in lines if line not in points)


def strings(figure):
    return " ".join(re.sub(r"\s", " ", text.get_text()) for text, _ in texts(figure))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in OF_NO_LABELS])
def test_figures_without_labels_say_so(kind, drawn):
    assert "no labels" in strings(drawn(kind, labelled=False)).lower()


OF_ACCURACY = {
    **{kind: {} for kind in ("confusion", "sensitivity", "restarts", "best_of_n", "heatmap", "folds")},
    "specification_curve": {"metric": "accuracy_majority"},
    "clusterer_scores": {"metrics": ["accuracy_majority", "silhouette"]},
}


@pytest.mark.parametrize(("kind", "settings"), OF_ACCURACY.items())
def test_an_accuracy_stands_beside_what_a_single_cluster_reaches(kind, settings, made):
    cells, inputs = made(kind)
    said = strings(draw(kind, tabulate(kind, cells, inputs, **settings), inputs))
    share = "30.0" if kind == "folds" else "14.3"  # of the largest class
    assert f"largest class {share} %, matched" in said
    assert "ARI" in said


def test_without_labels_nothing_stands_beside_an_accuracy(made):
    cells, inputs = made("clusterer_scores", labelled=False)
    table = tabulate("clusterer_scores", cells, inputs, metrics=["accuracy_majority", "silhouette"])
    said = strings(draw("clusterer_scores", table, inputs))
    assert "metrics that need labels are dashes" in said
    assert "Beside accuracy" not in said


@pytest.mark.parametrize("width", [85, 170])
def test_bars_of_uneven_classes_have_their_numbers_and_lengths(width, tmp_path):
    sizes = {f"class_{c:02d}": 100 // (c + 1) for c in range(60)}
    labels = [name for name, size in sizes.items() for _ in range(size)] + [""] * 70
    inputs = {"manifest": [write_manifest(tmp_path, labels)]}
    figure = draw("class_distribution", tabulate("class_distribution", [CELL], inputs), inputs, width)
    beyond = sum(list(sizes.values())[40:])
    bars = [*list(sizes.values())[:40], beyond, 70]
    assert [bar.get_width() for bar in figure.axes[0].patches] == bars
    said = strings(figure)
    total = sum(sizes.values())
    for text in (f"100 ({100 * 100 / total:.1f}", "20 smaller classes", "without a label", "60 classes", "100 : 1"):
        assert text in said


def test_the_same_class_has_the_same_colour_in_every_figure(drawn, made):
    expected = {name: look.colour for name, look in looks(CLASSES, STYLE).items()}

    samples = drawn("samples")
    titled = {ax.get_title(loc="center").split("\n")[0]: ax for ax in samples.axes if ax.get_title(loc="center")}
    assert {name: to_hex(ax.spines["left"].get_edgecolor()) for name, ax in titled.items()} == expected

    cells, inputs = made("embedding")
    table = tabulate("embedding", cells, inputs)
    embedding = draw("embedding", table, inputs)
    for ax, name in zip(embedding.axes, ("label", "predicted"), strict=True):
        at = {(x, y): name for x, y, name in table[["x", "y", name]].values.tolist()}
        (points,) = (collection for collection in ax.collections if len(collection.get_offsets()) > 1)
        places, colours = points.get_offsets().tolist(), map(to_hex, points.get_facecolors())
        assert {at[tuple(place)]: colour for place, colour in zip(places, colours, strict=True)} == expected

    dots = drawn("confusion").axes[0].lines
    assert [dot.get_color() for dot in dots] == 2 * list(expected.values())


OF_COLOURED_CLASSES = (
    *("samples", "class_distribution", "scale_table", "preprocessing", "embedding", "confusion", "maps", "distances"),
    *("class_by_cluster", "contact_sheet", "cluster_pair", "class_scores", "cluster_scores", "silhouette_profile"),
    *("near_twins", "area_fractions"),
)


@pytest.mark.parametrize("kind", OF_COLOURED_CLASSES)
def test_a_class_keeps_its_colour_in_a_figure_of_a_subset(kind, made, tmp_path):
    of_all = {name: look.colour for name, look in looks(CLASSES, STYLE).items()}
    subset = ["class_02", "class_05"]
    cells, inputs = made(kind, 2, names=subset)
    whole = write_manifest(tmp_path, CLASSES)
    figure = draw(kind, tabulate(kind, cells, inputs), {**inputs, "classes": whole})
    shown = colours_of(figure) & set(of_all.values())
    assert shown
    assert shown <= {of_all[name] for name in subset}


def colours_of(figure):
    """The colours of all lines, marks, bars, areas and frames, of rows of colours too."""
    lines = [line.get_color() for line in figure.findobj(mpl.lines.Line2D)]
    patches = figure.findobj(mpl.patches.Patch)
    sides = [colour for patch in patches for colour in (patch.get_facecolor(), patch.get_edgecolor())]
    points = [row for marks in figure.findobj(mpl.collections.Collection) for row in marks.get_facecolor()]
    return {to_hex(colour) for colour in (*lines, *sides, *points)}


def test_the_second_cluster_of_a_class_has_another_shade_and_marker(made):
    cells, inputs = made("embedding")
    figure = draw("embedding", tabulate("embedding", cells, inputs), inputs)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    entries = dict(zip(names, figure.legends[0].legend_handles, strict=True))
    assert list(entries)[:3] == ["class_00", "class_00-2", "class_01"]
    first, second = entries["class_00"], entries["class_00-2"]
    assert first.get_color() != second.get_color()
    assert first.get_marker() != second.get_marker()
    ratios = np.array(mpl.colors.to_rgb(second.get_color())) / np.array(mpl.colors.to_rgb(first.get_color()))
    np.testing.assert_allclose(ratios, 0.6, atol=0.02)  # the same hue, darker


def test_noise_is_pale_and_in_the_legend(tmp_path, made):
    _, inputs = made("embedding", 2)
    noisy = write_clusters(tmp_path / "noisy.h5", {"auto": ([[-1, 0, 0, 1, 1, 1]], [np.nan])})
    inputs = {**inputs, "clusters": [noisy]}
    figure = draw("embedding", tabulate("embedding", [CELL], inputs), inputs)
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "noise"
    assert figure.legends[0].legend_handles[-1].get_color() == NOBODY.colour


def test_5000_restarts_make_a_small_svg(tmp_path):
    rng = np.random.default_rng(0)
    rows = [{"inertia": 1 + a, "accuracy_majority": 1 - a} for a in rng.random(5000)]
    path = figure_artefacts.write_scores(tmp_path / "s.parquet", rows)
    inputs = {"scores": [path], "manifest": [write_manifest(tmp_path, ["a", "b"])]}
    save(draw("restarts", tabulate("restarts", [CELL], inputs), inputs), tmp_path / "f.svg", tmp_path / "f.png", STYLE)
    assert (tmp_path / "f.svg").stat().st_size < 300_000


def test_wide_images_keep_their_shape(tmp_path):
    images = write_store(tmp_path / "wide.h5", images=np.zeros((2, 10, 30, 3), np.uint8))
    inputs = {"manifest": [write_manifest(tmp_path, ["a", "b"])], "preprocessed": [images]}
    figure = draw("samples", tabulate("samples", [CELL], inputs), inputs)
    texts(figure)
    box = figure.axes[0].get_window_extent()
    assert box.width / box.height == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_the_caption_of_a_kind_says_what_it_shows(kind):
    class Job:
        wildcards = type("Wildcards", (), {"study": "standard", "figure": "first"})
        params = type("Params", (), {"figure": {"kind": kind, "title": None}})

    source = (ROOT / "config/captions/figure.rst").read_text()
    rendered = Environment(trim_blocks=True, lstrip_blocks=True).from_string(source).render(snakemake=Job)
    html = publish_parts(rendered, writer="html", settings_overrides={"halt_level": 2})["body"]
    assert ("Reproduction" if kind == "reproduction" else "standard, first") in html
    assert len(html) > 300


NAMES = [
    *("Sc", "Sc-2", "(Sc-2)", "noise", "all", "none", "?", "no label", "$x_1$", "$", "钢的夹杂物", "x" * 120),
    *(f"nineteen_letters_in{end}" for end in ("", "g_one", "g_two")),
    *(f"{'long_' * 24}{end}" for end in ("one", "two")),
    *(f"{'same_on_both_sides_' * 3}{number}{'_and_here_too' * 3}" for number in (1, 2)),
]
OF_NAMES = (
    *("samples", "class_distribution", "scale_table", "embedding", "confusion", "class_scores", "maps"),
    *("class_by_cluster", "contact_sheet", "cluster_scores", "silhouette_profile", "distances", "perturbations"),
)


@pytest.mark.parametrize("kind", OF_NAMES)
def test_whatever_classes_are_called_their_names_stay_apart(kind, made):
    cells, inputs = made(kind, len(NAMES), names=NAMES)
    figure = draw(kind, tabulate(kind, cells, inputs), inputs)
    said = [text.get_text() for text, _ in texts(figure)]
    for name in ("Sc", "Sc-2", "noise", "all", "none", "?", "$x_1$", "$", "钢的夹杂物"):
        assert any(name in line for line in said)
    for shown in lists_of_names(figure):
        assert len(shown) == len(set(shown))


def lists_of_names(figure):
    """The names in each legend, beside and below each panel."""
    yield from ([text.get_text() for text in legend.get_texts()] for legend in figure.legends)
    for ax in figure.axes:
        yield from ([text.get_text() for text in axis.get_ticklabels()] for axis in (ax.xaxis, ax.yaxis))


def test_classes_called_as_noise_and_as_second_clusters_keep_their_names(tmp_path):
    labels = ["Sc", "Sc", "Sc", "Sc-2", "noise", "?", "", "no label"]
    manifest = write_manifest(tmp_path, labels)
    clusters = write_clusters(tmp_path / "c.h5", {"6": ([[0, 0, 1, 2, 3, 4, 5, -1]], [1.0])})
    points = write_store(tmp_path / "p.h5", {"method": "tsne"}, scores=np.random.default_rng(0).normal(size=(8, 2)))
    inputs = {"manifest": [manifest], "clusters": [clusters], "map": [points]}
    table = tabulate("embedding", [CELL], inputs)
    assert list(table["name"]) == ["Sc", "Sc", "(Sc-2)", "Sc-2", "noise", "?", "(?)", "(noise)"]
    assert list(table["rank"]) == [1, 1, 2, 1, 1, 1, 1, 1]
    figure = draw("embedding", table, inputs)
    assert {"(noise)", "noise", "(no label)", "(?)", "?"} <= {text.get_text() for text in figure.legends[0].get_texts()}
    matrix = tabulate("confusion", [CELL], inputs).pivot(index="label", columns="predicted", values="count")
    assert matrix.loc["noise", "noise"] == matrix.loc["no label", "(noise)"] == matrix.loc["?", "?"] == 1


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        *(("choice_map", "whiten"), ("specification_curve", "whiten"), ("nuisances", "fact")),
        *(("clusterer_scores", "name"), ("overlay", "parent")),
    ],
)
def test_values_that_begin_alike_have_different_names(made, kind, column):
    cells, inputs = made(kind, 7)
    table = tabulate(kind, cells, inputs)
    first, second, *_ = table[column].unique()
    long = "the features of the fourth block, all places pooled by their {} and divided by the root of the variance"
    table = table.replace({column: {first: long.format("mean"), second: long.format("maximum")}})
    figure = draw(kind, table, inputs, width=85)
    names = [text.get_text() for text, _ in texts(figure) if "the f" in text.get_text()]
    assert len(names) == len(set(names)) == 2


def test_a_legend_of_too_many_entries_says_how_many_are_left_out(drawn):
    texts_of = [text.get_text() for text in drawn("maps", 100).legends[0].get_texts()]
    assert texts_of == [*(f"class_{c:02d}" for c in range(90)), "and 10 more"]


def test_a_contact_sheet_shows_the_largest_of_many_clusters(made):
    cells, inputs = made("contact_sheet", 40)
    table = tabulate("contact_sheet", cells, inputs)
    assert list(table["name"].unique()) == [f"class_{c:02d}" for c in range(1, 31)]  # the first class has two clusters
    assert (table["n_clusters"] == 41).all()


def test_73_classes_leave_the_maps_and_the_page_readable(drawn, made):
    figure = drawn("embedding", 73)
    texts(figure)
    legend = figure.legends[0].get_window_extent()
    assert len(figure.legends[0].get_texts()) == 74
    assert all(legend.y1 <= ax.get_window_extent().y0 for ax in figure.axes)
    assert figure.bbox.x0 <= legend.x0 <= legend.x1 <= figure.bbox.x1
    cells, inputs = made("samples", 73)
    samples = draw("samples", tabulate("samples", cells, inputs, per_class=12), inputs)
    width, height = samples.get_size_inches()
    assert height < 4 * width


def words_of(figure):
    """All texts of a figure in one line, with single spaces."""
    return " ".join(" ".join(text.get_text() for text, _ in texts(figure)).split())


@pytest.mark.parametrize("kind", ["contact_sheet", "cluster_pair", "near_twins"])
def test_frames_of_images_without_a_label_are_in_the_legend(kind, made):
    cells, inputs = made(kind)
    table = tabulate(kind, cells, inputs)
    assert "no label" not in words_of(draw(kind, table, inputs))
    figure = draw(kind, table.assign(label=table["label"].mask(table.index == table.index[0], None)), inputs)
    assert figure.legends[0].get_texts()[-1].get_text() == "no label"
    assert figure.legends[0].legend_handles[-1].get_color() == NOBODY.colour
    assert NOBODY.colour in colours_of(figure)


@pytest.mark.parametrize("kind", ["sensitivity", "clusterer_scores"])
def test_cells_of_subsets_have_a_range_of_images(kind, made, tmp_path):
    cells, inputs = made(kind)
    subsets = [inputs["manifest"][0], write_manifest(tmp_path, CLASSES)]
    assert "n = 7 to 21 images" in words_of(draw(kind, tabulate(kind, cells, inputs), {**inputs, "subsets": subsets}))


def test_a_fold_without_a_labelled_held_out_image_is_named_and_drawn_whole(made):
    cells, inputs = made("folds")
    table = tabulate("folds", cells, inputs)
    assert "has a label" not in words_of(draw("folds", table, inputs))
    last = table["fold"].max()
    figure = draw("folds", table[(table["fold"] < last) | (table["split"] == "training")], inputs)
    assert f"No held-out image of fold {last + 1} has a label." in words_of(figure)
    assert all(ax.get_xlim()[1] > last + 1.2 for ax in figure.axes)
    figure = draw(
        "folds", table[(table["fold"] < last) | (table["split"] == "training")].assign(metric="silhouette"), inputs
    )
    assert f"Fold {last + 1}: no held-out value." in words_of(figure)  # one cluster has no silhouette, labels or not
    assert "has a label" not in words_of(figure)


def test_class_by_cluster_says_how_many_images_have_a_label(made):
    cells, inputs = made("class_by_cluster")
    table = tabulate("class_by_cluster", cells, inputs)
    assert "have a label" not in words_of(draw("class_by_cluster", table, inputs))
    larger = table.assign(size=table["size"] + 1)
    n, of_all = table["count"].sum(), larger.drop_duplicates("cluster")["size"].sum()
    assert f"{n} of {of_all} images have a label" in words_of(draw("class_by_cluster", larger, inputs))


def test_folds_of_a_later_cell_with_lower_values_are_in_view(made):
    cells, inputs = made("folds")
    table = tabulate("folds", cells, inputs)
    lower = table.assign(series="lower", mean=20.0, sd=0)
    figure = draw("folds", pd.concat([table.assign(mean=80.0, sd=0), lower], ignore_index=True), inputs)
    assert all(ax.get_ylim()[0] < 20 for ax in figure.axes)

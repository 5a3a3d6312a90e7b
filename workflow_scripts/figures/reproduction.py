"""Compare the numbers of this run with published ones."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note
from workflow_scripts.figures.colours import FAINT, INK, colours
from workflow_scripts.figures.theme import theme
from workflow_scripts.io.tables import read_parquet
from workflow_scripts.wording import count, decimal

LIMIT = 6.0
"""Length of the axis on each side, in tolerances. A larger difference is drawn as a triangle at the end of the axis."""
ROW = 3.3
"""Height of a row in millimetres."""


def _lowest_inertia(values: pd.Series, rows: pd.DataFrame, limit: float) -> float:
    return values.to_numpy()[rows["inertia"].argmin()]


def _correlation(values: pd.Series, rows: pd.DataFrame, limit: float) -> float:
    return float(np.corrcoef(values, rows["inertia"])[0, 1])


TAKE: Mapping[str, Callable[[pd.Series, pd.DataFrame, float], float]] = {
    "mean": lambda values, rows, limit: values.mean(),
    "sd": lambda values, rows, limit: values.std(),
    "min": lambda values, rows, limit: values.min(),
    "max": lambda values, rows, limit: values.max(),
    "share_above": lambda values, rows, limit: (values > limit).mean(),
    "relative_span": lambda values, rows, limit: values.max() / values.min() - 1,
    "lowest_inertia": _lowest_inertia,
    "correlation": _correlation,
}
"""Functions that compute a number from a column and its rows; the name of a function is the `take` of a fact."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Compare every published number with the number of this run.

    The published numbers are the `facts` in the settings (`settings.published.Fact`).

    Returns
    -------
    DataFrame with one row per fact, in the order of the file:

    - `study`: the study whose table has the number of this run.
    - `what`, `place`: the number in words, and its place in the publication.
    - `published_layer`, `layer`: the layer in the publication and in this run.
    - `published`, `ours`, `difference`: the two numbers, and ours minus the published one.
    - `tolerance`, `within`: allowed difference, and whether ours is within it (null if not run).
    - `sd`, `n`: standard deviation (only if `ours` is a mean) and number of the rows that `ours` is computed from.
    - `remark`: which layer replaces that of the publication, or why the number was not run.
    """
    tables = {path.rpartition("/tables/")[2].removesuffix(".parquet"): read_parquet(path) for path in inputs["tables"]}
    rows = [_compared(fact, tables.get(fact.table)) for fact in (SimpleNamespace(**fact) for fact in figure["facts"])]
    return pd.DataFrame(rows).astype({"within": "boolean", "n": "Int64"})


def _compared(fact: SimpleNamespace, table: pd.DataFrame | None) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "study": _study(fact),
        "what": fact.what,
        "place": fact.place,
        "published_layer": fact.layer,
    }
    columns |= {"published": fact.published, "tolerance": fact.tolerance}
    rows = pd.DataFrame() if table is None else _matching(table, fact.rows)
    if rows.empty:
        ours = {"layer": None, "ours": np.nan, "difference": np.nan, "within": None, "sd": np.nan, "n": None}
        return {**columns, **ours, "remark": _not_run(fact, table)}
    values = rows[fact.column].astype(float)
    number = float(TAKE[fact.take](values, rows, fact.limit))
    difference = number - fact.published
    layer = ", ".join(sorted(set(rows["layer"]))) if "layer" in rows else fact.layer
    return {
        **columns,
        "layer": layer,
        "ours": number,
        "difference": difference,
        "within": bool(abs(difference) <= fact.tolerance + 1e-9),
        "sd": values.std() if fact.take == "mean" else np.nan,
        "n": len(values),
        "remark": "" if layer == fact.layer else f"{layer} in place of {fact.layer}",
    }


def _matching(table: pd.DataFrame, wanted: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows whose columns have the wanted values.

    Rows of cross-validation folds are left out unless `wanted` has a fold.
    """
    kept = np.ones(len(table), dtype=bool)
    for column, value in wanted.items():
        kept &= (table[column] == value).fillna(False).to_numpy(dtype=bool)
    if "fold" in table and "fold" not in wanted:
        kept &= table["fold"].isna().to_numpy()
    return table[kept]


def _study(fact: SimpleNamespace) -> str:
    return fact.table.partition("/")[0].partition(".")[0]


def _not_run(fact: SimpleNamespace, table: pd.DataFrame | None) -> str:
    if table is None:
        return f"not run: there is no table {fact.table}"
    wanted = ", ".join(f"{column} = {value}" for column, value in fact.rows.items())
    return f"not run: no row of {fact.table} has {wanted}"


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw the differences in units of their tolerance, in two columns, or in one if the figure is narrow."""
    with theme(style):
        columns = 1 if figure["width"] < NARROW_BELOW_MM else 2
        lines = _lines(table)
        height = -(-len(lines) // columns)
        made = canvas(figure, ROW * height + 20)
        axes = made.subplots(1, columns, squeeze=False, sharex=True)[0]
        size = min(style["font_size"], 5.5)
        for ax, start in zip(axes, range(0, len(lines), height), strict=True):
            _draw_lines(ax, lines[start : start + height], height, size, colours(style))
        run = table["within"].dropna()
        met = f"{run.sum()} of {count(len(run), 'number')} within the tolerance, {len(table) - len(run)} not run"
        stand_in = table.loc[table["remark"].str.contains("in place of"), "remark"].unique()
        also = f" {'; '.join(stand_in)}." if len(stand_in) else ""
        note(made, f"{met}. In brackets: published, ours. Bars: ± sd over the repeats.{also}", style)
    return made


def _lines(table: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Return the rows of the table as mappings from columns to values, with a heading before each study."""
    lines: list[Any] = []
    for study, rows in table.groupby("study", sort=False):
        lines.append({"heading": study})
        lines.extend(row for _, row in rows.iterrows())
    return lines


def _draw_lines(ax: Axes, lines: Sequence[Mapping[str, Any]], height: int, size: float, palette: Sequence[str]) -> None:
    ax.axvspan(-1, 1, color=FAINT, alpha=0.25, linewidth=0)
    ax.axvline(0, color=FAINT, linewidth=0.6)
    for y, line in enumerate(lines):
        if "heading" not in line:
            _draw_line(ax, y, line, size, palette)
    ax.set_yticks(range(len(lines)), [_label(line) for line in lines], size=size)
    for tick, line in zip(ax.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if "heading" in line else "normal")
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(height - 0.5, -0.5), xlim=(-LIMIT - 0.3, LIMIT + 0.3), xlabel="Difference /\ntolerance")


def _draw_line(ax: Axes, y: int, line: Mapping[str, Any], size: float, palette: Sequence[str]) -> None:
    if pd.isna(line["ours"]):
        ax.text(0, y, "not run", ha="center", va="center", size=size, color=INK)
        return
    place = line["difference"] / line["tolerance"]
    marker = "o" if abs(place) <= LIMIT else ">" if place > 0 else "<"
    colour = palette[0] if line["within"] else palette[2]
    shown = float(np.clip(place, -LIMIT, LIMIT))
    if marker == "o" and line["sd"] > 0:
        spread = line["sd"] / line["tolerance"]
        ax.plot([max(shown - spread, -LIMIT), min(shown + spread, LIMIT)], [y, y], color=colour, linewidth=0.7)
    ax.plot(shown, y, marker, color=colour, markersize=3)


def _label(line: Mapping[str, Any]) -> str:
    if "heading" in line:
        return line["heading"]
    ours = "–" if pd.isna(line["ours"]) else decimal(line["ours"], ".3g")
    return f"{line['what']} ({decimal(line['published'], '.3g')}, {ours})"

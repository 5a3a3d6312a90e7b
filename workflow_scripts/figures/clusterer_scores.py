"""Show a table that compares all clusterers on the same points.

Scores are means over the repeats, which are clusterings with different seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.figures.canvas import NARROW_BELOW_MM, note
from workflow_scripts.figures.names import BESIDE_ACCURACY, accuracy_note, n_in_words
from workflow_scripts.figures.text_table import BELOW, spread, write_table
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.cells import OneCell
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.tables import best_of_repeats, with_k
from workflow_scripts.scores import METRICS
from workflow_scripts.wording import count


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Return the number of clusters, the share of noise and the metrics of each cell, averaged over the repeats.

    A cell is one combination of choices.

    Returns
    -------
    DataFrame with one row per cell:

    - `name`: the clusterer, and whatever else differs between cells.
    - `k`: null if the clusterer finds k itself.
    - `n_clusters`, `noise`: means of the number of clusters and of the share of noise.
    - `n_repeats`: number of repeats.
    - `largest_cluster`, `largest_class`, `accuracy_matched`, `ari`: means of these shares.
    - `METRIC_mean`, `METRIC_sd` for each metric of the settings: mean and standard deviation (ddof 1). Both are null if
      the metric does not apply; the standard deviation is also null for one repeat.
    """
    rows = []
    for name, cell in zip(cell_names(cells, [*AXES]), OneCell.each(cells, inputs), strict=True):
        repeats = best_of_repeats(with_k(cell.scores(), figure["k"]))
        row = {"name": name, "k": repeats["k"].iloc[0], "n_repeats": len(repeats)}
        row |= {"n_clusters": repeats["n_clusters"].mean(), "noise": repeats["noise_fraction"].mean()}
        row |= repeats[["largest_cluster", *BESIDE_ACCURACY]].mean().to_dict()
        for metric in figure["metrics"]:
            row |= {f"{metric}_mean": repeats[metric].mean(), f"{metric}_sd": repeats[metric].std()}
        rows.append(row)
    return pd.DataFrame(rows).astype({"k": "Int64"})


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a table with a line for each cell. Usually the cells differ in their clusterer."""
    manifest = read_manifest(inputs["manifest"])
    metrics = [column.removesuffix("_mean") for column in table if column.endswith("_mean")]
    narrow = figure["width"] < NARROW_BELOW_MM
    with theme(style):
        short = short_names(table["name"], 16 if narrow else 40)
        rows = [
            [
                short[row["name"]],
                f"{row['n_clusters']:.3g}",
                f"{100 * row['noise']:.0f} %" if row["noise"] else "–",
                *([] if narrow else [f"{100 * row['largest_cluster']:.0f} %"]),
                *(_number(metric, row[f"{metric}_mean"], row[f"{metric}_sd"], narrow) for metric in metrics),
            ]
            for row in table.to_dict("records")
        ]
        headings = [
            "Clusterer",
            "k",
            "Noise",
            *([] if narrow else ["Largest"]),
            *(METRICS[metric].heading for metric in metrics),
        ]
        made, _ = write_table(figure, headings, rows, style, below=BELOW + 4)
        note(made, _explanation(table, metrics, manifest, n_in_words(inputs, metrics), narrow), style)
    return made


def _number(metric: str, mean: float, sd: float, narrow: bool) -> str:
    return spread(mean, float("nan") if narrow else sd, METRICS[metric].decimals)


def _explanation(table: pd.DataFrame, metrics: Sequence[str], manifest: pd.DataFrame, n: str, narrow: bool) -> str:
    repeats = f"mean {'' if narrow else '± sd '}over up to {count(table['n_repeats'].max(), 'repeat')}"
    unlabelled = "" if manifest["label"].notna().any() else "No labels: metrics that need labels are dashes. "
    means = [mean for mean in ("arithmetic", "geometric") if f"nmi_{mean}_mean" in table]
    nmi = f" NMI by the {' and the '.join(means)} mean." if means else ""
    counted = "noise counts in accuracies and DBCV only"
    counted += "" if narrow else "; Largest: share of the images in the largest cluster"
    return f"{unlabelled}{n}, {repeats}; {counted}.{nmi}{accuracy_note(metrics, table)}"

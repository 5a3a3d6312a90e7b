"""Plot how strongly each known fact about the images, such as the microscope, is associated with the groups."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.consensus.nuisance import associations
from workflow_scripts.figures.canvas import NARROW_BELOW_MM, canvas, note, placeholder
from workflow_scripts.figures.colours import FAINT, INK, PALE, colours
from workflow_scripts.figures.texts import short_names
from workflow_scripts.figures.theme import theme
from workflow_scripts.intake.image_facts import facts_of_files, facts_of_images, facts_of_table
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.runs import read_runs
from workflow_scripts.io.store import reading
from workflow_scripts.wording import count, decimal

SURE = 0.05
"""Largest p-value, corrected for the number of facts, that counts as significant."""
ROW = 4.6
"""Height of a bar in millimetres."""
MOST = 25
"""Largest number of facts that are drawn; the table has all."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Test the association of every known fact with the groups of the study's consensus.

    If there are labels, only images with the same label are compared. The facts come from three sources:

    - the images after each preprocessing of the study: brightness, contrast and sharpness;
    - the manifest: columns about the files, and the name of the folder at each level of their paths;
    - the columns of the user's table.

    Returns
    -------
    DataFrame with the columns of `consensus.nuisance.associations`, and `n_images`, `n_groups` and `n_labelled`. If
    images have labels, they were compared within labels. Empty if no fact varies among the images that are compared.
    """
    manifest = read_manifest(inputs["manifest"][0])
    groups = _groups(inputs["consensus"][0])
    variants = {cell["preprocess"]: path for cell, path in zip(cells, inputs["preprocessed"], strict=True)}
    looks = {name: facts_of_images(path, manifest) for name, path in variants.items()}
    parts = [table.add_suffix(f" ({name})") if len(looks) > 1 else table for name, table in looks.items()]
    brought = [facts_of_table(path, manifest).add_prefix("table: ") for path in inputs.get("facts", [])]
    facts = pd.concat([*parts, facts_of_files(manifest), *brought], axis=1)
    n_labelled = int(manifest["label"].notna().sum())
    labels = manifest["label"].fillna("").to_numpy() if n_labelled else None
    options = {"n_permutations": figure["n_permutations"], "seed": figure["seed"]}
    table = associations(groups, facts, labels, **options)
    return table.assign(n_images=len(groups), n_groups=len(np.unique(groups)), n_labelled=n_labelled)


def _groups(path: str) -> np.ndarray:
    with reading(path) as file:
        (runs,) = read_runs(file).values()
    return runs.labels[0].astype(np.intp)


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a bar for each fact, the strongest association first; bars of significant facts are coloured."""
    with theme(style):
        if table.empty:
            return placeholder(figure, "No known fact about the images varies among images with the same label.")
        rows = table[:MOST]
        made = canvas(figure, ROW * len(rows) + 26)
        ax = made.subplots()
        y = np.arange(len(rows))
        sure = rows["p_holm"] < SURE
        colour = colours(style)[2]
        ax.barh(y, 100 * rows["strength"], 0.62, color=np.where(sure, colour, PALE))
        for place, row in enumerate(rows.itertuples()):
            chance = f"{decimal(100 * row.strength, '.0f')} %" + ("" if sure.iloc[place] else f", p = {row.p_holm:.2f}")
            ax.annotate(
                chance, (100 * row.strength, place), (4, 0), textcoords="offset points", va="center", size="small",
                color=INK if sure.iloc[place] else FAINT,
            )  # fmt: skip
        ax.set_yticks(y, rows["fact"].map(short_names(rows["fact"], 20 if figure["width"] < NARROW_BELOW_MM else 34)))
        ax.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 125 * max(rows["strength"].max(), 0.05)))
        ax.set_xlabel("Explained by the groups, above chance (%)")
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        note(made, _explanation(table), style)
    return made


def _explanation(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    within = "within the images of each label" if first["n_labelled"] else "no labels: among all images"
    if 0 < first["n_labelled"] < first["n_images"]:
        within = f"within the {first['n_labelled']} images with a label by label, and within the others"
    return (
        f"{count(first['n_groups'], 'group')}, n = {first['n_images']} images, {within}. "
        f"Filled: p < {SURE:g} by permutation, corrected for {count(len(table), 'fact')} (Holm)."
    )

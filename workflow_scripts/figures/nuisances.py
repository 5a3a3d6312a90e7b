"""Plot how strongly each known fact about the images, such as the microscope, goes with the groups."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from workflow_scripts.consensus.nuisance import appearance, associations
from workflow_scripts.errors import UserError
from workflow_scripts.figures.style import FAINT, INK, PALE, canvas, colours, note, placeholder, shortened, theme
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.runs import read_runs
from workflow_scripts.io.store import reading

OF_FILES = ("format", "width", "height", "mode", "bytes", "pages", "scale_um", "nm_per_pixel")
"""Columns of the manifest that say how an image was taken or stored, and not what it shows."""
LEVELS = 3
"""Levels of folders that are looked at."""
SURE = 0.05
"""Largest p-value, corrected for all facts, that counts as significant."""
ROW = 4.6
"""Height of a bar in millimetres."""
MOST = 25
"""Facts that are drawn; the table has all."""
AT_ONCE = 1 << 24
"""Bytes of the images that are measured at once."""


def tabulate(
    figure: Mapping[str, Any], cells: Sequence[Mapping[str, Any]], inputs: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Test every known fact against the groups of the study's consensus, within labels if there are labels.

    The facts are brightness, contrast and sharpness of the images under each preprocessing of the study, the columns of
    the manifest about the files, the levels of their folders, and the columns of the user's table.

    Returns
    -------
    DataFrame with the columns of `consensus.nuisance.associations`, and `n_images`, `n_groups` and `labelled` (whether
    the groups were permuted within labels). Empty if no fact varies.
    """
    manifest = read_manifest(inputs["manifest"][0])
    groups = _groups(inputs["consensus"][0])
    parts = [_of_pictures(cells, inputs["preprocessed"], manifest), _of_files(manifest)]
    parts += [_brought(path, manifest) for path in inputs.get("facts", [])]
    facts = pd.concat(parts, axis=1)
    labelled = bool(manifest["label"].notna().any())
    labels = manifest["label"].fillna("").to_numpy() if labelled else None
    options = {"n_permutations": figure["n_permutations"], "seed": figure["seed"]}
    table = associations(groups, facts, labels, **options)
    return table.assign(n_images=len(groups), n_groups=len(np.unique(groups)), labelled=labelled)


def _groups(path: str) -> np.ndarray:
    with reading(path) as file:
        (runs,) = read_runs(file).values()
    return runs.labels[0].astype(np.intp)


def _of_pictures(cells: Sequence[Mapping[str, Any]], paths: Sequence[str], manifest: pd.DataFrame) -> pd.DataFrame:
    """Brightness, contrast and sharpness under every preprocessing."""
    variants = {cell["preprocess"]: path for cell, path in zip(cells, paths, strict=True)}
    tables = []
    for name, path in variants.items():
        with reading(path) as file:
            images, rows = file["images"], manifest["row"].to_numpy()
            batch = max(1, AT_ONCE // images[0].nbytes)
            parts = [appearance(_taken(images, rows[i : i + batch])) for i in range(0, len(rows), batch)]
        of_variant = pd.concat(parts, ignore_index=True)
        tables.append(of_variant if len(variants) == 1 else of_variant.add_suffix(f" ({name})"))
    return pd.concat(tables, axis=1)


def _taken(images: Any, rows: np.ndarray) -> np.ndarray:
    """The rows of a stack on disk; in a subset they are some of its rows, in its order."""
    low, high = int(rows.min()), int(rows.max()) + 1
    return images[low:high][rows - low]


def _of_files(manifest: pd.DataFrame) -> pd.DataFrame:
    facts = {name: manifest[name] for name in OF_FILES if name in manifest}
    facts = {name: _numbers(values) for name, values in facts.items()}
    parents = [PurePosixPath(path).parts[:-1] for path in manifest["path"]]
    for level in range(LEVELS):
        names = [folders[level] if level < len(folders) else "" for folders in parents]
        facts[f"folder, level {level + 1}"] = pd.Series(names, index=manifest.index)
    return pd.DataFrame(facts).reset_index(drop=True)


def _numbers(column: pd.Series) -> pd.Series:
    """A column of texts as numbers, missing where it is empty, if all that it holds are numbers."""
    numbers = pd.to_numeric(column.replace("", np.nan), errors="coerce")
    return numbers if (numbers.notna() | (column == "")).all() else column


def _brought(path: str, manifest: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table that the user brings; rows go by `image_id` or by `path`."""
    table = pd.read_csv(path)
    key = next((name for name in ("image_id", "path") if name in table), None)
    if key is None:
        raise UserError(f"{path}: found the columns {', '.join(table.columns)}, allowed: one of them image_id or path")
    if table[key].duplicated().any():
        twice = table.loc[table[key].duplicated(), key].iloc[0]
        raise UserError(f"{path}: found {twice} twice in {key}, allowed: a row an image")
    rest = table.set_index(table[key].astype(str)).drop(columns=["image_id", "path"], errors="ignore")
    return rest.reindex(manifest[key]).reset_index(drop=True).add_prefix("table: ")


def draw(table: pd.DataFrame, figure: Mapping[str, Any], inputs: Mapping[str, Any], style: Mapping[str, Any]) -> Figure:
    """Draw a bar for each fact, the strongest first; bars are filled if chance does not explain them."""
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
            chance = f"{100 * row.strength:.0f} %" + ("" if sure.iloc[place] else f", p = {row.p_holm:.2f}")
            ax.annotate(
                chance, (100 * row.strength, place), (4, 0), textcoords="offset points", va="center", size="small",
                color=INK if sure.iloc[place] else FAINT,
            )  # fmt: skip
        ax.set_yticks(y, [shortened(name, 34 if figure["width"] > 120 else 20) for name in rows["fact"]])
        ax.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 125 * max(rows["strength"].max(), 0.05)))
        ax.set_xlabel("Explained by the groups, above chance (%)")
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
        note(made, _explanation(table), style)
    return made


def _explanation(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    within = "within the images of each label" if first["labelled"] else "no labels: among all images"
    return (
        f"{first['n_groups']} groups, n = {first['n_images']} images, {within}. Filled: p < {SURE:g} by permutation, "
        f"corrected for {len(table)} facts (Holm)."
    )

"""Read the facts about the methods of a run from its files."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from workflow_scripts.io import store
from workflow_scripts.pages.methods.paragraph import IN_PROSE, Made


def read_made(
    sources: Mapping[str, Sequence[str]], backbones: Sequence[str], layers: Sequence[tuple[str, str]]
) -> Made:
    """Read, from the files of a run, the facts that its methods paragraph states.

    Parameters
    ----------
    sources : paths, by the kind of file: `manifest` and `rejected` (one each), `weights` (one for each of `backbones`),
        `features` (one for each of `layers`), `stores` (of points and clusters), and `tables` (of the studies, CSV).
    backbones : the backbones with weights.
    layers : the backbone and the layer of each store of features.
    """
    tables = {Path(path).stem: list(_rows(path)) for path in sources["tables"]}
    rows = [row for table in tables.values() for row in table]
    widths: dict[str, dict[str, int]] = {}
    inputs: dict[str, str] = {}
    for (backbone, layer), path in zip(layers, sources["features"], strict=True):
        with store.reading(path) as file:
            widths.setdefault(backbone, {})[layer] = file["features"].shape[1]
            if "normalise" in file.attrs:
                inputs[backbone] = store.text(file, "normalise")
    weights = [json.loads(Path(path).read_text(encoding="utf-8")) for path in sources["weights"]]
    return Made(
        images=list(_rows(sources["manifest"][0])),
        rejected=Counter(row["reason"] for row in _rows(sources["rejected"][0])),
        layers=widths,
        inputs=inputs,
        weights=dict(zip(backbones, weights, strict=True)),
        libraries=_libraries([*sources["features"], *sources["stores"]]),
        clusterings={study: sum(not row["fold"] for row in table) for study, table in tables.items()},
        scored=frozenset(column for column in IN_PROSE if any(row[column] for row in rows)),
        snakemake=version("snakemake"),
        python=python_version(),
    )


def _rows(path: str) -> Iterator[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as stream:
        yield from csv.DictReader(stream)


def _libraries(stores: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each library, the sorted list of the versions that the stores name."""
    versions: dict[str, set[str]] = {}
    for path in stores:
        with store.reading(path) as file:
            for name, number in store.attribute(file, "libraries").items():
                versions.setdefault(name, set()).add(number)
    return {name: sorted(numbers) for name, numbers in versions.items()}

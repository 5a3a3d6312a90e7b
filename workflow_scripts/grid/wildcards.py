"""The wildcards of the files that a configuration uses, for each kind of artefact.

Each function takes the grid of a configuration. Each mapping that it returns fills the wildcards in the path of one
file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from workflow_scripts.grid.axes import EVERYTHING, FEATURES_THEMSELVES
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import Grid

Wildcards = Mapping[str, str]
SMALLEST_K = "smallest"
"""What stands for k in the path of an artefact that reads the smallest k of each clusterer."""


def of_cells(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of all cells."""
    return (cell.parts for cell in grid.all_cells)


def preprocessed(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the preprocessing variants that cells have, that pages show, and on which networks are
    fine-tuned."""
    settings = grid.settings
    names = {cell.preprocess for cell in grid.all_cells}
    names |= {page.images for study in settings.studies.values() for page in study.pages.values() if page.images}
    names |= {tuned.preprocess for name in grid.backbones if (tuned := settings.backbones[name].finetune)}
    return ({"preprocess": name} for name in names)


def backbones(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the backbones that cells need and that have weights."""
    return ({"backbone": name} for name in grid.backbones if grid.settings.backbones[name].weights)


def tuned_backbones(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the fine-tuned backbones that cells need."""
    return ({"backbone": name} for name in grid.backbones if grid.settings.backbones[name].finetune)


def subsets(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the subsets of images that cells use, without the subset of all images."""
    names = dict.fromkeys(cell.subset for cell in grid.all_cells if cell.subset != EVERYTHING)
    return ({"subset": name} for name in names)


def features(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the features of cells.

    If features are joined from others, the wildcards of the others are included. So are those of the other layers that
    a network computes in the same forward pass.
    """
    yield from of_cells(grid)
    yield from _layers(grid)


def shards(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the features of the shards of the layers that several jobs compute."""
    for wildcards in _layers(grid):
        for shard in grid.settings.backbones[wildcards["backbone"]].shards_of(wildcards["layer"]):
            yield {**wildcards, "shard": shard}


def _layers(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the features of all images that the cells of a grid need."""
    for cell in grid.featured_cells:
        for layer in grid.settings.backbones[cell.backbone].layers_beside(cell.layer):
            yield {**cell.parts, "layer": layer}


def features_of_subsets(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the features of the cells whose images are a subset."""
    return ({**cell.parts, "layer": cell.layer} for cell in grid.all_cells if cell.subset != EVERYTHING)


def decomposed(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the decompositions of cells, and of the decompositions that figures and pages show.

    If a decomposition is computed from another one, the other one is included.
    """
    shown: list[tuple[Cell, str | None]] = [(cell, cell.decomposition) for cell in grid.all_cells]
    shown += ((cell, cell.decomposition) for cells in grid.maps.values() for cell in cells)
    for study, figures in grid.figures.items():
        for name, cells in figures.items():
            if coordinates := grid.settings.studies[study].figures[name].decomposition_shown:
                shown += product(cells, [coordinates])
    for cell, decomposition in shown:
        while decomposition and decomposition != FEATURES_THEMSELVES:
            yield {**cell.parts, "decomposition": decomposition}
            decomposition = grid.settings.decompositions[decomposition].source


def validated(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the cells of each study that has a cross-validation."""
    for name, study in grid.settings.studies.items():
        if study.cross_validation:
            yield from ({**cell.parts, "cross_validation": study.cross_validation} for cell in grid.cells[name])


def studies(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of all studies."""
    return ({"study": name} for name in grid.settings.studies)


def modelled_studies(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the studies that have a model for new images."""
    return ({"study": name} for name in grid.settings.studies if grid.modelled(name))


def figures(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the figures of all studies."""
    return ({"study": study, "figure": name} for study, figures in grid.figures.items() for name in figures)


def consensus(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the studies whose consensus a figure or a clusterer reads."""
    for name, study in grid.settings.studies.items():
        if any("consensus" in figure.sources for figure in study.figures.values()):
            yield {"study": name}
    for cell in grid.all_cells:
        if study_read := grid.settings.clusterers[cell.clusterer].study_read:
            yield {"study": study_read}


def agreements(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards (study and k) of the agreement between cells that a figure or the consensus reads."""
    for name, study in grid.settings.studies.items():
        reading = [fig for fig in study.figures.values() if "agreement" in fig.sources or fig.of_trusted_cell]
        of_figures = (getattr(figure, "k", None) for figure in reading)
        yield from ({"study": name, "at_k": k_in_path(k)} for k in of_figures)
    for wildcards in consensus(grid):
        k = grid.settings.studies[wildcards["study"]].consensus_settings()["k"]
        yield {**wildcards, "at_k": k_in_path(k)}


def perturbed(grid: Grid) -> Iterator[Wildcards]:
    """Yield the wildcards of the figures that show perturbed images."""
    for wildcards in figures(grid):
        if "perturbed" in grid.settings.studies[wildcards["study"]].figures[wildcards["figure"]].sources:
            yield wildcards


def pages(kind: str) -> Callable[[Grid], Iterator[Wildcards]]:
    """Return a function that yields the wildcards of the studies with a page of this kind."""
    return lambda grid: ({"study": study} for study, pages in grid.pages.items() if kind in pages)


def scaled(grid: Grid) -> Iterable[Wildcards]:
    """Return [{}] (one file, whose path has no wildcards) if the run reads scale bars, otherwise [] (no file)."""
    return [{}] if grid.settings.intake.scale_bars else []


def whole_run(grid: Grid) -> Iterable[Wildcards]:
    """Return [{}] for an artefact that every run has: it is one file, whose path has no wildcards."""
    return [{}]


def reproduction(grid: Grid) -> Iterable[Wildcards]:
    """Return [{}] (one file, whose path has no wildcards) if the run is compared with published numbers, otherwise []
    (no file)."""
    return [{}] if grid.settings.reproduction else []


def k_in_path(k: int | None) -> str:
    """Return the text that stands for k in an artefact's path. None means the smallest k of each clusterer."""
    return SMALLEST_K if k is None else str(k)


def k_from_path(name: str) -> int | None:
    """Return the k from which `k_in_path` made `name`."""
    return None if name == SMALLEST_K else int(name)

"""Check a grid, so that a mistake in the configuration ends the run before its first job."""

from collections.abc import Iterable, Sequence
from math import prod

from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.grid.axes import AXES, FEATURES_THEMSELVES
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import PLACES_NEW_IMAGES, Grid, in_figure
from workflow_scripts.settings.figures import Figure
from workflow_scripts.settings.pages import Page


def check(grid: Grid) -> None:
    """Expand all studies into cells, and check them.

    Raises `UserError`, which names the study and the key, if a choice does not exist or makes no sense.
    """
    _ = grid.maps, grid.reducers
    for cell in grid.all_cells:
        _check_consensus(grid, cell)
        _check_columns(grid, cell)
    for study, settings in grid.settings.studies.items():
        for name, cells in grid.figures[study].items():
            with in_figure(name):
                _check_k(grid, cells, study, settings.figures[name])
                _check_figure(grid, cells, study, settings.figures[name])
        for name, cells in grid.pages[study].items():
            with in_figure(name):
                _check_k(grid, cells, study, settings.pages[name])
        if settings.cross_validation:
            _check_folds_can_be_fitted(grid, study)


def _check_consensus(grid: Grid, cell: Cell) -> None:
    study = grid.study_read(cell)
    if study is None:
        return
    agreeing = grid.agreeing(study)
    if not agreeing:
        raise UserError(f"config: clusterers.{cell.clusterer}.study: {study} has no cell with clusters of its own")
    if subsets := {other.subset for other in agreeing} - {cell.subset}:
        problem = f"found a cell of subset {cell.subset}, allowed: {', '.join(sorted(subsets))}"
        raise UserError(f"config: clusterers.{cell.clusterer}: {problem}, the images of the study {study}")


def _check_columns(grid: Grid, cell: Cell) -> None:
    """Raise `UserError` if a cell's clusterer cannot take as many columns as the cell's points have.

    Nothing is checked if this number is not known yet.
    """
    needed = grid.settings.clusterers[cell.clusterer].columns
    if needed is None:
        return
    reduced = cell.decomposition != FEATURES_THEMSELVES
    known = cell.n_components if reduced else grid.settings.backbones[cell.backbone].known_width(cell.layer)
    if known and (needed > known or (needed < known and not reduced)):
        of_what = cell.reducer if reduced else f"{cell.layer} of {cell.backbone}"
        allowed = f"{'at most ' if reduced else ''}{known}, the number of columns of {of_what}"
        raise UserError(f"config: clusterers.{cell.clusterer}.spaces: found {needed} columns, allowed: {allowed}")


def _check_folds_can_be_fitted(grid: Grid, study: str) -> None:
    for cell in grid.cells[study]:
        if grid.study_read(cell) is not None:
            problem = f"found {cell.clusterer!r}, allowed: one that clusters the points"
            raise UserError(f"config: studies.{study}: cross_validation: clusterer: {problem}")
        if not _is_applied_to_held_out_images(grid, cell.decomposition):
            problem = f"found {cell.decomposition!r}, allowed: a pca, which can be applied to held-out images"
            raise UserError(f"config: studies.{study}: cross_validation: decomposition: {problem}")


def _is_applied_to_held_out_images(grid: Grid, decomposition: str) -> bool:
    return grid.has_components(decomposition) and grid.settings.decompositions[decomposition].places_new_images


def _check_k(grid: Grid, cells: Iterable[Cell], study: str, figure: Figure | Page) -> None:
    k = getattr(figure, "k", None)
    wanted = [number for number in (k if isinstance(k, list) else [k]) if isinstance(number, int)]
    for clusterer in dict.fromkeys(cell.clusterer for cell in cells):
        allowed = grid.settings.clusterers[clusterer].ks
        for number in (number for number in wanted if allowed and number not in allowed):
            problem = found_allowed(number, allowed)
            raise UserError(f"config: studies.{study}: k: {problem}, the numbers of clusterers.{clusterer}.k")


def _check_figure(grid: Grid, cells: Sequence[Cell], study: str, figure: Figure) -> None:
    """Raise `UserError` if a figure cannot be made from the `cells` that it shows.

    Some figures need cells of the same images. A figure of perturbed images needs a cell that can assign new images to
    its groups. A figure that compares cells or k needs several of them, and some of these figures need all combinations
    of the choices that vary. If a figure draws values against an axis or k, there must be several values of it.
    """
    where = f"config: studies.{study}"
    if figure.of_one_subset and len({cell.subset for cell in cells}) > 1:
        allowed = "one: at: {subset: NAME} of the figure, or verdict: {at: {subset: NAME}}"
        raise UserError(f"{where}: found cells of several subsets, allowed: {allowed}")
    if figure.n_perturbed and not grid.perturbable(study, figure, cells[0]):
        problem = f"found {cells[0].backbone}, {cells[0].layer} and {cells[0].decomposition}"
        raise UserError(f"{where}: {problem}, allowed: {PLACES_NEW_IMAGES}")
    ks = {k for cell in cells for k in grid.settings.clusterers[cell.clusterer].ks}
    if figure.compares and len(cells) == 1 and len(ks) < 2:
        raise UserError(f"{where}: found one cell, allowed: two or more; name values in vary")
    if figure.of_product:
        _check_product(grid, cells, where)
    x = figure.drawn_along
    values = {getattr(cell, axis) for axis in AXES if (AXES[axis].column or axis) == x for cell in cells}
    if x and len(ks if x == "k" else values) == 1:
        raise UserError(f"{where}: x: found {x}, which does not vary in the study; add it to vary")


def _check_product(grid: Grid, cells: Sequence[Cell], where: str) -> None:
    """Raise `UserError` if `cells` lack a combination of the choices that vary, or differ in their k or repeats.

    Null is no value: a decomposition without components differs from another one in the decomposition alone, and null
    beside numbers is a combination too many.
    """
    clusterers = [grid.settings.clusterers[cell.clusterer] for cell in cells]
    values = {axis: {getattr(cell, axis) for cell in cells} for axis in AXES}
    values["k"] = {k for clusterer in clusterers for k in clusterer.ks}
    n_combinations = prod(len(found - {None}) or 1 for found in values.values())
    n_repeats = max(clusterer.n_repeats for clusterer in clusterers)
    n_scores = sum(max(len(clusterer.ks), 1) * clusterer.n_repeats for clusterer in clusterers)
    if n_scores != n_combinations * n_repeats:
        varying = [axis for axis, found in values.items() if len(found) > 1]
        numbers = " without null" if any(None in values[axis] for axis in varying) else ""
        allowed = f"all combinations of {', '.join(varying)}{numbers} (design: product), with the same k and repeats in"
        raise UserError(f"{where}: found {len(cells)} cells, allowed: {allowed} each")

"""Expand studies into cells (combinations of choices); leave out combinations that make no sense, with a reason."""

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, product
from typing import Any

from pydantic import ValidationError

from workflow_scripts.backbones.weight_names import NONE
from workflow_scripts.errors import UserError, found_allowed
from workflow_scripts.grid.axes import AXES, EVERYTHING, FEATURES_THEMSELVES, OF_REDUCTION, PARTS
from workflow_scripts.grid.cells import Cell
from workflow_scripts.settings.configuration import Settings
from workflow_scripts.settings.figures import Figure
from workflow_scripts.settings.pages import Page
from workflow_scripts.settings.reading import mistake
from workflow_scripts.settings.studies import Choices, Study, Subset

PLACES_NEW_IMAGES = (
    "what can be applied to new images: a backbone that computes features, and a decomposition pca, ica, "
    "kernel_pca, autoencoder or none, without regress_out"
)
"""What a cell must have to be applied to new images, in words for messages. `Grid.refuses_new_images` checks it."""


@dataclass(frozen=True)
class Skipped:
    """A combination of choices that a study leaves out, or a figure that it does not draw, and the reason."""

    study: str
    choices: tuple[tuple[str, Any], ...]
    reason: str


@dataclass(frozen=True)
class Grid:
    """The cells of every study, and the combinations of choices that are left out (`skipped`)."""

    settings: Settings
    skipped: list[Skipped] = field(default_factory=list)

    @cached_property
    def cells(self) -> dict[str, list[Cell]]:
        """Return the cells of each study; raises `UserError` if a study has none."""
        cells = {name: list(dict.fromkeys(self._expand(name, study))) for name, study in self.settings.studies.items()}
        for study in (name for name, of_study in cells.items() if not of_study):
            reasons = dict.fromkeys(skipped.reason for skipped in self.skipped if skipped.study == study)
            raise UserError(f"config: studies.{study}: no combination makes sense: {', '.join(reasons)}")
        return cells

    @cached_property
    def all_cells(self) -> list[Cell]:
        """Return the cells of every study, the cells that only figures or pages show, and the cells whose clusters
        define subsets."""
        shown = chain.from_iterable(kinds.values() for kinds in (*self.figures.values(), *self.pages.values()))
        used = list(dict.fromkeys(chain(*self.cells.values(), *shown)))
        return list(dict.fromkeys(chain(used, self._sources_of_subsets(used))))

    def parts_of(self, cell: Cell) -> list[Cell]:
        """Return the cells whose features are joined into those of `cell`. They are copies of `cell`, each with another
        backbone and layer.

        If the backbone of `cell` joins no others, the list has only `cell`.
        """
        layers = self.settings.backbones[cell.backbone].parts
        return [replace(cell, backbone=backbone, layer=layer) for backbone, layer in layers.items()] or [cell]

    @cached_property
    def featured_cells(self) -> list[Cell]:
        """Return the cells whose features the run needs: `all_cells` and, for joined features, the cells of each joined
        backbone (see `parts_of`)."""
        return list(dict.fromkeys(chain(self.all_cells, *map(self.parts_of, self.all_cells))))

    @cached_property
    def backbones(self) -> list[str]:
        """Return the names of the backbones whose features the run needs."""
        return list(dict.fromkeys(cell.backbone for cell in self.featured_cells))

    def _sources_of_subsets(self, cells: Iterable[Cell], pending: tuple[str, ...] = ()) -> Iterator[Cell]:
        """Yield the cells whose clusters define the subsets of `cells`, then the cells that define the subsets of
        those, and so on.

        `pending` are the names of the subsets that led to `cells`. Raises `UserError` if a subset depends on itself.
        """
        for name in dict.fromkeys(cell.subset for cell in cells if cell.subset != EVERYTHING):
            if name in pending:
                raise UserError(f"config: subsets.{name}: the subset is defined by itself; change its in_clusters.at")
            source = self.subset_cell(self.settings.subsets[name])
            if source is not None:
                yield source
                yield from self._sources_of_subsets([source], (*pending, name))

    @cached_property
    def figures(self) -> dict[str, dict[str, list[Cell]]]:
        """Return the cells that each figure shows, by study and figure. Figures of backbones without weights are left
        out."""
        return {name: dict(self._shown(name, study.figures)) for name, study in self.settings.studies.items()}

    @cached_property
    def pages(self) -> dict[str, dict[str, list[Cell]]]:
        """Return the cells that each page shows, by study and kind of page. Pages of backbones without weights are left
        out."""
        return {name: dict(self._shown(name, study.pages)) for name, study in self.settings.studies.items()}

    @cached_property
    def maps(self) -> dict[str, list[Cell]]:
        """Return the cells whose decompositions are shown as maps on pages, by study. These cells are not clustered."""
        return {
            name: [self._map(name, choices) for kind in self.pages[name] for choices in study.pages[kind].maps_shown]
            for name, study in self.settings.studies.items()
        }

    def _map(self, study: str, choices: Mapping[str, Any]) -> Cell:
        cell = self.baseline(study, **choices)
        if cell.decomposition == FEATURES_THEMSELVES:
            problem = found_allowed(FEATURES_THEMSELVES, self.settings.decompositions)
            raise UserError(f"config: studies.{study}.explorer.maps: decomposition: {problem}")
        return cell

    def _shown(self, study: str, figures: Mapping[str, Figure | Page]) -> Iterator[tuple[str, list[Cell]]]:
        for name, figure in figures.items():
            with in_figure(name):
                at = self._cell(study, self._choices(study, figure.at), f"studies.{study}: at")
                if reason := self._lacks_weights(at):
                    self.skipped.append(Skipped(study, (("figure", name),), f"{reason} (figures)"))
                else:
                    yield name, figure_cells(self, study, figure)

    @property
    def computed_figures(self) -> str:
        """Return a regular expression that matches `study/figure.` for each figure whose table takes long to
        compute."""
        studies = self.settings.studies
        names = [
            re.escape(f"{study}/{name}.")
            for study, figures in self.figures.items()
            for name in figures
            if studies[study].figures[name].computes
        ]
        return f"(?:{'|'.join(names) or 'none/none'})"

    @cached_property
    def reducers(self) -> dict[str, Cell]:
        """Return one of the cells of each reducer, by the reducer's name (`Cell.reducer`). Raises `UserError` if two
        different reductions have the same name."""
        by_name: dict[str, Cell] = {}
        for cell in self.all_cells:
            other = by_name.setdefault(cell.reducer, cell)
            if any(getattr(cell, axis) != getattr(other, axis) for axis in PARTS["reducer"]):
                raise UserError(f"config: decompositions: {cell.reducer} would stand for two reductions; rename one")
        return by_name

    def baseline(self, study: str, **at: Any) -> Cell:
        """Return the study's baseline cell with the choices `at`. Raises `UserError` if these choices make no sense
        together."""
        cell = self._cell(study, self._choices(study, at), f"studies.{study}: at")
        if reason := self._reason_to_skip(cell):
            raise UserError(f"config: studies.{study}: {reason}")
        return cell

    def modelled(self, study: str) -> Cell | None:
        """Return the cell that a study's model for new images is made from.

        This is the baseline, or the study's first cell if the baseline is no cell of the study. Returns None if the
        cell's backbone or decomposition cannot be applied to new images.
        """
        cell = self.first_choice(study)
        return None if self.refuses_new_images(cell) else cell

    def first_choice(self, study: str) -> Cell:
        """Return the study's baseline cell, or its first cell if the baseline is no cell of the study."""
        baseline = self._cell(study, self._choices(study, {}), f"studies.{study}: baseline")
        cells = self.cells[study]
        return baseline if baseline in cells else cells[0]

    def refuses_new_images(self, cell: Cell) -> str | None:
        """Return the backbone or the decomposition of a cell that cannot be applied to new images, such as
        `decomposition t-SNE`; None if both can."""
        if not self.settings.backbones[cell.backbone].places_new_images:
            return f"backbone {cell.backbone}"
        is_raw = cell.decomposition == FEATURES_THEMSELVES
        reduces = is_raw or self.settings.decompositions[cell.decomposition].places_new_images
        return None if reduces else f"decomposition {cell.decomposition}"

    def has_components(self, decomposition: str) -> bool:
        """Return whether a decomposition has ordered components, so that `n_components` and `whiten` apply."""
        return decomposition != FEATURES_THEMSELVES and self.settings.decompositions[decomposition].is_ordered

    def studies_with(self, clusterer: str) -> list[str]:
        """Return the names of the studies that use a clusterer, for messages."""
        return [study for study, cells in self.cells.items() if any(cell.clusterer == clusterer for cell in cells)]

    def subset_cell(self, subset: Subset) -> Cell | None:
        """Return the cell whose clusters define a subset; None if the subset is not defined by clusters. Raises
        `UserError` if the choices of the cell make no sense."""
        if subset.in_clusters is None:
            return None
        choices = ChainMap(dict(subset.in_clusters.at), {}, self.settings.baseline.model_dump())
        cell = self._cell("", choices, "subsets: in_clusters: at")
        if reason := self._reason_to_skip(cell):
            raise UserError(f"config: subsets: in_clusters: at: {reason}")
        return cell

    def agreeing(self, study: str) -> list[Cell]:
        """Return the cells from which a study's consensus is computed: the cells of its verdict page. Without such a
        page, it is computed from all cells of the study that cluster points."""
        return self.pages[study].get("verdict") or self.clustering(self.cells[study])

    def compared(self, study: str, k: int | None) -> list[Cell]:
        """Return the cells of a study whose agreement at k clusters is computed. They cluster points, and their
        clusterer is run with this k or finds the number of clusters itself. If k is None, all cells that cluster points
        are returned."""
        ks = {name: clusterer.ks for name, clusterer in self.settings.clusterers.items()}
        cells = self.clustering(self.cells[study])
        return [cell for cell in cells if k is None or not ks[cell.clusterer] or k in ks[cell.clusterer]]

    def perturbable(self, study: str, figure: Figure, shown: Cell) -> list[Cell]:
        """Return the cells that may assign the perturbed images of a figure to clusters; later the most trusted of them
        is chosen. These are the `rivals` that can be applied to new images."""
        return [cell for cell in self.rivals(study, figure, shown) if not self.refuses_new_images(cell)]

    def rivals(self, study: str, figure: Figure, shown: Cell) -> list[Cell]:
        """Return the cells among which a figure of perturbed images looks for the most trusted one. If the figure shows
        the baseline, it is only the cell `shown`."""
        if not figure.of_trusted_cell:
            return [shown]
        alike = figure.at | {"subset": shown.subset}
        return [cell for cell in self.compared(study, None) if alike.items() <= vars(cell).items()]

    def clustering(self, cells: Iterable[Cell]) -> list[Cell]:
        """Return the cells that cluster points. The clusters of the other cells are the consensus of a study."""
        return [cell for cell in cells if self.study_read(cell) is None]

    def study_read(self, cell: Cell) -> str | None:
        """Return the study whose consensus gives the clusters of a cell; None if the cell clusters points."""
        return self.settings.clusterers[cell.clusterer].study_read

    def _expand(self, name: str, study: Study) -> Iterator[Cell]:
        for key, changes in _combinations(study):
            choices = self._choices(name, changes)
            cell = self._cell(name, choices, f"studies.{name}.{key}")
            if reason := self._reason_to_skip(cell):
                self.skipped.append(Skipped(name, tuple(changes.items()), reason))
                if not changes:
                    raise UserError(f"config: studies.{name}: its baseline makes no sense: {reason}")
            else:
                if not self.has_components(cell.decomposition) and any(changes.get(axis) for axis in OF_REDUCTION):
                    reason = f"{cell.decomposition} is used as it is: no n_components, no whitening"
                    self.skipped.append(Skipped(name, tuple(changes.items()), reason))
                yield cell

    def _choices(self, study: str, changes: Mapping[str, Any]) -> ChainMap[str, Any]:
        """Return a value for each axis: from `changes`, else the study's baseline, else the configuration's."""
        study_baseline = self.settings.studies[study].baseline
        return ChainMap(dict(changes), dict(study_baseline), self.settings.baseline.model_dump())

    def _cell(self, study: str, choices: ChainMap[str, Any], changes_key: str) -> Cell:
        def key(axis: str) -> str:
            sources = (changes_key, f"studies.{study}.baseline", "baseline")
            return next(
                f"{source}.{axis}" for source, given in zip(sources, choices.maps, strict=True) if axis in given
            )

        try:
            valid = Choices.model_validate(dict(choices))
        except ValidationError as error:
            detail = error.errors()[0]
            problem = mistake(detail)
            axis, _, problem = (str(detail["loc"][0]), "", problem) if detail["loc"] else problem.partition(": ")
            raise UserError(f"config: {key(axis)}: {problem}") from None
        for axis, names in self._names.items():
            if (name := getattr(valid, axis)) not in names:
                raise UserError(f"config: {key(axis)}: {found_allowed(name, names)}")
        values = valid.model_dump()
        if not self.has_components(values["decomposition"]):
            values.update({axis: AXES[axis].default for axis in OF_REDUCTION})
        return Cell(**values)

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """Return the allowed names of each axis whose values are names."""
        passes = chain.from_iterable(backbone.passes for backbone in self.settings.backbones.values())
        sections: dict[str, Iterable[str]] = {"layers": dict.fromkeys(chain.from_iterable(passes))}
        return {
            name: [
                *(sections.get(axis.section) or getattr(self.settings, axis.section)),
                *([axis.reserved] if axis.reserved else []),
            ]
            for name, axis in AXES.items()
            if axis.section
        }

    def _reason_to_skip(self, cell: Cell) -> str | None:
        if self.settings.backbones[cell.backbone].pass_of(cell.layer) is None:
            return f"{cell.backbone} has no layer {cell.layer}"
        return self._lacks_weights(cell)

    def _lacks_weights(self, cell: Cell) -> str | None:
        for backbone in (part.backbone for part in self.parts_of(cell)):
            if self.settings.backbones[backbone].weights == NONE:
                return f"{backbone} has no weights; --config weights=FILE gives them"
        return None


def _combinations(study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield two values for each cell of a study: its place in the study's settings (such as `vary` or `cells.0`), and
    the choices that differ from the baseline."""
    axes = {axis: study.vary[axis] for axis in AXES if axis in study.vary}
    if study.design == "product":
        yield from (("vary", dict(zip(axes, values, strict=True))) for values in product(*axes.values()))
    else:
        yield "baseline", {}
        yield from (("vary", {axis: value}) for axis, values in axes.items() for value in values)
    yield from ((f"cells.{number}", cell) for number, cell in enumerate(study.cells))


@contextmanager
def in_figure(name: str) -> Iterator[None]:
    """Add the name of a figure or page to the message of a `UserError`."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{error} (figure {name})") from None


def figure_cells(grid: Grid, study: str, figure: Figure | Page) -> list[Cell]:
    """Return the cells that a figure or a page shows.

    If `figure.of_cells` is `one`, this is the study's baseline, changed by the choices `figure.at`. Otherwise they are
    the study's cells that have these choices. Several cells may look the same in the figure; then only the first of
    them is returned, unless `figure.of_cells` is `all`. Raises `UserError` if there is no cell.
    """
    if figure.of_cells == "one":
        return [grid.baseline(study, **figure.at)]
    cells = grid.cells[study] if figure.shows_consensus else grid.clustering(grid.cells[study])
    cells = [cell for cell in cells if figure.at.items() <= vars(cell).items()]
    if figure.of_method:
        decompositions = grid.settings.decompositions.items()
        of_method = {name for name, settings in decompositions if settings.method_name == figure.of_method}
        cells = [cell for cell in cells if cell.decomposition in of_method]
    if figure.of_cells != "all":
        cells = _first_of_each(cells, *figure.of_cells)
    if not cells:
        raise UserError(f"config: studies.{study}: it has no cell at {figure.at} for this kind of figure")
    return cells


def _first_of_each(cells: Iterable[Cell], *axes: str) -> list[Cell]:
    first: dict[tuple[Any, ...], Cell] = {}
    for cell in cells:
        first.setdefault(tuple(getattr(cell, axis) for axis in axes), cell)
    return list(first.values())

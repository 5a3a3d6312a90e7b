"""Input functions and params of the rule that writes the paragraph about the methods of the run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.inputs.stage import JobWildcards, Stage, dumped
from workflow_scripts.grid.paths import beside
from workflow_scripts.settings.figures import Figure


@dataclass(frozen=True)
class MethodsInputs(Stage):
    """Inputs of the rule that writes the paragraph about the methods of the run."""

    def sources(self, wildcards: JobWildcards) -> dict[str, list[str]]:
        """Return the paths of the files from which the paragraph is written, {kind of file: paths}."""
        layout, cells = self.layout, self.grid.all_cells
        of_cells = [path for cell in cells for path in (layout.points(cell), layout.of(layout.clusters, cell))]
        return {
            "manifest": [layout.manifest],
            "rejected": [layout.rejected],
            "weights": [layout.weights.format(backbone=backbone) for backbone in self._with_weights],
            "features": [layout.of(layout.features, cell, layer=cell.layer) for cell in self._first_of_layers],
            "stores": list(dict.fromkeys(of_cells)),
            "tables": [beside(layout.study_table.format(study=study), ".csv") for study in self.settings.studies],
        }

    @property
    def params(self) -> dict[str, Callable[[JobWildcards], Any]]:
        """Return the params of the rule: the settings of the run, and the backbones and layers of its input files.

        They are functions, so that Snakemake computes them only for the job of this rule, and not in all other jobs,
        which parse this rule too.
        """
        return {
            "run": lambda wildcards: self._described,
            "backbones": lambda wildcards: self._with_weights,
            "layers": lambda wildcards: [(cell.backbone, cell.layer) for cell in self._first_of_layers],
        }

    @property
    def _described(self) -> dict[str, Any]:
        """Return the settings of the run as phrases and numbers: the fields of `pages.methods.paragraph.Run`."""
        settings = self.settings
        return {
            "dataset": self.layout.dataset,
            "seed": settings.seed,
            "learns": any(settings.backbones[name].finetune for name in self.grid.backbones),
            "steps": {
                name: [step.prose for step in settings.preprocess[name].steps] for name in self._used("preprocess")
            },
            "backbones": {name: settings.backbones[name].prose for name in self.grid.backbones},
            "reductions": self._phrases("decomposition"),
            "maps": self._maps,
            "clusterers": self._phrases("clusterer"),
            "numbers": {
                name: {"k": clusterer.ks, "repeats": clusterer.n_repeats, "restarts": clusterer.restarts_per_repeat}
                for name, clusterer in settings.clusterers.items()
                if name in self._used("clusterer")
            },
            "analyses": self._analyses,
            "baseline": settings.baseline.dump(),
            "studies": {study: dumped(of_study) for study, of_study in self.grid.cells.items()},
        }

    def _used(self, axis: str) -> list[str]:
        """Return the different values that cells have on an axis."""
        return list(dict.fromkeys(getattr(cell, axis) for cell in self.grid.all_cells))

    def _phrases(self, axis: str) -> dict[str, str]:
        """Return the phrase (`prose`) of each variant that cells have on an axis, by the name of the variant."""
        variants = getattr(self.settings, str(AXES[axis].section))
        return {name: variants[name].prose for name in self._used(axis) if name in variants}

    @property
    def _maps(self) -> list[str]:
        """Return a phrase for each decomposition that figures or pages show, but whose points no cell clusters."""
        shown = [figure.decomposition_shown for figure in self._figures]
        shown += [cell.decomposition for cells in self.grid.maps.values() for cell in cells]
        clustered, variants = self._phrases("decomposition"), self.settings.decompositions
        return [variants[name].prose for name in dict.fromkeys(shown) if name and name not in clustered]

    @property
    def _analyses(self) -> list[str]:
        """Return a phrase for each analysis that a figure or a page of a study shows, without repetitions.

        Figures and pages that have no such phrase are left out.
        """
        pages = [page.in_prose for study in self.settings.studies.values() for page in study.pages.values()]
        return list(dict.fromkeys(filter(None, [figure.prose for figure in self._figures] + pages)))

    @property
    def _figures(self) -> list[Figure]:
        return [figure for study in self.settings.studies.values() for figure in study.figures.values()]

    @cached_property
    def _with_weights(self) -> list[str]:
        """Return the names of the backbones that cells need and that have weights."""
        return [name for name in self.grid.backbones if self.settings.backbones[name].weights]

    @cached_property
    def _first_of_layers(self) -> list[Cell]:
        """Return the first cell of each combination of backbone and layer."""
        return list({(cell.backbone, cell.layer): cell for cell in reversed(self.grid.featured_cells)}.values())[::-1]

"""Input functions and params of the rules that make models for new images, and that assign perturbed images to
groups."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workflow_scripts.errors import UserError
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import PLACES_NEW_IMAGES
from workflow_scripts.grid.inputs.features import FeatureInputs
from workflow_scripts.grid.inputs.figures import FigureInputs
from workflow_scripts.grid.inputs.stage import Files, JobWildcards, Stage, ends_the_run
from workflow_scripts.grid.paths import beside
from workflow_scripts.grid.wildcards import k_in_path
from workflow_scripts.provenance import code_digest


@dataclass(frozen=True)
class ModelInputs(Stage):
    """Inputs of models for new images, and of the jobs that apply models to perturbed images."""

    features: FeatureInputs
    figures: FigureInputs

    @cached_property
    def studies(self) -> list[str]:
        """Return the names of the studies that have a model for new images."""
        return [study for study in self.settings.studies if self.grid.modelled(study)]

    @cached_property
    def paths(self) -> list[str]:
        """Return the paths of the models of all studies that have one."""
        return [self.layout.model.format(study=study) for study in self.studies]

    @property
    def cards(self) -> list[str]:
        """Return the paths of the model cards of all studies that have a model."""
        return [self.layout.model_card.format(study=study) for study in self.studies]

    @ends_the_run
    def with_cards(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of the models of all studies that have one, and of their cards. The run ends if no study has
        a model."""
        self.check()
        return [*self.paths, *self.cards]

    def check(self) -> None:
        """Raise `UserError` if no study has a model for new images."""
        if not self.studies:
            cells = map(self.grid.first_choice, self.settings.studies)
            reasons = ", ".join(dict.fromkeys(filter(None, map(self.grid.refuses_new_images, cells))))
            raise UserError(f"config: studies: found none with a model ({reasons}), allowed: {PLACES_NEW_IMAGES}")

    def modelled(self, study: str) -> Cell:
        """Return the cell that a study's model is made from; raises `KeyError` if the study has no model."""
        cell = self.grid.modelled(study)
        if cell is None:
            raise KeyError(study)
        return cell

    def sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the paths of the artefacts from which a study's model is made, by name."""
        return self._sources_of(self.modelled(wildcards.study))

    def card_sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the paths of the files from which a study's model card is written, by name."""
        cell = self.modelled(wildcards.study)
        model = self.layout.model.format(study=wildcards.study)
        backbones = [part.backbone for part in self.grid.parts_of(cell)]
        return {
            "facts": model,
            "tensors": beside(model, ".safetensors"),
            "manifest": self.layout.manifest_of(cell.subset),
            "scores": self.layout.of(self.layout.scores, cell),
            "weights": [self.layout.weights.format(backbone=name) for name in backbones if self._has_weights(name)],
        }

    def _has_weights(self, backbone: str) -> bool:
        return self.settings.backbones[backbone].weights is not None

    def perturbed_cells(self, wildcards: JobWildcards) -> list[Cell]:
        """Return the cells that may assign the perturbed images of a figure to groups (see `Grid.perturbable`)."""
        shown = self.figures.cells_shown(wildcards)[0]
        return self.grid.perturbable(wildcards.study, self.figures.figure_settings(wildcards), shown)

    def compared_cells(self, wildcards: JobWildcards) -> list[Cell]:
        """Return the cells whose agreement decides which of the `perturbed_cells` is the most trusted one."""
        shown = self.figures.cells_shown(wildcards)[0]
        return self.grid.rivals(wildcards.study, self.figures.figure_settings(wildcards), shown)

    def perturbed_sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return, by name, the paths of the files of the `perturbed_cells`, one for each cell. If the figure shows the
        most trusted cell, the path of the agreement of the cells is added, because the agreement decides which cell
        that is."""
        of_cells = [self._sources_of(cell) for cell in self.perturbed_cells(wildcards)]
        sources: dict[str, Files] = {name: [str(files[name]) for files in of_cells] for name in of_cells[0]}
        if self.figures.figure_settings(wildcards).of_trusted_cell:
            sources["agreement"] = self.layout.agreement.format(study=wildcards.study, at_k=k_in_path(None))
        return sources

    def _sources_of(self, cell: Cell) -> dict[str, Files]:
        layout = self.layout
        return {
            "manifest": layout.manifest_of(cell.subset),
            "features": layout.of(layout.features, cell),
            "network": layout.of(layout.features, cell, layer=cell.layer),
            "points": layout.points(cell),
            "clusters": layout.of(layout.clusters, cell),
            "scores": layout.of(layout.scores, cell),
        }

    def of_study(self, wildcards: JobWildcards) -> list[Cell]:
        """Return a list with the cell from which a study's model is made."""
        return [self.modelled(wildcards.study)]

    def of_all(self, wildcards: JobWildcards) -> list[Cell]:
        """Return the cells from which the models of all studies are made."""
        return [self.modelled(study) for study in self.studies]

    def code(self, job: str, cells: Callable[[JobWildcards], Iterable[Cell]]) -> Callable[[JobWildcards], str]:
        """Return a function of the wildcards, which returns a digest of code.

        The digest covers the script of `job` and the code of the decompositions of `cells`, which the job uses to place
        new images.
        """

        def digest(wildcards: JobWildcards) -> str:
            of_cells = (self.settings.decompositions.get(cell.decomposition) for cell in cells(wildcards))
            methods = {decomposition.method_name for decomposition in of_cells if decomposition}
            return code_digest(f"jobs.{job}", *(f"reduce.{method}" for method in methods))

        return digest

    def applied_settings(self, wildcards: JobWildcards) -> dict[str, Any]:
        """Return the settings of preprocessing, backbone and decomposition that a study's model applies to new
        images."""
        return self._settings_of(self.modelled(wildcards.study))

    def perturbed_settings(self, wildcards: JobWildcards) -> list[dict[str, Any]]:
        """Return, for each of the `perturbed_cells`, the settings of preprocessing, backbone and decomposition that are
        applied to perturbed images."""
        return [self._settings_of(cell) for cell in self.perturbed_cells(wildcards)]

    def _settings_of(self, cell: Cell) -> dict[str, Any]:
        decomposition = self.settings.decompositions.get(cell.decomposition)
        joined = self.settings.backbones[cell.backbone].parts
        parts = {name: {**self._network_of(name), "layer": layer} for name, layer in joined.items()}
        return {
            "preprocess": self.settings.preprocess[cell.preprocess].dump(),
            "backbone": {"join": parts} if parts else self._network_of(cell.backbone),
            "decomposition": decomposition and decomposition.dump(),
        }

    def _network_of(self, backbone: str) -> dict[str, Any]:
        return {**self.features.frozen_network(backbone), "licence": self.settings.backbones[backbone].licence}

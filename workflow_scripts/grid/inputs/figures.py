"""Input functions and params of the rules that make figures and their tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import exists, isdir
from typing import Any

from workflow_scripts.errors import UserError
from workflow_scripts.grid.axes import EVERYTHING
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.inputs.stage import (
    Files,
    JobWildcards,
    Stage,
    dumped,
    ends_the_run,
    folder_digest,
    named_files,
)
from workflow_scripts.grid.wildcards import k_in_path
from workflow_scripts.provenance import code_digest
from workflow_scripts.settings.figures import Figure
from workflow_scripts.settings.published import Fact


@dataclass(frozen=True)
class FigureInputs(Stage):
    """Inputs of the stage that makes figures from clusters and scores."""

    facts: Sequence[Fact] = ()
    """The published numbers with which the run is compared."""

    def figure_settings(self, wildcards: JobWildcards) -> Figure:
        """Return the settings of a figure."""
        return self.settings.studies[wildcards.study].figures[wildcards.figure]

    def cells_shown(self, wildcards: JobWildcards) -> list[Cell]:
        """Return the cells that a figure shows."""
        return self.grid.figures[wildcards.study][wildcards.figure]

    @ends_the_run
    def table_sources(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the paths of the artefacts from which a figure's table is computed, by the artefact's name."""
        return {name: self._source(name, wildcards) for name in self.figure_settings(wildcards).reads}

    def _source(self, name: str, wildcards: JobWildcards) -> Files:
        """Return the path of the artefact `name` that a figure reads, or a list with a path for each of the figure's
        cells."""
        layout, cells, figure = self.layout, self.cells_shown(wildcards), self.figure_settings(wildcards)
        match name:
            case "formats":
                return layout.formats
            case "consensus":
                return layout.consensus.format(study=wildcards.study)
            case "agreement":
                return layout.agreement.format(study=wildcards.study, at_k=k_in_path(getattr(figure, "k", None)))
            case "perturbed":
                return layout.perturbed.format(**wildcards)
            case "sets":
                return [path for _, path in sorted(figure.label_sets.items())]
            case "facts":
                key = f"studies.{wildcards.study}.figures.{wildcards.figure}.facts"
                return named_files(key, getattr(figure, "facts", None))
            case "validated":
                folds = self.settings.studies[wildcards.study].cross_validation
                return layout.validated_of(layout.validated, cells, folds)
            case "manifest":
                return [layout.manifest_of(cell.subset) for cell in cells]
            case "points":
                return [layout.points(cell) for cell in cells]
            case "map":
                coordinates = figure.decomposition_shown or ""
                return [layout.of(layout.decomposed, cell, decomposition=coordinates) for cell in cells]
            case _:
                return [layout.of(getattr(layout, name), cell) for cell in cells]

    def manifest_shown(self, wildcards: JobWildcards) -> str:
        """Return the path of the manifest of the images that a figure shows. If its cells have different subsets,
        return the path of the manifest of all images."""
        manifests = self.subsets_shown(wildcards)
        return manifests[0] if len(manifests) == 1 else self.layout.manifest_of(EVERYTHING)

    def subsets_shown(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of the manifests of all subsets that occur in a figure's cells. If the figure has no cells,
        return the path of the manifest of all images."""
        subsets = dict.fromkeys(cell.subset for cell in self.cells_shown(wildcards)) or [EVERYTHING]
        return [self.layout.manifest_of(subset) for subset in subsets]

    def images_shown(self, wildcards: JobWildcards) -> list[str]:
        """Return the path of the preprocessed images of each cell, or an empty list if the figure shows no images."""
        if not self.figure_settings(wildcards).shows_images:
            return []
        return [self.layout.of(self.layout.preprocessed, cell) for cell in self.cells_shown(wildcards)]

    def clusterers_run(self, wildcards: JobWildcards) -> dict[str, dict[str, Any]]:
        """Return the settings of each clusterer that the job of a figure's table runs itself, by name; {} if it runs
        none."""
        if not self.figure_settings(wildcards).runs_clusterers:
            return {}
        names = dict.fromkeys(cell.clusterer for cell in self.cells_shown(wildcards))
        return {name: self.settings.clusterers[name].dump() for name in names}

    def table_settings(self, wildcards: JobWildcards) -> dict[str, Any]:
        """Return all settings that decide a figure's table: those of the figure, those of the clusterers that it runs,
        and the digests of its folders of labels."""
        clusterers, listings = self.clusterers_run(wildcards), self.label_sets_listed(wildcards)
        others = {"clusterers": clusterers} if clusterers else {}
        return self.figure_settings(wildcards).table_settings() | others | ({"listings": listings} if listings else {})

    @ends_the_run
    def label_sets_listed(self, wildcards: JobWildcards) -> dict[str, str]:
        """Return a digest of the files of each set of labels that is a folder, by the name of the set.

        The run ends with a message if the path of a set does not exist.
        """
        sets, key = self.figure_settings(wildcards).label_sets, f"figures: {wildcards.figure}: sets"
        for name, path in sets.items():
            if not exists(path):
                raise UserError(f"config: {key}: {name}: found nothing at {path}")
        return {name: folder_digest(f"{key}: {name}", path) for name, path in sets.items() if isdir(path)}

    def table_cells(self, wildcards: JobWildcards) -> list[dict[str, Any]]:
        """Return the cells that a figure shows, as dictionaries for `params`."""
        return dumped(self.cells_shown(wildcards))

    def table_code(self, wildcards: JobWildcards) -> str:
        """Return the digest of the code that makes a figure's table."""
        methods = {clusterer["method"] for clusterer in self.clusterers_run(wildcards).values()}
        return code_digest(
            "jobs.figure_table",
            f"figures.{self.figure_settings(wildcards).method_name}",
            *(f"clusterers.{method}" for method in sorted(methods)),
        )

    def figure_code(self, wildcards: JobWildcards) -> str:
        """Return the digest of the code that draws a figure."""
        return code_digest("jobs.figure", f"figures.{self.figure_settings(wildcards).method_name}")

    @property
    def reproduction_settings(self) -> dict[str, Any]:
        """Return the settings of the comparison with published numbers, together with these numbers; {} if nothing is
        compared."""
        settings = self.settings.reproduction
        return (
            {**settings.table_settings(), "facts": [fact.model_dump(mode="json") for fact in self.facts]}
            if settings
            else {}
        )

    @property
    def published_tables(self) -> list[str]:
        """Return the paths of the tables that are compared with published numbers. Tables that this configuration does
        not make are left out."""
        names = sorted({fact.table for fact in self.facts})
        return [f"{self.layout.root}/tables/{name}.parquet" for name in names if self._is_made(name)]

    def _is_made(self, table: str) -> bool:
        """Return whether this configuration makes a table, whose name is `study`, `study.classes` or `study/figure`."""
        study, _, figure = table.partition("/")
        study = study.removesuffix(".classes")
        return study in self.grid.figures and (not figure or figure in self.grid.figures[study])

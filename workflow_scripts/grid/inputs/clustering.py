"""Input functions and params of the rules that reduce, cluster and score, for all images or a subset."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflow_scripts.grid.axes import FEATURES_THEMSELVES, OF_REDUCTION, PARTS
from workflow_scripts.grid.cells import Cell, split_layer
from workflow_scripts.grid.inputs.stage import Files, JobWildcards, Stage, ends_the_run, named_files
from workflow_scripts.provenance import code_digest


@dataclass(frozen=True)
class ClusteringInputs(Stage):
    """Inputs of the stages from features to clusters and scores, for all images or a subset."""

    def clusters_of_subset(self, wildcards: JobWildcards) -> Files:
        """Return the path of the clusters that define a subset, or no file if the subset is not defined by clusters."""
        cell = self.grid.subset_cell(self.settings.subsets[wildcards.subset])
        return self.layout.of(self.layout.clusters, cell) if cell else []

    @ends_the_run
    def table_of_subset(self, wildcards: JobWildcards) -> Files:
        """Return the path of the user's table that lists a subset's images, or no file."""
        return named_files(f"subsets.{wildcards.subset}.file", self.settings.subsets[wildcards.subset].file)

    def manifest_of_rows(self, wildcards: JobWildcards) -> str:
        """Return the path of the manifest of the images in a store: those of the subset that `layer` names, or all
        images."""
        return self.layout.manifest_of(split_layer(wildcards.layer)[1])

    def decomposed_from(self, wildcards: JobWildcards) -> str:
        """Return the path of the input of a decomposition: the features or, for a map, another decomposition."""
        source = self.settings.decompositions[wildcards.decomposition].source
        if source is None:
            return self.layout.features.format(**wildcards)
        return self.layout.decomposed.format(**{**wildcards, "decomposition": source})

    def regressed_on(self, wildcards: JobWildcards) -> dict[str, Files]:
        """Return the paths, by name, of the files from which a decomposition reads the facts that it regresses out of
        the features; empty if it regresses out nothing."""
        settings = self.settings.decompositions[wildcards.decomposition].regressed
        if settings is None:
            return {}
        table = self.regressed_table(wildcards)
        images = self.layout.preprocessed.format(preprocess=wildcards.preprocess)
        return {"manifest": self.manifest_of_rows(wildcards), "images": images, **({"table": table} if table else {})}

    @ends_the_run
    def regressed_table(self, wildcards: JobWildcards) -> Files:
        """Return the path of the user's table of facts that a decomposition regresses out of the features, or no
        file."""
        name = wildcards.decomposition
        settings = self.settings.decompositions[name].regressed
        return named_files(f"decompositions.{name}.regress_out.table", settings.table if settings else None)

    def decomposition_gpus(self, wildcards: JobWildcards) -> int:
        """Return the number of GPUs that the decomposition's job takes, 0 or 1."""
        return int(self.settings.decompositions[wildcards.decomposition].takes_gpu)

    def reduction(self, wildcards: JobWildcards) -> Cell:
        """Return a cell with the decomposition, number of components and whitening of the wildcard `reducer`."""
        return self.grid.reducers[wildcards.reducer]

    def points(self, wildcards: JobWildcards) -> str:
        """Return the path of the store of the points that are clustered: a decomposition, or the features
        themselves."""
        decomposition = self.reduction(wildcards).decomposition
        if decomposition == FEATURES_THEMSELVES:
            return self.layout.features.format(**wildcards)
        return self.layout.decomposed.format(**wildcards, decomposition=decomposition)

    def clusterer(self, wildcards: JobWildcards) -> dict[str, Any]:
        """Return the settings of the clusterer."""
        return self.settings.clusterers[wildcards.clusterer].dump()

    def consensus_read(self, wildcards: JobWildcards) -> Files:
        """Return the path of the consensus from which the clusterer takes its clusters, or no file if it clusters
        points."""
        study = self.settings.clusterers[wildcards.clusterer].study_read
        return self.layout.consensus.format(study=study) if study else []

    def clusterer_gpus(self, wildcards: JobWildcards) -> int:
        """Return the number of GPUs that the clusterer's job takes, 0 or 1."""
        return int(self.settings.clusterers[wildcards.clusterer].takes_gpu)

    def clusterer_code(self, job: str) -> Callable[[JobWildcards], str]:
        """Return a function of the wildcards that returns the digest of the code of a job and of the clusterer that it
        runs."""
        return lambda wildcards: code_digest(
            f"jobs.{job}", f"clusterers.{self.settings.clusterers[wildcards.clusterer].method_name}"
        )

    def cell_columns(self, wildcards: JobWildcards) -> dict[str, Any]:
        """Return the values of the columns that identify a cell in the tables of scores, by column name. Choices that
        do not apply are None."""
        layer, subset = split_layer(wildcards.layer)
        parts = {part: wildcards[part] for part in PARTS}
        return {
            **parts,
            "layer": layer,
            "subset": subset,
            "dataset": self.layout.dataset,
            **self._components(wildcards),
        }

    def _components(self, wildcards: JobWildcards) -> dict[str, Any]:
        cell = self.reduction(wildcards)
        has = self.grid.has_components(cell.decomposition)
        return {axis: getattr(cell, axis) if has else None for axis in OF_REDUCTION}

    def scores_of_study(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of the tables of scores of a study's cells, and of the tables of their cross-validation if
        there is one."""
        return self._of_study(wildcards.study, self.layout.scores, self.layout.validated)

    def class_scores_of_study(self, wildcards: JobWildcards) -> list[str]:
        """Return the paths of the tables of scores by class of a study's cells, and of the tables of their
        cross-validation if there is one."""
        return self._of_study(wildcards.study, self.layout.class_scores, self.layout.class_validated)

    def _of_study(self, study: str, scores: str, validated: str) -> list[str]:
        cells = self.grid.cells[study]
        of_cells = [self.layout.of(scores, cell) for cell in cells]
        return of_cells + self.layout.validated_of(validated, cells, self.settings.studies[study].cross_validation)

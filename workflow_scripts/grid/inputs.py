"""What each rule reads, and what decides its result: the functions of wildcards that rules name.

A mistake of the user that only shows here ends the run with one line, for Snakemake would wrap it in a traceback.
"""

import sys
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from os.path import abspath, isdir, isfile, join
from typing import Any, ParamSpec, TypeVar

from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout, beside, dataset_name, folder_name
from workflow_scripts.grid.axes import EVERYTHING, FEATURES_THEMSELVES, OF_REDUCTION, PARTS
from workflow_scripts.grid.cells import Cell, split_layer
from workflow_scripts.grid.expand import Grid
from workflow_scripts.intake.labels import find_table
from workflow_scripts.intake.listing import listing_digest, scan
from workflow_scripts.provenance import code_digest
from workflow_scripts.settings.configuration import Settings
from workflow_scripts.settings.figures import Figure
from workflow_scripts.settings.published import Fact
from workflow_scripts.settings.studies import OF_A_VERDICT

Given = ParamSpec("Given")
Result = TypeVar("Result")
Wildcards = Any
"""Snakemake's: an attribute and an item for each wildcard."""
Files = str | list[str]


def _ends_the_run(function: Callable[Given, Result]) -> Callable[Given, Result]:
    @wraps(function)
    def guarded(*arguments: Given.args, **keywords: Given.kwargs) -> Result:
        try:
            return function(*arguments, **keywords)
        except UserError as error:
            sys.exit(f"Error: {error}")

    return guarded


class Inputs:
    """What the rules of a configuration read, as functions of their wildcards.

    Parameters
    ----------
    facts : the published numbers that the configuration names.
    """

    def __init__(self, settings: Settings, grid: Grid, layout: Layout, facts: Sequence[Fact] = ()) -> None:
        self.settings = settings
        self.grid = grid
        self.layout = layout
        self.facts = facts
        self.dataset = dataset_name(settings)
        self.is_embedded = settings.data == "embedded"

    # ------------------------------------------------------------------------------------------------------- intake

    def images_folder(self, wildcards: Wildcards = None) -> str:
        """Return the folder of the raw images."""
        return self.layout.embedded if self.is_embedded else self.settings.data

    @_ends_the_run
    def listing(self, wildcards: Wildcards) -> str | None:
        """Return a digest of the folder's files, so that an image changed in a sub-folder is seen; not of tables."""
        if self.is_embedded:
            return None
        given = (self.label_table(wildcards), self.label_corrections(wildcards))
        tables = {abspath(table) for table in given if isinstance(table, str)}
        folder, intake = self.settings.data, self.settings.intake
        entries = scan(folder, intake.include, intake.exclude)
        return listing_digest(entry for entry in entries if abspath(join(folder, entry.path)) not in tables)

    def known_listing(self, wildcards: Wildcards) -> str:
        """Return a digest of the folder of labelled images that labels are brought from."""
        try:
            return listing_digest(scan(str(self.settings.intake.labels.file)))
        except UserError as error:
            sys.exit(f"Error: intake.labels.file: {error}")

    def listing_of_new_images(self, wildcards: Wildcards) -> str:
        """Return a digest of the files in the folder of new images."""
        intake = self.settings.intake
        try:
            return listing_digest(scan(str(self.settings.new_images), intake.include, intake.exclude))
        except UserError as error:
            sys.exit(f"Error: new_images: {error}")

    @_ends_the_run
    def label_table(self, wildcards: Wildcards) -> Files:
        """Return the table that labels come from, or no file: editing it labels the images again."""
        labels = self.settings.intake.labels
        if labels.by_content and labels.file and isdir(labels.file):
            return self.layout.known_labels
        return find_table(self.images_folder(), labels.rule, labels.file) or []

    @_ends_the_run
    def label_corrections(self, wildcards: Wildcards) -> Files:
        """Return the table of corrected labels, or no file."""
        file = self.settings.intake.labels.corrections
        if file and not isfile(file):
            raise UserError(f"config: intake.labels.corrections: found no file {file}")
        return file or []

    @property
    def intake_settings(self) -> dict[str, Any]:
        """What decides which files are images, and what makes two of them one."""
        return self.settings.intake.dump(exclude={"labels", "sublabels", "scale_bars"})

    @property
    def sublabel_rule(self) -> dict[str, Any] | None:
        """The rule of the finer classes, or None."""
        sublabels = self.settings.intake.sublabels
        return sublabels.dump(include={"rule", "level", "pattern"}) if sublabels else None

    @property
    def label_matches(self) -> dict[str, str]:
        """The output that only labels by content have."""
        return {"matches": self.layout.label_matches} if self.settings.intake.labels.by_content else {}

    # ----------------------------------------------------------------------------------------------------- features

    @_ends_the_run
    def weight_file(self, wildcards: Wildcards) -> Files:
        """Return the weight file that the user brings, or no file: another one under its name is another result."""
        file = self.settings.backbones[wildcards.backbone].weight_file
        if file and not isfile(file):
            raise UserError(f"config: backbones.{wildcards.backbone}.weights: found no file {file}")
        return file or []

    def images_to_learn_from(self, wildcards: Wildcards) -> str:
        """Return the preprocessed images that a network is fine-tuned on."""
        tuned = self.settings.backbones[wildcards.backbone].finetune
        return self.layout.preprocessed.format(preprocess=tuned.preprocess if tuned else "")

    def weights_of(self, backbone: str) -> str:
        """Return what the passes of a backbone wait for: fine-tuned weights, or the note of which file they are."""
        tuned = self.settings.backbones[backbone].finetune
        return (self.layout.finetuned if tuned else self.layout.weights).format(backbone=backbone)

    def frozen_network(self, backbone: str) -> dict[str, Any]:
        """Return the settings of the network that the passes of a backbone run."""
        settings = self.settings.backbones[backbone]
        tuned = {"weights": self.weights_of(backbone), "sha256": None, "normalise": "auto"}
        return {**settings.network(), **(tuned if settings.finetune else {})}

    def images_for(self, backbone: str) -> Callable[[Wildcards], str]:
        """Return a function for the preprocessed images, which ends the run where the backbone refuses their size."""

        @_ends_the_run
        def images(wildcards: Wildcards) -> str:
            size = self.settings.preprocess[wildcards.preprocess].size
            if trouble := self.settings.backbones[backbone].refuses(size):
                raise UserError(f"config: backbones.{backbone}: {trouble}")
            return self.layout.preprocessed.format(**wildcards)

        return images

    # -------------------------------------------------------------------------------------------- reduce and cluster

    def decomposed_from(self, wildcards: Wildcards) -> str:
        """Return the features, or the decomposition that a map is made of."""
        source = self.settings.decompositions[wildcards.decomposition].source
        if source is None:
            return self.layout.features.format(**wildcards)
        return self.layout.decomposed.format(**{**wildcards, "decomposition": source})

    def reduction(self, wildcards: Wildcards) -> Cell:
        """Return a cell with the reducer's decomposition, number of components and whitening."""
        return self.grid.reducers[wildcards.reducer]

    def points(self, wildcards: Wildcards) -> str:
        """Return what is clustered: a decomposition, or the features themselves."""
        decomposition = self.reduction(wildcards).decomposition
        if decomposition == FEATURES_THEMSELVES:
            return self.layout.features.format(**wildcards)
        return self.layout.decomposed.format(**wildcards, decomposition=decomposition)

    def clusterer(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings of the clusterer."""
        return self.settings.clusterers[wildcards.clusterer].dump()

    def consensus_read(self, wildcards: Wildcards) -> Files:
        """Return the consensus that the clusterer takes for its clusters; no file of one that clusters the points."""
        study = self.settings.clusterers[wildcards.clusterer].study_read
        return self.layout.consensus.format(study=study) if study else []

    def clusterer_gpus(self, wildcards: Wildcards) -> int:
        """Return how many GPUs the clusterer takes, one or none."""
        return int(self.settings.clusterers[wildcards.clusterer].takes_gpu)

    def decomposition_gpus(self, wildcards: Wildcards) -> int:
        """Return how many GPUs the decomposition takes, one or none."""
        return int(self.settings.decompositions[wildcards.decomposition].takes_gpu)

    def clusterer_code(self, job: str) -> Callable[[Wildcards], str]:
        """Return a function for the digest of a job's code and of that of the clusterer."""
        return lambda wildcards: code_digest(
            f"jobs.{job}", f"clusterers.{self.settings.clusterers[wildcards.clusterer].method_name}"
        )

    # --------------------------------------------------------------------------------------------- subsets and scores

    def behind_subset(self, wildcards: Wildcards) -> Files:
        """Return the path of the clusters that a subset is selected from, or an empty list without such."""
        behind = self.grid.subset_cell(self.settings.subsets[wildcards.subset])
        return self.layout.of(self.layout.clusters, behind) if behind else []

    def manifest_of_rows(self, wildcards: Wildcards) -> str:
        """Return the manifest of the rows that a store after extraction has."""
        return self.layout.manifest_of(split_layer(wildcards.layer)[1])

    def cell_columns(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the choices that name a row in the tables; null where a choice does not apply."""
        layer, subset = split_layer(wildcards.layer)
        parts = {part: wildcards[part] for part in PARTS}
        return {**parts, "layer": layer, "subset": subset, "dataset": self.dataset, **self._components(wildcards)}

    def _components(self, wildcards: Wildcards) -> dict[str, Any]:
        cell = self.reduction(wildcards)
        has = self.grid.has_components(cell.decomposition)
        return {axis: getattr(cell, axis) if has else None for axis in OF_REDUCTION}

    def scores_of_study(self, wildcards: Wildcards) -> list[str]:
        """Return the scores of a study's cells, and of their cross-validations."""
        return self._of_study(wildcards.study, self.layout.scores, self.layout.validated)

    def class_scores_of_study(self, wildcards: Wildcards) -> list[str]:
        """Return the scores of each class in a study's cells, and in their cross-validations."""
        return self._of_study(wildcards.study, self.layout.class_scores, self.layout.class_validated)

    def _of_study(self, study: str, scores: str, validated: str) -> list[str]:
        cells = self.grid.cells[study]
        of_cells = [self.layout.of(scores, cell) for cell in cells]
        return of_cells + self.layout.validated_of(validated, cells, self.settings.studies[study].cross_validation)

    # ------------------------------------------------------------------------------------------------------- figures

    def figure_settings(self, wildcards: Wildcards) -> Figure:
        """Return the settings of a figure."""
        return self.settings.studies[wildcards.study].figures[wildcards.figure]

    def cells_shown(self, wildcards: Wildcards) -> list[Cell]:
        """Return the cells that a figure shows."""
        return self.grid.figures[wildcards.study][wildcards.figure]

    def table_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the artefacts that a figure's table is computed from, by name."""
        return {name: self._source(name, wildcards) for name in self.figure_settings(wildcards).sources}

    def _source(self, name: str, wildcards: Wildcards) -> Files:
        layout, cells = self.layout, self.cells_shown(wildcards)
        if name == "formats":
            return layout.formats
        if name == "consensus":
            return layout.consensus.format(study=wildcards.study)
        if name == "facts":
            return getattr(self.figure_settings(wildcards), "facts", None) or []
        if name == "validated":
            folds = self.settings.studies[wildcards.study].cross_validation
            return layout.validated_of(layout.validated, cells, folds)
        if name == "manifest":
            return [layout.manifest_of(cell.subset) for cell in cells]
        if name == "points":
            return [layout.points(cell) for cell in cells]
        if name == "map":
            coordinates = self.figure_settings(wildcards).decomposition_shown or ""
            return [layout.of(layout.decomposed, cell, decomposition=coordinates) for cell in cells]
        return [layout.of(getattr(layout, name), cell) for cell in cells]

    def manifest_shown(self, wildcards: Wildcards) -> str:
        """Return the manifest of the images that a figure shows; of more than one subset that of all images."""
        subsets = {cell.subset for cell in self.cells_shown(wildcards)}
        return self.layout.manifest_of(subsets.pop() if len(subsets) == 1 else EVERYTHING)

    def images_shown(self, wildcards: Wildcards) -> list[str]:
        """Return the preprocessed images of which some figures show a few."""
        if not self.figure_settings(wildcards).shows_images:
            return []
        return [self.layout.of(self.layout.preprocessed, cell) for cell in self.cells_shown(wildcards)]

    def clusterers_run(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return the settings of the clusterers that a figure's table runs itself, by name."""
        if not self.figure_settings(wildcards).runs_clusterers:
            return {}
        names = dict.fromkeys(cell.clusterer for cell in self.cells_shown(wildcards))
        return {name: self.settings.clusterers[name].dump() for name in names}

    def table_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return what decides a figure's table."""
        clusterers = self.clusterers_run(wildcards)
        return self.figure_settings(wildcards).table_settings() | ({"clusterers": clusterers} if clusterers else {})

    def table_cells(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the cells that a figure shows, as jobs get them."""
        return dumped(self.cells_shown(wildcards))

    def table_code(self, wildcards: Wildcards) -> str:
        """Return the digest of the code that makes a figure's table."""
        methods = {clusterer["method"] for clusterer in self.clusterers_run(wildcards).values()}
        return code_digest(
            "jobs.figure_table",
            f"figures.{self.figure_settings(wildcards).method_name}",
            *(f"clusterers.{method}" for method in sorted(methods)),
        )

    def figure_code(self, wildcards: Wildcards) -> str:
        """Return the digest of the code that draws a figure."""
        return code_digest("jobs.figure", f"figures.{self.figure_settings(wildcards).method_name}")

    @property
    def reproduction_settings(self) -> dict[str, Any]:
        """What decides the comparison with published numbers: these, and how they are taken from our tables."""
        settings = self.settings.reproduction
        return (
            {**settings.table_settings(), "facts": [fact.model_dump(mode="json") for fact in self.facts]}
            if settings
            else {}
        )

    @property
    def published_tables(self) -> list[str]:
        """The tables that published numbers are compared with, of those that this configuration makes."""
        names = sorted({fact.table for fact in self.facts})
        return [f"{self.layout.root}/tables/{name}.parquet" for name in names if self._is_made(name)]

    def _is_made(self, table: str) -> bool:
        """Tell whether this configuration makes a table, `study`, `study.classes` or `study/figure`."""
        study, _, figure = table.partition("/")
        study = study.removesuffix(".classes")
        return study in self.grid.figures and (not figure or figure in self.grid.figures[study])

    # --------------------------------------------------------------------------------------------------------- pages

    def page_sources(self, kind: str) -> Callable[[Wildcards], dict[str, Files]]:
        """Return a function for the artefacts of the cells that a page shows, and the images of which it shows some."""

        def sources(wildcards: Wildcards) -> dict[str, Files]:
            cells = self.grid.pages[wildcards.study][kind]
            shown = self.settings.studies[wildcards.study].pages[kind].pictures or cells[0].preprocess
            return {
                "manifest": [self.layout.manifest_of(cell.subset) for cell in cells],
                "points": [self.layout.points(cell) for cell in cells],
                "clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells],
                "pictures": self.layout.preprocessed.format(preprocess=shown),
            }

        return sources

    def page_params(self, kind: str) -> dict[str, Callable[[Wildcards], Any]]:
        """Return the functions for what decides a page."""
        return {
            "names": lambda wildcards: {"dataset": self.dataset, "study": wildcards.study},
            "page": lambda wildcards: self.settings.studies[wildcards.study].pages[kind].page_settings(),
            "cells": lambda wildcards: dumped(self.grid.pages[wildcards.study][kind]),
        }

    # ------------------------------------------------------------------------------------------------------- verdict

    def consensus_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the clusterings of the cells, and their manifest."""
        cells = self.grid.agreeing(wildcards.study)
        return {
            "manifest": self.layout.manifest_of(cells[0].subset),
            "clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells],
        }

    def consensus_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the k of the cells and the groups of their consensus; null leaves them to the cells."""
        verdict = self.settings.studies[wildcards.study].pages.get("verdict")
        return verdict.consensus_settings() if verdict else {"k": None, "groups": None}

    def consensus_cells(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the cells of the consensus, as jobs get them."""
        return dumped(self.grid.agreeing(wildcards.study))

    def figures_of_verdict(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the figures that a verdict is read from, by kind; choose_k only where the study has it."""
        study = self.settings.studies[wildcards.study]
        names = {kind: study.figure_of_kind(kind) for kind in (*OF_A_VERDICT, "choose_k")}
        made = self.grid.figures[wildcards.study]
        return {kind: name for kind, name in names.items() if name is not None and name in made}

    def kinds_of_verdict(self, wildcards: Wildcards) -> list[str]:
        """Return the kinds of the figures that a verdict is read from, in the order of its inputs."""
        return list(self.figures_of_verdict(wildcards))

    def verdict_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the tables and figures that a verdict is read from, the consensus and the images."""
        layout, study = self.layout, wildcards.study
        names = self.figures_of_verdict(wildcards).values()
        figures = [layout.figure.format(study=study, figure=name) for name in names]
        consensus = layout.consensus.format(study=study)
        return {
            "manifest": self.consensus_sources(wildcards)["manifest"],
            "rejected": layout.rejected,
            "consensus": consensus,
            "groups": beside(consensus, ".csv"),
            "tables": [layout.figure_table.format(study=study, figure=name) for name in names],
            "figures": [beside(figure, ".png") for figure in figures],
            "pictures": self.page_sources("verdict")(wildcards)["pictures"],
        }

    def verdict_links(self, wildcards: Wildcards) -> dict[str, str]:
        """Return where a person looks up the number of a sentence, below the folder of all results, by the table."""
        layout, study = self.layout, wildcards.study
        paths = {
            "manifest": str(self.consensus_sources(wildcards)["manifest"]),
            "rejected": layout.rejected,
            "consensus": beside(layout.consensus.format(study=study), ".csv"),
        }
        for kind, name in self.figures_of_verdict(wildcards).items():
            paths[kind] = beside(layout.figure_table.format(study=study, figure=name), ".csv")
        return {name: path.removeprefix(f"{layout.root}/") for name, path in paths.items()}

    @property
    def first_verdict(self) -> list[str]:
        """The page of the first study that has a verdict; none if none has."""
        studies = [name for name, pages in self.grid.pages.items() if "verdict" in pages]
        return [self.layout.verdict.format(study=study) for study in studies[:1]]

    @property
    def front_page(self) -> list[str]:
        """The first page of all results; none without a verdict."""
        return [self.layout.front_page for _ in self.first_verdict]

    # -------------------------------------------------------------------------------------------------------- models

    def modelled(self, study: str) -> Cell:
        """Return the cell that the model of a study with a model is made of."""
        cell = self.grid.modelled(study)
        if cell is None:
            raise KeyError(study)
        return cell

    def model_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the artefacts of the cell that a study's model is made of."""
        layout, cell = self.layout, self.modelled(wildcards.study)
        return {
            "manifest": layout.manifest_of(cell.subset),
            "features": layout.of(layout.features, cell),
            "network": layout.of(layout.features, cell, layer=cell.layer),
            "points": layout.points(cell),
            "clusters": layout.of(layout.clusters, cell),
            "scores": layout.of(layout.scores, cell),
        }

    def model_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings that a model needs to treat new images as the old ones were."""
        cell = self.modelled(wildcards.study)
        decomposition = self.settings.decompositions.get(cell.decomposition)
        return {
            "preprocess": self.settings.preprocess[cell.preprocess].dump(),
            "backbone": self.frozen_network(cell.backbone),
            "decomposition": decomposition and decomposition.dump(),
        }

    @cached_property
    def modelled_studies(self) -> list[str]:
        """The studies whose reduction has a place for new images."""
        return [study for study in self.settings.studies if self.grid.modelled(study)]

    @cached_property
    def models(self) -> list[str]:
        """The models of all studies that have one."""
        return [self.layout.model.format(study=study) for study in self.modelled_studies]

    @_ends_the_run
    def predictions(self, wildcards: Wildcards) -> list[str]:
        """Return what the models say of the new images."""
        found = self.settings.new_images or "nothing"
        if not isdir(found):
            allowed = "a folder of images, as in: snakemake predict --config new_images=PATH"
            raise UserError(f"config: new_images: found {found}, allowed: {allowed}")
        if not self.modelled_studies:
            allowed = "a decomposition that has a place for new images: a pca, an autoencoder, none"
            raise UserError(f"config: studies: found none with a model, allowed: {allowed}")
        folder = folder_name(found)
        return [self.layout.predictions.format(folder=folder, study=study) for study in self.modelled_studies]

    # ------------------------------------------------------------------------------------------------------- targets

    def study_files(self, study: str) -> list[str]:
        """Return the paths of a study's table, figures and pages."""
        layout = self.layout
        figures = [layout.figure.format(study=study, figure=figure) for figure in self.grid.figures[study]]
        return [
            layout.study_table.format(study=study),
            *(getattr(layout, kind).format(study=study) for kind in self.grid.pages[study]),
            *(path for svg in figures for path in (svg, beside(svg, ".png"))),
        ]

    @property
    def reproduction_files(self) -> list[str]:
        """The comparison with published numbers, where the configuration names some."""
        if not self.settings.reproduction:
            return []
        figure = self.layout.reproduction_figure
        return [self.layout.reproduction, figure, beside(figure, ".png")]

    # -------------------------------------------------------------------------------------------------- housekeeping

    def listed_model(self, wildcards: Wildcards) -> str:
        """Return the model whose layers are listed: that of a backbone of the configuration, or a model's own name."""
        name = self.settings.backbone or self.settings.baseline.backbone
        return self.settings.backbones[name].model if name in self.settings.backbones else name

    def listed_size(self, wildcards: Wildcards) -> int:
        """Return the side of the images that the network would get, pixels."""
        named = self.settings.backbones.get(self.settings.backbone or "")
        variant = self.settings.preprocess[self.settings.baseline.preprocess]
        return (named and named.size) or max(variant.size)


def dumped(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return cells as jobs get them."""
    return [cell.dump() for cell in cells]

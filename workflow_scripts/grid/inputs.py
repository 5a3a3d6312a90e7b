"""Input functions and params of the rules, as functions of their wildcards.

A mistake of the user that is noticed here ends the run with one line; Snakemake would show a traceback.
"""

import sys
from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from glob import escape
from os.path import abspath, isdir, isfile, join, split
from typing import Any, ParamSpec, TypeVar

from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout, beside, dataset_name, folder_name, k_from_path, k_in_path
from workflow_scripts.grid.axes import AXES, EVERYTHING, FEATURES_THEMSELVES, OF_REDUCTION, PARTS
from workflow_scripts.grid.cells import Cell, split_layer
from workflow_scripts.grid.expand import PLACES_NEW_IMAGES, Grid
from workflow_scripts.intake.boxes import FORMATS as ANNOTATIONS
from workflow_scripts.intake.labels import find_table
from workflow_scripts.intake.listing import entry_of, listing_digest, scan
from workflow_scripts.provenance import code_digest
from workflow_scripts.settings.configuration import Settings
from workflow_scripts.settings.figures import Figure
from workflow_scripts.settings.published import Fact
from workflow_scripts.settings.studies import ASKED_FOR, OF_A_VERDICT

Given = ParamSpec("Given")
Result = TypeVar("Result")
Wildcards = Any
"""The wildcards of Snakemake, with an attribute and an item for each."""
Files = str | list[str]


def _ends_the_run(function: Callable[Given, Result]) -> Callable[Given, Result]:
    @wraps(function)
    def guarded(*arguments: Given.args, **keywords: Given.kwargs) -> Result:
        try:
            return function(*arguments, **keywords)
        except UserError as error:
            sys.exit(f"Error: {error}")

    return guarded


def _named_file(key: str, file: str | None) -> Files:
    """Return the file that the configuration's `key` names, or no file; raises `UserError` if it does not exist."""
    if file and not isfile(file):
        raise UserError(f"config: {key}: found no file {file}")
    return file or []


class Inputs:
    """Input functions and params of the rules for one configuration.

    Parameters
    ----------
    settings : of the configuration.
    grid : the cells of its studies.
    layout : the paths of its artefacts.
    facts : the published numbers that the run is compared with.
    """

    def __init__(self, settings: Settings, grid: Grid, layout: Layout, facts: Sequence[Fact] = ()) -> None:
        self.settings = settings
        self.grid = grid
        self.layout = layout
        self.facts = facts
        self.dataset = dataset_name(settings)
        self.is_embedded = settings.data == "embedded"

    def state_of(self, *files: Callable[[Wildcards], Files]) -> Callable[[Wildcards], str]:
        """Return a function of the wildcards for a digest of the sizes and times of files that the user brings.

        Snakemake sees that a file was replaced only if the new one is newer than what was made from the old one. A copy
        that keeps its time (`cp -p`, rsync) may be older.
        """

        def state(wildcards: Wildcards) -> str:
            paths = [file(wildcards) for file in files]
            brought = [path for path in paths if isinstance(path, str) and path != self.layout.known_labels]
            return listing_digest(map(entry_of, brought))

        return state

    # ------------------------------------------------------------------------------------------------------- intake

    def images_folder(self, wildcards: Wildcards = None) -> str:
        """Return the folder of the raw images."""
        return self.layout.embedded if self.is_embedded else self.settings.data

    @_ends_the_run
    def listing(self, wildcards: Wildcards) -> str | None:
        """Return a digest of the files in the data folder, without the tables of labels; None for embedded data."""
        if self.is_embedded:
            return None
        files = (
            *(self.label_table, self.group_table, self.label_corrections),
            *(self.excluded_images, self.scale_corrections),
        )
        given = [file(wildcards) for file in files]
        tables = {abspath(table) for table in given if isinstance(table, str)}
        folder, intake = self.settings.data, self.settings.intake
        entries = scan(folder, intake.include, intake.exclude)
        return listing_digest(entry for entry in entries if abspath(join(folder, entry.path)) not in tables)

    def known_listing(self, wildcards: Wildcards) -> str:
        """Return a digest of the files in the folder of labelled images that labels are taken from."""
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
        """Return the table that labels are read from, or no file."""
        labels = self.settings.intake.labels
        if labels.by_content and labels.file and isdir(labels.file):
            return self.layout.known_labels
        return find_table(self.images_folder(), labels.rule, labels.file) or []

    @_ends_the_run
    def label_corrections(self, wildcards: Wildcards) -> Files:
        """Return the table of corrected labels, or no file."""
        return _named_file("intake.labels.corrections", self.settings.intake.labels.corrections)

    @_ends_the_run
    def group_table(self, wildcards: Wildcards) -> Files:
        """Return the table that groups are read from, or no file."""
        groups = self.settings.intake.groups
        return _named_file("intake.groups.file", groups.file) if groups and groups.rule == "csv" else []

    @_ends_the_run
    def scale_corrections(self, wildcards: Wildcards) -> Files:
        """Return the table of corrected scales, or no file."""
        return _named_file("intake.scales", self.settings.intake.scales)

    @property
    def group_rule(self) -> dict[str, Any] | None:
        """The rule of the groups, or None."""
        groups = self.settings.intake.groups
        return groups.dump() if groups else None

    @_ends_the_run
    def excluded_images(self, wildcards: Wildcards) -> Files:
        """Return the table of images that are left out, or no file."""
        return _named_file("intake.exclude_file", self.settings.intake.exclude_file)

    @property
    def intake_settings(self) -> dict[str, Any]:
        """The settings that decide which files become images of the data set."""
        return self.settings.intake.dump(
            exclude={"labels", "sublabels", "groups", "scale_bars", "scales", "tiles", "crops"}
        )

    @property
    def images_table(self) -> str:
        """The path of the table of images, which are files or parts of files."""
        return self.layout.regions if self.settings.intake.cuts else self.layout.images

    @property
    def set_aside_tables(self) -> list[str]:
        """The paths of the tables of files and parts that are left out."""
        return [self.layout.set_aside, *([self.layout.regions_set_aside] if self.settings.intake.cuts else [])]

    @property
    def cut_settings(self) -> dict[str, Any]:
        """The settings that decide which parts of files become images."""
        intake = self.settings.intake
        return {
            "tiling": intake.tiles.tiling() if intake.tiles else None,
            **(intake.crops.dump() if intake.crops else {"boxes": None}),
            "all_pages": intake.pages == "all",
            "min_size": intake.min_size,
        }

    def annotations(self, wildcards: Wildcards) -> str | None:
        """Return a digest of the annotations that boxes or labels come from, or None."""
        intake = self.settings.intake
        if intake.crops:
            return self._listing_of("crops.boxes", intake.crops.boxes)
        return self._listing_of("labels.file", str(intake.labels.file)) if intake.labels.rule == "boxes" else None

    def _listing_of(self, key: str, source: str) -> str:
        """Return a digest of a file, or of the files in a folder."""
        folder, name = split(source)
        try:
            entries = scan(source) if isdir(source) else scan(folder or ".", ["./" + escape(name)])
            return listing_digest(entries)
        except UserError:
            sys.exit(f"Error: config: intake.{key}: found nothing at {source}, allowed: {ANNOTATIONS}")

    @property
    def sublabel_rule(self) -> dict[str, Any] | None:
        """The settings of the finer classes, or None."""
        sublabels = self.settings.intake.sublabels
        return sublabels.dump(include={"rule", "level", "pattern"}) if sublabels else None

    @property
    def label_matches(self) -> dict[str, str]:
        """The additional output if labels are matched by content."""
        return {"matches": self.layout.label_matches} if self.settings.intake.labels.by_content else {}

    # ----------------------------------------------------------------------------------------------------- features

    @_ends_the_run
    def weight_file(self, wildcards: Wildcards) -> Files:
        """Return the weight file that a backbone's settings name, or no file."""
        name = wildcards.backbone
        return _named_file(f"backbones.{name}.weights", self.settings.backbones[name].weight_file)

    def feature_file(self, backbone: str) -> Callable[[Wildcards], Files]:
        """Return an input function for the file of features that a backbone's settings name."""

        @_ends_the_run
        def file(wildcards: Wildcards) -> Files:
            return _named_file(f"backbones.{backbone}.file", self.settings.backbones[backbone].model)

        return file

    def images_to_learn_from(self, wildcards: Wildcards) -> str:
        """Return the preprocessed images that a network is fine-tuned on."""
        tuned = self.settings.backbones[wildcards.backbone].finetune
        return self.layout.preprocessed.format(preprocess=tuned.preprocess if tuned else "")

    def weights_of(self, backbone: str) -> str:
        """Return the file that extraction waits for: the fine-tuned weights, or the JSON about the weight file."""
        tuned = self.settings.backbones[backbone].finetune
        return (self.layout.finetuned if tuned else self.layout.weights).format(backbone=backbone)

    def frozen_network(self, backbone: str) -> dict[str, Any]:
        """Return the settings of the network that extraction runs, with the fine-tuned weights if there are any."""
        settings = self.settings.backbones[backbone]
        tuned = {"weights": self.weights_of(backbone), "sha256": None, "normalise": "auto"}
        return {**settings.network(), **(tuned if settings.finetune else {})}

    def images_for(self, backbone: str) -> Callable[[Wildcards], str]:
        """Return an input function for the preprocessed images; it ends the run if the backbone refuses their size."""

        @_ends_the_run
        def images(wildcards: Wildcards) -> str:
            size = self.settings.preprocess[wildcards.preprocess].size
            if trouble := self.settings.backbones[backbone].refuses(size):
                raise UserError(f"config: backbones.{backbone}: {trouble}")
            return self.layout.preprocessed.format(**wildcards)

        return images

    def exported(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of the features of all cells, in the format of the setting `export_as`."""
        layout, ending = self.layout, self.settings.export_as
        paths = (layout.of(layout.exported, cell, layer=cell.layer, format=ending) for cell in self.grid.all_cells)
        return list(dict.fromkeys(paths))

    # -------------------------------------------------------------------------------------------- reduce and cluster

    def decomposed_from(self, wildcards: Wildcards) -> str:
        """Return the input of a decomposition: the features, or for a map another decomposition."""
        source = self.settings.decompositions[wildcards.decomposition].source
        if source is None:
            return self.layout.features.format(**wildcards)
        return self.layout.decomposed.format(**{**wildcards, "decomposition": source})

    def regressed_on(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the files with the facts that a decomposition regresses out of the features, by name; often none."""
        settings = self.settings.decompositions[wildcards.decomposition].regressed
        if settings is None:
            return {}
        table = self.regressed_table(wildcards)
        images = self.layout.preprocessed.format(preprocess=wildcards.preprocess)
        return {"manifest": self.manifest_of_rows(wildcards), "images": images, **({"table": table} if table else {})}

    @_ends_the_run
    def regressed_table(self, wildcards: Wildcards) -> Files:
        """Return the user's table of the facts that a decomposition regresses out of the features, or no file."""
        name = wildcards.decomposition
        settings = self.settings.decompositions[name].regressed
        return _named_file(f"decompositions.{name}.regress_out.table", settings.table if settings else None)

    def reduction(self, wildcards: Wildcards) -> Cell:
        """Return a cell with the decomposition, number of components and whitening of the wildcard `reducer`."""
        return self.grid.reducers[wildcards.reducer]

    def points(self, wildcards: Wildcards) -> str:
        """Return the store of the points that are clustered: a decomposition, or the features themselves."""
        decomposition = self.reduction(wildcards).decomposition
        if decomposition == FEATURES_THEMSELVES:
            return self.layout.features.format(**wildcards)
        return self.layout.decomposed.format(**wildcards, decomposition=decomposition)

    def clusterer(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings of the clusterer."""
        return self.settings.clusterers[wildcards.clusterer].dump()

    def consensus_read(self, wildcards: Wildcards) -> Files:
        """Return the consensus that the clusterer takes its clusters from; no file if it clusters the points."""
        study = self.settings.clusterers[wildcards.clusterer].study_read
        return self.layout.consensus.format(study=study) if study else []

    def clusterer_gpus(self, wildcards: Wildcards) -> int:
        """Return the number of GPUs that the clusterer takes, 0 or 1."""
        return int(self.settings.clusterers[wildcards.clusterer].takes_gpu)

    def decomposition_gpus(self, wildcards: Wildcards) -> int:
        """Return the number of GPUs that the decomposition takes, 0 or 1."""
        return int(self.settings.decompositions[wildcards.decomposition].takes_gpu)

    def clusterer_code(self, job: str) -> Callable[[Wildcards], str]:
        """Return a function of the wildcards for the digest of the code of a job and of the clusterer that it runs."""
        return lambda wildcards: code_digest(
            f"jobs.{job}", f"clusterers.{self.settings.clusterers[wildcards.clusterer].method_name}"
        )

    # --------------------------------------------------------------------------------------------- subsets and scores

    def clusters_of_subset(self, wildcards: Wildcards) -> Files:
        """Return the clusters that define a subset, or no file if the subset is not defined by clusters."""
        cell = self.grid.subset_cell(self.settings.subsets[wildcards.subset])
        return self.layout.of(self.layout.clusters, cell) if cell else []

    @_ends_the_run
    def table_of_subset(self, wildcards: Wildcards) -> Files:
        """Return the table that lists a subset's images, or no file."""
        return _named_file(f"subsets.{wildcards.subset}.file", self.settings.subsets[wildcards.subset].file)

    def manifest_of_rows(self, wildcards: Wildcards) -> str:
        """Return the manifest of the images in a store: that of the subset in the wildcard `layer`, or of all."""
        return self.layout.manifest_of(split_layer(wildcards.layer)[1])

    def cell_columns(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the values that name a cell in the tables, by column; None if a choice does not apply."""
        layer, subset = split_layer(wildcards.layer)
        parts = {part: wildcards[part] for part in PARTS}
        return {**parts, "layer": layer, "subset": subset, "dataset": self.dataset, **self._components(wildcards)}

    def _components(self, wildcards: Wildcards) -> dict[str, Any]:
        cell = self.reduction(wildcards)
        has = self.grid.has_components(cell.decomposition)
        return {axis: getattr(cell, axis) if has else None for axis in OF_REDUCTION}

    def scores_of_study(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of scores of a study's cells, and of their cross-validations."""
        return self._of_study(wildcards.study, self.layout.scores, self.layout.validated)

    def class_scores_of_study(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of scores of each class in a study's cells, and in their cross-validations."""
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
        return {name: self._source(name, wildcards) for name in self.figure_settings(wildcards).reads}

    def _source(self, name: str, wildcards: Wildcards) -> Files:
        layout, cells = self.layout, self.cells_shown(wildcards)
        if name == "formats":
            return layout.formats
        if name == "consensus":
            return layout.consensus.format(study=wildcards.study)
        if name == "agreement":
            k = getattr(self.figure_settings(wildcards), "k", None)
            return layout.agreement.format(study=wildcards.study, at_k=k_in_path(k))
        if name == "perturbed":
            return layout.perturbed.format(**wildcards)
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
        """Return the manifest of the images that a figure shows; that of all images if its cells differ in subset."""
        subsets = {cell.subset for cell in self.cells_shown(wildcards)}
        return self.layout.manifest_of(subsets.pop() if len(subsets) == 1 else EVERYTHING)

    def images_shown(self, wildcards: Wildcards) -> list[str]:
        """Return the stores of preprocessed images if the figure shows images, otherwise no files."""
        if not self.figure_settings(wildcards).shows_images:
            return []
        return [self.layout.of(self.layout.preprocessed, cell) for cell in self.cells_shown(wildcards)]

    def clusterers_run(self, wildcards: Wildcards) -> dict[str, dict[str, Any]]:
        """Return the settings of the clusterers that the job of a figure's table runs itself, by name."""
        if not self.figure_settings(wildcards).runs_clusterers:
            return {}
        names = dict.fromkeys(cell.clusterer for cell in self.cells_shown(wildcards))
        return {name: self.settings.clusterers[name].dump() for name in names}

    def table_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings that decide a figure's table."""
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
        """The settings of the comparison with published numbers, and these numbers; empty without a comparison."""
        settings = self.settings.reproduction
        return (
            {**settings.table_settings(), "facts": [fact.model_dump(mode="json") for fact in self.facts]}
            if settings
            else {}
        )

    @property
    def published_tables(self) -> list[str]:
        """The tables of this configuration that published numbers are compared with."""
        names = sorted({fact.table for fact in self.facts})
        return [f"{self.layout.root}/tables/{name}.parquet" for name in names if self._is_made(name)]

    def _is_made(self, table: str) -> bool:
        """Return whether this configuration makes a table: `study`, `study.classes` or `study/figure`."""
        study, _, figure = table.partition("/")
        study = study.removesuffix(".classes")
        return study in self.grid.figures and (not figure or figure in self.grid.figures[study])

    # --------------------------------------------------------------------------------------------------------- pages

    def page_sources(self, kind: str) -> Callable[[Wildcards], dict[str, Files]]:
        """Return an input function for the artefacts of the cells that a page shows, and for its images, by name."""

        def sources(wildcards: Wildcards) -> dict[str, Files]:
            cells = self.grid.pages[wildcards.study][kind]
            shown = self.settings.studies[wildcards.study].pages[kind].images or cells[0].preprocess
            return {
                "manifest": [self.layout.manifest_of(cell.subset) for cell in cells],
                "points": [self.layout.points(cell) for cell in cells],
                "clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells],
                "images": self.layout.preprocessed.format(preprocess=shown),
            }

        return sources

    def page_params(self, kind: str) -> dict[str, Callable[[Wildcards], Any]]:
        """Return the params of a page, as functions of the wildcards."""
        return {
            "names": lambda wildcards: {"dataset": self.dataset, "study": wildcards.study},
            "page": lambda wildcards: self.settings.studies[wildcards.study].pages[kind].page_settings(),
            "cells": lambda wildcards: dumped(self.grid.pages[wildcards.study][kind]),
        }

    def gallery_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the inputs of a gallery by name: those of its cells, and the scores of ImageNet's classes."""
        scores = dict.fromkeys(path for path in self.class_scores_seen(wildcards) if path)
        return {**self.page_sources("gallery")(wildcards), "class_scores": list(scores)}

    def class_scores_seen(self, wildcards: Wildcards) -> list[str | None]:
        """Return for each cell of a gallery the features that are scores of ImageNet's classes; None without them."""
        cells = self.grid.pages[wildcards.study]["gallery"]
        layers = [self.settings.backbones[cell.backbone].class_scores_beside(cell.layer) for cell in cells]
        return [
            layer and self.layout.of(self.layout.features, cell, layer=layer)
            for cell, layer in zip(cells, layers, strict=True)
        ]

    def explorer_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the inputs of an explorer by name: those of its cells and maps, and tables with facts on each
        image."""
        layout, study = self.layout, wildcards.study
        pages = self.grid.pages[study]
        return {
            **self.page_sources("explorer")(wildcards),
            "maps": [layout.of(layout.decomposed, cell) for cell in self.grid.maps[study]],
            "quality": layout.quality,
            "consensus": beside(layout.consensus.format(study=study), ".csv") if "verdict" in pages else [],
            "audit": layout.audit.format(study=study) if "audit" in pages else [],
            "trust": [layout.figure_table.format(study=study, figure=name) for name in self._rankings(study)],
        }

    def _rankings(self, study: str) -> list[str]:
        """Return the name of the study's first figure that ranks its cells by trust; none if it has no such figure."""
        name = self.settings.studies[study].figure_of_kind("trust")
        return [name] if name in self.grid.figures[study] else []

    def opening_of_explorer(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the baseline of a study, and the cells that are ranked by trust, as jobs get them."""
        study = wildcards.study
        ranked = [cell for name in self._rankings(study) for cell in self.grid.figures[study][name]]
        return {"baseline": self.grid.first_choice(study).dump(), "ranked": dumped(ranked)}

    def maps_of_explorer(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the cells of an explorer's maps, as jobs get them."""
        return dumped(self.grid.maps[wildcards.study])

    # ------------------------------------------------------------------------------------------------------- verdict

    def agreement_k(self, wildcards: Wildcards) -> int | None:
        """Return the k at which cells are compared; None is the smallest of each clusterer."""
        return k_from_path(wildcards.at_k)

    def agreement_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the clusters of the cells that are compared, by name."""
        cells = self.grid.compared(wildcards.study, self.agreement_k(wildcards))
        return {"clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells]}

    def agreement_cells(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the cells that are compared, as jobs get them."""
        return dumped(self.grid.compared(wildcards.study, self.agreement_k(wildcards)))

    def consensus_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the clusters of the cells of a consensus, their agreement, and their manifest, by name."""
        cells = self.grid.agreeing(wildcards.study)
        at_k = k_in_path(self.consensus_settings(wildcards)["k"])
        return {
            "manifest": self.layout.manifest_of(cells[0].subset),
            "clusters": [self.layout.of(self.layout.clusters, cell) for cell in cells],
            "agreement": self.layout.agreement.format(study=wildcards.study, at_k=at_k),
        }

    def consensus_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the k of the cells and the number of groups of a consensus; None if the cells decide."""
        return self.settings.studies[wildcards.study].consensus_settings()

    def consensus_cells(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the cells of the consensus, as jobs get them."""
        return dumped(self.grid.agreeing(wildcards.study))

    def figures_of_verdict(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the names of the figures that a verdict is read from, by kind.

        Figures of the kinds `ASKED_FOR` are left out if the study does not have them.
        """
        study = self.settings.studies[wildcards.study]
        names = {kind: study.figure_of_kind(kind) for kind in (*OF_A_VERDICT, *ASKED_FOR)}
        made = self.grid.figures[wildcards.study]
        return {kind: name for kind, name in names.items() if name is not None and name in made}

    def kinds_of_verdict(self, wildcards: Wildcards) -> list[str]:
        """Return the kinds of the figures that a verdict is read from, in the order of the verdict's inputs."""
        return list(self.figures_of_verdict(wildcards))

    def verdict_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the inputs of a verdict by name: tables and figures, the consensus, the manifest and the images."""
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
            "images": self.page_sources("verdict")(wildcards)["images"],
        }

    def verdict_links(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the tables that the sentences of a verdict link to, as paths in the results folder, by name."""
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
        """The verdict of the first study that has one; an empty list if no study has."""
        studies = [name for name, pages in self.grid.pages.items() if "verdict" in pages]
        return [self.layout.verdict.format(study=study) for study in studies[:1]]

    @property
    def front_page(self) -> list[str]:
        """The front page of the results; an empty list if no study has a verdict."""
        return [self.layout.front_page for _ in self.first_verdict]

    # ------------------------------------------------------------------------------------------------------- methods

    def methods_sources(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """Return the files from which the methods of the run are written, by name."""
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
    def methods_params(self) -> dict[str, Callable[[Wildcards], Any]]:
        """The params of the methods: the settings of the run, and the backbones and layers of input files.

        They are functions, because every job parses the rules, and one needs these.
        """
        return {
            "run": lambda wildcards: self._described,
            "backbones": lambda wildcards: self._with_weights,
            "layers": lambda wildcards: [(cell.backbone, cell.layer) for cell in self._first_of_layers],
        }

    @property
    def _described(self) -> dict[str, Any]:
        """The settings of the run as phrases and numbers (`pages.methods.paragraph.Run`)."""
        settings, cells = self.settings, self.grid.all_cells

        def phrases(axis: str) -> dict[str, str]:
            variants = getattr(settings, str(AXES[axis].section))
            names = dict.fromkeys(getattr(cell, axis) for cell in cells)
            return {name: variants[name].prose for name in names if name in variants}

        shown = [figure.decomposition_shown for study in settings.studies.values() for figure in study.figures.values()]
        maps = [cell.decomposition for of_study in self.grid.maps.values() for cell in of_study]
        analyses = [figure.prose for study in settings.studies.values() for figure in study.figures.values()]
        reductions, clusterers = phrases("decomposition"), phrases("clusterer")
        return {
            "dataset": self.dataset,
            "seed": settings.seed,
            "learns": any(settings.backbones[cell.backbone].finetune for cell in cells),
            "steps": {
                name: [step.prose for step in settings.preprocess[name].steps]
                for name in dict.fromkeys(cell.preprocess for cell in cells)
            },
            "backbones": phrases("backbone"),
            "reductions": reductions,
            "maps": [
                settings.decompositions[name].prose
                for name in dict.fromkeys(filter(None, [*shown, *maps]))
                if name not in reductions
            ],
            "clusterers": clusterers,
            "numbers": {
                name: {"k": clusterer.ks, "repeats": clusterer.n_repeats, "starts": clusterer.starts}
                for name, clusterer in settings.clusterers.items()
                if name in clusterers
            },
            "analyses": list(dict.fromkeys(filter(None, analyses))),
            "baseline": settings.baseline.dump(),
            "studies": {study: dumped(of_study) for study, of_study in self.grid.cells.items()},
        }

    @cached_property
    def _with_weights(self) -> list[str]:
        """The backbones that cells use and that have weights."""
        used = dict.fromkeys(cell.backbone for cell in self.grid.all_cells)
        return [name for name in used if self.settings.backbones[name].weights]

    @cached_property
    def _first_of_layers(self) -> list[Cell]:
        """The first cell of each layer of each backbone."""
        return list({(cell.backbone, cell.layer): cell for cell in reversed(self.grid.all_cells)}.values())[::-1]

    # -------------------------------------------------------------------------------------------------------- models

    def modelled(self, study: str) -> Cell:
        """Return the cell that a study's model is made from; raises `KeyError` if the study has no model."""
        cell = self.grid.modelled(study)
        if cell is None:
            raise KeyError(study)
        return cell

    def model_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the artefacts that a study's model is made from, by name."""
        return self._model_sources(self.modelled(wildcards.study))

    def model_card_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the files from which a study's model card is written, by name."""
        cell = self.modelled(wildcards.study)
        model = self.layout.model.format(study=wildcards.study)
        weights = self.layout.weights.format(backbone=cell.backbone)
        return {
            "facts": model,
            "tensors": beside(model, ".safetensors"),
            "manifest": self.layout.manifest_of(cell.subset),
            "scores": self.layout.of(self.layout.scores, cell),
            "weights": [weights] if self.settings.backbones[cell.backbone].weights else [],
        }

    def perturbed_cells(self, wildcards: Wildcards) -> list[Cell]:
        """Return the cells of which one assigns the perturbed images of a figure to its groups."""
        shown = self.cells_shown(wildcards)[0]
        return self.grid.perturbable(wildcards.study, self.figure_settings(wildcards), shown)

    def perturb_sources(self, wildcards: Wildcards) -> dict[str, Files]:
        """Return the artefacts of the cells for perturbed images, by name; also their agreement if one is chosen."""
        of_cells = [self._model_sources(cell) for cell in self.perturbed_cells(wildcards)]
        sources: dict[str, Files] = {name: [str(files[name]) for files in of_cells] for name in of_cells[0]}
        if self.figure_settings(wildcards).of_trusted_cell:
            sources["agreement"] = self.layout.agreement.format(study=wildcards.study, at_k=k_in_path(None))
        return sources

    def _model_sources(self, cell: Cell) -> dict[str, Files]:
        layout = self.layout
        return {
            "manifest": layout.manifest_of(cell.subset),
            "features": layout.of(layout.features, cell),
            "network": layout.of(layout.features, cell, layer=cell.layer),
            "points": layout.points(cell),
            "clusters": layout.of(layout.clusters, cell),
            "scores": layout.of(layout.scores, cell),
        }

    def model_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the settings of preprocessing, network and decomposition, which a model applies to new images."""
        return self._model_settings(self.modelled(wildcards.study))

    def perturb_settings(self, wildcards: Wildcards) -> list[dict[str, Any]]:
        """Return the same settings (as `model_settings`) of each of the cells for perturbed images."""
        return [self._model_settings(cell) for cell in self.perturbed_cells(wildcards)]

    def _model_settings(self, cell: Cell) -> dict[str, Any]:
        decomposition = self.settings.decompositions.get(cell.decomposition)
        licence = self.settings.backbones[cell.backbone].licence
        return {
            "preprocess": self.settings.preprocess[cell.preprocess].dump(),
            "backbone": {**self.frozen_network(cell.backbone), "licence": licence},
            "decomposition": decomposition and decomposition.dump(),
        }

    @cached_property
    def modelled_studies(self) -> list[str]:
        """The studies that have a model for new images."""
        return [study for study in self.settings.studies if self.grid.modelled(study)]

    @cached_property
    def models(self) -> list[str]:
        """The models of all studies that have one."""
        return [self.layout.model.format(study=study) for study in self.modelled_studies]

    @property
    def model_cards(self) -> list[str]:
        """The cards of these models."""
        return [self.layout.model_card.format(study=study) for study in self.modelled_studies]

    def predictions(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of predictions for the new images, for each study with a model, and areas of tiles."""
        areas = [self.layout.predicted_areas] if self.settings.intake.tiles else []
        return self._of_new_images("predict", self.layout.predictions, *areas)

    @_ends_the_run
    def monitors(self, wildcards: Wildcards) -> list[str]:
        """Return the pages about the batches of new images, one for each study with a model.

        Raises `UserError` if images are parts of files, or as `predictions` does.
        """
        if self.settings.intake.cuts:
            allowed = "whole files, without tiles, crops and pages: all"
            raise UserError(f"config: intake: found one that cuts images, allowed for snakemake monitor: {allowed}")
        return self._of_new_images("monitor", self.layout.monitor)

    @_ends_the_run
    def _of_new_images(self, command: str, *patterns: str) -> list[str]:
        """Return the files of each study with a model.

        Raises `UserError` if `new_images` is no folder, if images are boxes, or if no study has a model.
        """
        found = self.settings.new_images or "nothing"
        if not isdir(found):
            allowed = f"a folder of images, as in: snakemake {command} --config new_images=PATH"
            raise UserError(f"config: new_images: found {found}, allowed: {allowed}")
        if self.settings.intake.crops:
            allowed = "whole files or tiles: the boxes are annotated on other images"
            raise UserError(f"config: new_images: found with intake.crops, allowed: {allowed}")
        if not self.modelled_studies:
            raise UserError(f"config: studies: found none with a model, allowed: {PLACES_NEW_IMAGES}")
        folder = folder_name(found)
        return [pattern.format(folder=folder, study=study) for study in self.modelled_studies for pattern in patterns]

    @property
    def batch(self) -> dict[str, Any]:
        """The size and the order of batches of new images, and the rate of false alarms."""
        settings = self.settings
        return {"size": settings.batch_size, "order": settings.batch_order, "rate": settings.false_alarms}

    def monitor_links(self, wildcards: Wildcards) -> dict[str, str]:
        """Return the paths of the tables behind the page about new images, below the folder of all results."""
        paths = {"batches": beside(self.layout.monitor, ".csv"), "predictions": self.layout.predictions}
        return {name: path.format(**wildcards).removeprefix(f"{self.layout.root}/") for name, path in paths.items()}

    @property
    def new_images_table(self) -> str:
        """The path of the table of new images, which are files or parts of files as those of the data set are."""
        return self.layout.new_regions if self.settings.intake.cuts else self.layout.new_images

    def manifest_of_model(self, wildcards: Wildcards) -> str:
        """Return the manifest of the images that a study's model is made from."""
        return self.layout.manifest_of(self.modelled(wildcards.study).subset)

    # ------------------------------------------------------------------------------------------------------- targets

    def everything(self, wildcards: Wildcards) -> list[str]:
        """Return all files of the configuration, also intermediate ones, but not the models.

        Intermediate files must be targets: if one is missing because its job failed, and files made from it earlier
        still exist, Snakemake would not make it again.
        """
        return self._named(self.grid)

    def of_study(self, study: str) -> Callable[[Wildcards], list[str]]:
        """Return a function for `everything` of one study."""

        def files(wildcards: Wildcards) -> list[str]:
            read = {self.settings.clusterers[cell.clusterer].study_read for cell in self.grid.cells[study]}
            studies = {name: of_name for name, of_name in self.settings.studies.items() if name in {study, *read}}
            alone = self.settings.model_copy(update={"studies": studies, "reproduction": None})
            return self._named(Grid(alone))

        return files

    def _named(self, grid: Grid) -> list[str]:
        models = {path for model in self.models for path in (model, beside(model, ".safetensors"))}
        return sorted(self.layout.named(grid) - models - set(self.model_cards))

    # -------------------------------------------------------------------------------------------------- housekeeping

    def listed_model(self, wildcards: Wildcards) -> str:
        """Return the model whose layers are listed; the setting `backbone` names a backbone or a model."""
        name = self.settings.backbone or self.settings.baseline.backbone
        return self.settings.backbones[name].model if name in self.settings.backbones else name

    def listed_size(self, wildcards: Wildcards) -> int:
        """Return the side in pixels of the images that the network in `list_layers` takes."""
        named = self.settings.backbones.get(self.settings.backbone or "")
        variant = self.settings.preprocess[self.settings.baseline.preprocess]
        return (named and named.size) or max(variant.size)


def dumped(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return cells as dictionaries, as jobs get them."""
    return [cell.dump() for cell in cells]

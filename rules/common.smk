# The parsed settings, the grid, path patterns and named input functions; nothing else.
import sys
from os.path import abspath, isdir, isfile, join, relpath

from workflow_scripts.planning import plan
from workflow_scripts.planning import sizes as resources
from workflow_scripts.backbones.layers import parts_of
from workflow_scripts.errors import UserError
from workflow_scripts.grid import (
    EVERYTHING,
    FEATURES_THEMSELVES,
    Grid,
    Layout,
    dataset_name,
    folder_name,
    validated_files,
)
from workflow_scripts.intake.labels import find_table
from workflow_scripts.intake.listing import listing_digest, scan
from workflow_scripts.provenance import code_digest
from workflow_scripts.settings import Pca, load, read_facts

try:
    settings = load(
        config, workflow.configfiles, workflow.source_path("../config/config.yaml")
    )
    grid = Grid(settings)
    grid.check()
    # Relative, so that a moved project compares nothing again.
    published = settings.published_file(relpath(workflow.basedir))
except UserError as error:
    sys.exit(f"Error: {error}")

layout = Layout(dataset_name(settings))
sizes = resources.Sizes(settings, layout, grid)
is_embedded = settings.data == "embedded"


wildcard_constraints:
    preprocess=r"[^/]+",
    backbone=r"[^/]+",
    layer=r"[^/]+",
    subset=r"[^/@]+",
    decomposition=r"[^/]+",
    reducer=r"[^/]+",
    clusterer=r"[^/]+",
    study=r"(?!reproduction\.)[^/]+",
    figure=r"[^/]+",
    cross_validation=r"[^/]+",


def pictures(wildcards):
    """The folder of the raw pictures."""
    return layout.embedded if is_embedded else settings.data


def listing(wildcards):
    """A digest of the folder's files, so that a picture changed in a sub-folder is seen; not of tables of labels."""
    if is_embedded:
        return None
    tables = {
        abspath(table)
        for table in (label_table(wildcards), label_corrections(wildcards))
        if table
    }
    try:
        entries = scan(settings.data, settings.intake.include, settings.intake.exclude)
    except UserError as error:
        sys.exit(f"Error: {error}")
    return listing_digest(
        its for its in entries if abspath(join(settings.data, its.path)) not in tables
    )


def known_listing(wildcards):
    """A digest of the folder of labelled pictures that labels are brought from."""
    try:
        return listing_digest(scan(settings.intake.labels.file))
    except UserError as error:
        sys.exit(f"Error: intake.labels.file: {error}")


def label_table(wildcards):
    """The table that labels come from, if there is one: editing it labels the pictures again."""
    labels = settings.intake.labels
    if labels.by_content and isdir(labels.file):
        return layout.known_labels
    try:
        return find_table(pictures(wildcards), labels.rule, labels.file) or []
    except UserError as error:
        sys.exit(f"Error: {error}")


def sublabel_rule():
    """The rule of the finer classes, if there are any."""
    its = settings.intake.sublabels
    return its and its.dump(include={"rule", "level", "pattern"})


def label_corrections(wildcards):
    """The table of corrected labels, if there is one."""
    file = settings.intake.labels.corrections
    if file and not isfile(file):
        sys.exit(f"Error: config: intake.labels.corrections: found no file {file}")
    return file or []


# What decides which files are pictures, and what makes two of them one.
intake_settings = settings.intake.dump(exclude={"labels", "sublabels", "scale_bars"})
matches_of_labels = (
    {"matches": layout.label_matches} if settings.intake.labels.by_content else {}
)


def weight_file(wildcards):
    """A weight file that the user brings is an input: another file under its name is another result."""
    file = settings.backbones[wildcards.backbone].weight_file
    if file and not isfile(file):
        sys.exit(
            f"Error: config: backbones.{wildcards.backbone}.weights: found no file {file}"
        )
    return file or []


def number_of_images(wildcards):
    try:
        return sizes.n_images
    except UserError as error:
        sys.exit(f"Error: {error}")


def listed_model():
    """The model whose layers are listed: that of a backbone of the configuration, or a model's own name."""
    name = settings.backbone or settings.baseline.backbone
    return settings.backbones[name].model if name in settings.backbones else name


def listed_size():
    """The side of the images that the network would get, pixels."""
    named = settings.backbones.get(settings.backbone)
    variant = settings.preprocess[settings.baseline.preprocess]
    return (named and named.size) or max(variant.size)


def images_to_learn_from(wildcards):
    return layout.preprocessed.format(
        preprocess=settings.backbones[wildcards.backbone].finetune.preprocess
    )


def weights_of(backbone):
    """What the passes of a backbone wait for: its fine-tuned weights, or the note of which file its weights are."""
    tuned = settings.backbones[backbone].finetune
    return (layout.finetuned if tuned else layout.weights).format(backbone=backbone)


def frozen_network(backbone):
    """The settings of the network that the passes of a backbone run."""
    its = settings.backbones[backbone]
    tuned = {"weights": weights_of(backbone), "sha256": None, "normalise": "auto"}
    return {**its.network(), **(tuned if its.finetune else {})}


def images_for(backbone):
    """The preprocessed images, of a size that the backbone takes."""

    def images(wildcards):
        size = settings.preprocess[wildcards.preprocess].size
        if trouble := settings.backbones[backbone].refuses(size):
            sys.exit(f"Error: config: backbones.{backbone}: {trouble}")
        return layout.preprocessed.format(**wildcards)

    return images


def feature_store(backbone, layer):
    """The pattern of the features of a layer, for every preprocessing."""
    return layout.features.format(
        preprocess="{preprocess}", backbone=backbone, layer=layer
    )


def decomposed_from(wildcards):
    """The features, or the decomposition that a map is made of."""
    of = getattr(settings.decompositions[wildcards.decomposition], "of", None)
    if of is None:
        return layout.features.format(**wildcards)
    return layout.decomposed.format(**{**wildcards, "decomposition": of})


def reduction(wildcards):
    """A cell with the reducer's decomposition, number of components and whitening."""
    return grid.reducers[wildcards.reducer]


def clusterer_gpus(wildcards):
    """GPUs that the clusterer takes, one or none."""
    clusterer = settings.clusterers[wildcards.clusterer]
    return int(getattr(clusterer, "device", "cpu") == "cuda")


def decomposition_gpus(wildcards):
    """GPUs that the reduction takes, one or none."""
    decomposition = settings.decompositions[wildcards.decomposition]
    return int(getattr(decomposition, "device", "cpu") == "cuda")


def environment_by(gpus):
    """The conda environment of a job: with CUDA where it takes a GPU."""

    def environment(wildcards):
        return "../envs/gpu.yaml" if gpus(wildcards) else "../envs/cpu.yaml"

    return environment


def points(wildcards):
    """What is clustered: a decomposition, or the features themselves."""
    decomposition = reduction(wildcards).decomposition
    if decomposition == FEATURES_THEMSELVES:
        return layout.features.format(**wildcards)
    return layout.decomposed.format(**wildcards, decomposition=decomposition)


def behind_subset(wildcards):
    """The clusters that a subset is taken of, if it is."""
    behind = grid.subset_cell(settings.subsets[wildcards.subset])
    return layout.of(layout.clusters, behind) if behind else []


def manifest_of_rows(wildcards):
    """The manifest of the rows that a store after extraction has."""
    return layout.manifest_of(subset_of(wildcards))


def subset_of(wildcards):
    return wildcards.layer.partition("@")[2] or EVERYTHING


def is_pca(decomposition):
    """Whether whitening applies: maps and features are used as they are."""
    return isinstance(settings.decompositions.get(decomposition), Pca)


def cell_columns(wildcards):
    """The choices that name a row in the tables; null where a choice does not apply."""
    cell = reduction(wildcards)
    axes = ("preprocess", "backbone", "layer", "reducer", "clusterer")
    choices = {axis: wildcards[axis] for axis in axes}
    return {
        **choices,
        "layer": wildcards.layer.partition("@")[0],
        "subset": subset_of(wildcards),
        "dataset": dataset_name(settings),
        "n_components": cell.n_components,
        "whiten": cell.whiten if is_pca(cell.decomposition) else None,
    }


def scores_of_study(wildcards):
    study = wildcards.study
    scores = [layout.of(layout.scores, cell) for cell in grid.cells[study]]
    return scores + validated_files(
        grid, layout, study, layout.validated, grid.cells[study]
    )


def class_scores_of_study(wildcards):
    study = wildcards.study
    scores = [layout.of(layout.class_scores, cell) for cell in grid.cells[study]]
    return scores + validated_files(
        grid, layout, study, layout.class_validated, grid.cells[study]
    )


def figure_settings(wildcards):
    return settings.studies[wildcards.study].figures[wildcards.figure]


def cells_shown(wildcards):
    return grid.figures[wildcards.study][wildcards.figure]


def table_sources(wildcards):
    """The artefacts that a figure's table is computed from, by name."""
    figure, cells = figure_settings(wildcards), cells_shown(wildcards)
    sources = {
        "features": [layout.of(layout.features, cell) for cell in cells],
        "preprocessed": [layout.of(layout.preprocessed, cell) for cell in cells],
        "decomposed": [layout.of(layout.decomposed, cell) for cell in cells],
        "points": [layout.points(cell) for cell in cells],
        "clusters": [layout.of(layout.clusters, cell) for cell in cells],
        "scores": [layout.of(layout.scores, cell) for cell in cells],
        "class_scores": [layout.of(layout.class_scores, cell) for cell in cells],
        "validated": validated_files(
            grid, layout, wildcards.study, layout.validated, cells
        ),
        "map": [
            layout.of(layout.decomposed, cell, decomposition=getattr(figure, "map", ""))
            for cell in cells
        ],
        "manifest": [layout.manifest_of(cell.subset) for cell in cells],
        "formats": layout.formats,
    }
    return {name: sources[name] for name in figure.sources}


def manifest_shown(wildcards):
    """The manifest of the images that a figure shows; of more than one subset that of all images."""
    subsets = {cell.subset for cell in cells_shown(wildcards)}
    return layout.manifest_of(subsets.pop() if len(subsets) == 1 else EVERYTHING)


def images_shown(wildcards):
    """The preprocessed images of which some figures show a few."""
    if not figure_settings(wildcards).shows_images:
        return []
    return [layout.of(layout.preprocessed, cell) for cell in cells_shown(wildcards)]


def published_tables(wildcards):
    """The tables that published numbers are compared with, of those that this configuration makes."""
    names = sorted({fact.table for fact in read_facts(published)})
    return [f"{layout.root}/tables/{name}.parquet" for name in names if is_made(name)]


def is_made(table):
    """Whether this configuration makes a table, `study`, `study.classes` or `study/figure`."""
    study, _, figure = table.partition("/")
    study = study.removesuffix(".classes")
    return study in grid.figures and (not figure or figure in grid.figures[study])


def page_sources(study, kind):
    """The artefacts of the cells that a page shows, and the images of which it shows some."""
    cells = grid.pages[study][kind]
    pictures = settings.studies[study].pages[kind].pictures or cells[0].preprocess
    return {
        "manifest": [layout.manifest_of(cell.subset) for cell in cells],
        "points": [layout.points(cell) for cell in cells],
        "clusters": [layout.of(layout.clusters, cell) for cell in cells],
        "pictures": layout.preprocessed.format(preprocess=pictures),
    }


def audit_sources(wildcards):
    return page_sources(wildcards.study, "audit")


def gallery_sources(wildcards):
    return page_sources(wildcards.study, "gallery")


def page_names(wildcards):
    return {"dataset": dataset_name(settings), "study": wildcards.study}


def with_reducers(cells):
    """Cells as jobs get them."""
    return [{**vars(cell), "reducer": cell.reducer} for cell in cells]


def model_sources(wildcards):
    """The artefacts of the cell that a study's model is made of."""
    cell = grid.modelled(wildcards.study)
    return {
        "manifest": layout.manifest_of(cell.subset),
        "features": layout.of(layout.features, cell),
        "network": layout.of(layout.features, cell, layer=cell.layer),
        "points": layout.points(cell),
        "clusters": layout.of(layout.clusters, cell),
        "scores": layout.of(layout.scores, cell),
    }


def model_settings(wildcards):
    """The settings that a model needs to treat new images as the old ones were."""
    cell = grid.modelled(wildcards.study)
    reduction = settings.decompositions.get(cell.decomposition)
    return {
        "preprocess": settings.preprocess[cell.preprocess].dump(),
        "backbone": frozen_network(cell.backbone),
        "decomposition": reduction and reduction.dump(),
    }


# Those whose reduction has a place for new images.
modelled_studies = [study for study in settings.studies if grid.modelled(study)]
models = [layout.model.format(study=study) for study in modelled_studies]


def predictions(wildcards):
    """What the models say of the new images."""
    found = settings.new_images or "nothing"
    if not isdir(found):
        sys.exit(
            f"Error: config: new_images: found {found}, allowed: a folder of pictures, "
            "as in: snakemake predict --config new_images=PATH"
        )
    if not modelled_studies:
        sys.exit(
            "Error: config: studies: found none with a model, allowed: a decomposition that has a place for new "
            "images: a pca, an autoencoder, none"
        )
    return [
        layout.predictions.format(folder=folder_name(found), study=study)
        for study in modelled_studies
    ]


def listing_of_new_images(wildcards):
    """A digest of the new images' files."""
    its = settings.intake
    try:
        return listing_digest(scan(settings.new_images, its.include, its.exclude))
    except UserError as error:
        sys.exit(f"Error: new_images: {error}")


def clusterers_run(wildcards):
    """The settings of the clusterers that a figure's table runs itself, by name."""
    if not figure_settings(wildcards).runs_clusterers:
        return {}
    names = dict.fromkeys(cell.clusterer for cell in cells_shown(wildcards))
    return {name: settings.clusterers[name].dump() for name in names}


def table_settings(wildcards):
    """What decides a figure's table."""
    figure, clusterers = figure_settings(wildcards), clusterers_run(wildcards)
    return figure.table_settings() | ({"clusterers": clusterers} if clusterers else {})


def table_code(wildcards):
    """The digest of the code that makes a figure's table."""
    methods = {its["method"] for its in clusterers_run(wildcards).values()}
    return code_digest(
        "jobs.figure_table",
        f"figures.{figure_settings(wildcards).kind}",
        *(f"clusterers.{method}" for method in sorted(methods)),
    )


table_params = {
    "figure": table_settings,
    "cells": lambda wildcards: with_reducers(cells_shown(wildcards)),
    "code": table_code,
}


def study_files(study):
    """The table, the figures and the pages of a study."""
    figures = [
        layout.figure.format(study=study, figure=figure)
        for figure in grid.figures[study]
    ]
    patterns = {"audit": layout.audit, "gallery": layout.gallery}
    return [
        layout.study_table.format(study=study),
        *(patterns[kind].format(study=study) for kind in grid.pages[study]),
        *(path + suffix for path in figures for suffix in (".svg", ".png")),
    ]


def reproduction_files():
    """The comparison with published numbers, where the configuration names some."""
    if not settings.reproduction:
        return []
    figure = layout.reproduction_figure
    return [layout.reproduction, f"{figure}.svg", f"{figure}.png"]


plan.print_at_the_end(workflow, settings, grid, layout)

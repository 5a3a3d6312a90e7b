# The parsed settings, the grid, path patterns and named input functions; nothing else.
import sys

from workflow_scripts import plan, resources
from workflow_scripts.errors import UserError
from workflow_scripts.grid import FEATURES_THEMSELVES, Grid, Layout, dataset_name, figure_cells
from workflow_scripts.intake.listing import listing_digest, scan
from workflow_scripts.provenance import code_digest
from workflow_scripts.settings import load

try:
    settings = load(config, workflow.configfiles, workflow.source_path("../config/config.yaml"))
    grid = Grid(settings)
    grid.check()
except UserError as error:
    sys.exit(f"Error: {error}")

layout = Layout(dataset_name(settings))
sizes = resources.Sizes(settings, layout)


wildcard_constraints:
    preprocess=r"[^/]+",
    backbone=r"[^/]+",
    layer=r"[^/]+",
    decomposition=r"[^/]+",
    reducer=r"[^/]+",
    clusterer=r"[^/]+",
    study=r"[^/]+",
    figure=r"[^/]+",


def study_files(study):
    figures = settings.studies[study].figures
    paths = [layout.figure.format(study=study, figure=figure) for figure in figures]
    return [layout.study_table.format(study=study), *(path + suffix for path in paths for suffix in (".svg", ".png"))]


def reduction(wildcards):
    return grid.reducers[wildcards.reducer]


def points(wildcards):
    """What is clustered: a decomposition, or the features themselves."""
    decomposition = reduction(wildcards).decomposition
    if decomposition == FEATURES_THEMSELVES:
        return layout.features.format(**wildcards)
    return layout.decomposed.format(**wildcards, decomposition=decomposition)


plan.print_at_the_end(workflow, settings, grid, layout)

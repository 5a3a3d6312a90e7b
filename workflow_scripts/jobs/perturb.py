"""Perturb images; write the groups of the original images and of their perturbed versions."""

from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.consensus.trust import most_trusted
from workflow_scripts.grid.axes import AXES
from workflow_scripts.grid.cells import cell_names
from workflow_scripts.io.agreement import read_agreement
from workflow_scripts.io.tables import write_csv
from workflow_scripts.models.perturbing import perturbed_groups
from workflow_scripts.runlog import job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    params, source = snakemake.params, dict(snakemake.input.items())
    agreement = source.pop("agreement", None)
    rows = [params.compared.index(cell) for cell in params.cells]
    row = most_trusted(read_agreement(agreement, params.compared)[0], rows) if agreement else 0
    table = perturbed_groups(
        {name: paths[row] for name, paths in source.items()},
        params.cells[row],
        params.settings[row],
        Path(params.folder),
        n_images=params.figure["n_images"],
        seed=params.figure["seed"],
        max_pixels=params.max_pixels,
        device=params.device,
        workers=snakemake.threads,
        progress=progress("perturb", "images"),
    )
    log.info("%d images", table["image_id"].nunique())
    write_csv(table.assign(cell=cell_names(params.cells, [*AXES])[row]), snakemake.output[0])

"""Fit a model to the baseline cell of a study; write model.json and model.safetensors."""

from snakemake.script import Snakemake

from workflow_scripts.models.fitting import fit_model
from workflow_scripts.models.saved import SavedModel, save_model
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    params = snakemake.params
    model = fit_model(dict(snakemake.input.items()), params.cell, params.settings)
    clusterer = model.facts["clusterer"]
    log.info(
        "k = %s by %s; outliers above %g",
        clusterer["chosen_k"],
        clusterer["chosen_by"],
        model.facts["novelty"]["threshold"],
    )
    origin = {"dataset": params.dataset, "study": snakemake.wildcards.study, "code": params.code}
    save_model(SavedModel({**model.facts, **origin}, model.tensors), snakemake.output.facts, snakemake.output.tensors)

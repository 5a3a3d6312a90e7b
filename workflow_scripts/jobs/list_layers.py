"""Print the names of a network's layers, their shapes, and the size of their features on disk."""

from snakemake.script import Snakemake

from workflow_scripts.backbones.list_layers import list_layers
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    params = snakemake.params
    table = list_layers(params.model, params.n_images, params.size)
    print(
        f"{params.model}, {params.n_images} images of {params.size} pixels, float32; "
        "pooled: _avg, _max, _gem, _cls or _patch"
    )
    print(table.to_string(index=False, na_rep=""))

"""What layers a model has, for `snakemake list_layers --config backbone=vgg16`."""

import pandas as pd

from workflow_scripts.backbones.family import family_of
from workflow_scripts.errors import UserError

BYTES_PER_VALUE = 4


def list_layers(model: str, n_images: int, size: int | None = None) -> pd.DataFrame:
    """Return a model's nodes in the order of execution, and what their stores take on the disk.

    Columns: `layer` (the name in the YAML), `alias` (the papers' names for it), `shape` of the output for one image of
    side `size` pixels (null: the model's own), `flat` and `pooled` (numbers per image; pooled by avg, max, gem, cls or
    patch, null where there is nothing to pool), `flat_mb` and `pooled_mb` (of `n_images` images, 10^6 bytes). Raises
    `UserError` for an unknown model.
    """
    family, own_name = family_of(model)
    if trouble := family.unknown_model(own_name):
        raise UserError(trouble)
    own, known = family.input_size(own_name), family.nodes(own_name)
    aliases: dict[str, list[str]] = {}
    for alias, name in family.aliases(own_name).items():
        aliases.setdefault(name, []).append(alias)
    rows = []
    for name, node in known.items():
        shape = node.at(own, size or own)
        pooled = node.pooled("patch") if node.refuses("avg") is None or node.refuses("patch") is None else None
        rows.append(
            (name, ", ".join(aliases.get(name, [])), " x ".join(map(str, shape)), node.pooled("flat", shape), pooled)
        )
    table = pd.DataFrame(rows, columns=["layer", "alias", "shape", "flat", "pooled"]).astype({"pooled": "Int64"})
    for column in ("flat", "pooled"):
        table[f"{column}_mb"] = (table[column] * (BYTES_PER_VALUE * n_images / 1e6)).astype("Float64").round(1)
    return table

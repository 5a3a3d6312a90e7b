"""List the layers of a model, for `snakemake list_layers --config backbone=vgg16`."""

import pandas as pd

from workflow_scripts.backbones.family import family_of
from workflow_scripts.errors import UserError

BYTES_PER_VALUE = 4


def list_layers(model: str, n_images: int, size: int | None = None) -> pd.DataFrame:
    """Return a table of a model's layers in the order of execution, with the sizes of their stores.

    The columns are:

    - `layer`, `alias`: the name in the configuration, and other names, such as those in papers.
    - `shape`: shape of the output for an image of side `size` pixels (None takes the model's own size).
    - `flat`: number of features without pooling.
    - `pooled`: number of features after pooling, one for each channel; null if the layer cannot be pooled.
    - `flat_mb`, `pooled_mb`: size of the store of `n_images` images, in units of 10^6 bytes.

    Raises `UserError` if there is no such model.
    """
    family, model_name = family_of(model)
    if trouble := family.unknown_model(model_name):
        raise UserError(trouble)
    input_size, known = family.input_size(model_name), family.nodes(model_name)
    aliases: dict[str, list[str]] = {}
    for alias, name in family.aliases(model_name).items():
        aliases.setdefault(name, []).append(alias)
    rows = []
    for name, node in known.items():
        shape = node.at(input_size, size or input_size)
        pooled = node.pooled("patch") if node.refuses("avg") is None or node.refuses("patch") is None else None
        rows.append(
            (name, ", ".join(aliases.get(name, [])), " x ".join(map(str, shape)), node.pooled("flat", shape), pooled)
        )
    table = pd.DataFrame(rows, columns=["layer", "alias", "shape", "flat", "pooled"]).astype({"pooled": "Int64"})
    for column in ("flat", "pooled"):
        table[f"{column}_mb"] = (table[column] * (BYTES_PER_VALUE * n_images / 1e6)).astype("Float64").round(1)
    return table

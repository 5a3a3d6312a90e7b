"""Writes `nodes/*.json`, what the rules know about torchvision's models.

`python -m workflow_scripts.backbones.generate_nodes [MODEL ...]`, after torchvision was updated.
"""

import json
import sys

from workflow_scripts.backbones import names, network
from workflow_scripts.backbones.torchvision_import import torchvision

USUAL_SIZE = 224


def content(model: str) -> str:
    """The file of one model: its input size, and each node's shapes at that size and at twice that, a node a line."""
    crop = torchvision.models.get_model_weights(model)["DEFAULT"].transforms().crop_size[0]
    size, nodes = network.describe(model, [crop, USUAL_SIZE])
    lines = [
        f"{json.dumps(name)}: {json.dumps([node.shape, node.doubled] if node.doubled else [node.shape])}"
        for name, node in nodes.items()
    ]
    return f'{{"input_size": {size}, "nodes": {{\n' + ",\n".join(lines) + "\n}}\n"


def main(models: list[str]) -> None:
    """Write the files of `models`, or of all classification models of torchvision."""
    for model in models or torchvision.models.list_models(module=torchvision.models):
        (names.NODES / f"{model}.json").write_text(content(model))


if __name__ == "__main__":
    main(sys.argv[1:])

"""`import torchvision` beside a torch that its compiled part does not fit.

The registry's wheel of torchvision is built for CUDA; beside a CPU-only torch its extension does not load, and the
import fails with "operator torchvision::nms does not exist". The models, graphs and transforms need none of it: with
the schemas of the two missing operators declared, everything here works (`torchvision.io` and `ops.nms` do not). A
torchvision that imports by itself is left alone. Every module of ours takes torchvision from here.
"""

import sys

import torch

_SCHEMA = "{}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

try:
    import torchvision
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(_SCHEMA.format(operator))
    import torchvision

import torchvision.models  # noqa: E402
import torchvision.models.feature_extraction  # noqa: E402

__all__ = ["torchvision"]

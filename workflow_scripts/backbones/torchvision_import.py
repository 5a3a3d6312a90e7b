"""Import torchvision, also if its compiled extension does not fit the installed torch.

The registry's wheel of torchvision is built for CUDA. With a CPU-only torch its extension cannot be loaded, and the
import fails with "operator torchvision::nms does not exist". This module then declares the two missing operators.
Models, graphs and transforms do not use them; `torchvision.io` and `ops.nms` do not work. All modules of this package
must import torchvision from here.
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

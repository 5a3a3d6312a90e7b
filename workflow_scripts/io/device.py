"""The choice of the device that a job computes on."""

import logging
import os

from workflow_scripts.errors import UserError

log = logging.getLogger(__name__)


def choose_device(wanted: str, key: str = "device", allowed: str = "cpu, auto") -> str:
    """Return `cpu` or `cuda` for the setting `wanted`: `cpu`, `cuda` or `auto`.

    `auto` takes a GPU if there is one, and logs that there is none otherwise. Raises `UserError`, which names the
    configuration's `key` and the `allowed` values, if `cuda` is wanted and there is no GPU.
    """
    if wanted == "cpu":
        return "cpu"
    import torch  # takes two seconds to import

    if torch.cuda.is_available():
        return "cuda"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")  # set by SLURM
    reason = "torch sees no GPU here" + (f" (CUDA_VISIBLE_DEVICES is {visible})" if visible is not None else "")
    if wanted == "cuda":
        raise UserError(f"{key}: found cuda, but {reason}; allowed: {allowed}")
    log.info("%s is auto: %s, so the CPU is used", key, reason)
    return "cpu"

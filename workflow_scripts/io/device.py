"""Choose the device that a job computes on: the CPU or a GPU."""

import logging
import os

from workflow_scripts.errors import UserError

log = logging.getLogger(__name__)


def choose_device(wanted: str, key: str = "device", allowed: str = "cpu, auto") -> str:
    """Return the device to compute on, `cpu` or `cuda`, for the setting `wanted`: `cpu`, `cuda` or `auto`.

    With `auto` it is `cuda` if there is a GPU; otherwise it is `cpu`, and the reason is logged. Raises `UserError` if
    `cuda` is wanted and there is no GPU. The message names the setting, `key`, and the `allowed` values.
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

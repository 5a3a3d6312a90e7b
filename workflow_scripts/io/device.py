"""The device that a job computes on: the one place that asks whether there is a GPU."""

import logging
import os

from workflow_scripts.errors import UserError

log = logging.getLogger(__name__)


def choose_device(wanted: str, key: str = "device", allowed: str = "cpu, auto") -> str:
    """Return `cpu` or `cuda` for a setting of `cpu`, `cuda` or `auto`.

    `auto` takes a GPU if there is one and logs it where there is none. Raises `UserError` with the configuration's
    `key`, and with what is `allowed` there, for cuda without a GPU.
    """
    if wanted == "cpu":
        return "cpu"
    import torch  # takes two seconds to import

    if torch.cuda.is_available():
        return "cuda"
    given = os.environ.get("CUDA_VISIBLE_DEVICES")  # set by SLURM
    none = "torch sees no GPU here" + (f" (CUDA_VISIBLE_DEVICES is {given})" if given is not None else "")
    if wanted == "cuda":
        raise UserError(f"{key}: found cuda, but {none}; allowed: {allowed}")
    log.info("%s auto: %s, so on the CPU", key, none)
    return "cpu"

"""Tell what the setting `weights` names: published weights, a file, a package, a repository, or random weights.

Rules import this module, so it uses the standard library only.
"""

import os
from pathlib import Path

SUFFIXES = (".pth", ".pt", ".pth.tar", ".tar", ".bin", ".ckpt", ".safetensors", ".h5")
PACKAGE = "package:"
HF_HUB = "hf-hub:"
RANDOM, NONE = "random", "none"
WEIGHT_FILES = f"a file ({', '.join(SUFFIXES)}), {PACKAGE}NAME/path/inside, {HF_HUB}OWNER/NAME"


PERMISSIVE = ("apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc-by-4.0", "cc0-1.0", "mit")
"""Licences, as timm names them, that allow every use of weights."""


def is_published(text: str) -> bool:
    """Return whether the setting `weights` names weights that the library of the network publishes."""
    return not (text in (RANDOM, NONE) or text.startswith((PACKAGE, HF_HUB)) or weight_file(text))


def restricts_use(licence: str | None) -> bool:
    """Return whether a licence forbids some uses of weights, such as commercial ones; False if it is not known."""
    return licence is not None and licence not in PERMISSIVE


def weight_file(text: str) -> Path | None:
    """Return the path of a weight file, with `~` expanded; None if `text` names a weight set, package or repository."""
    if text.startswith((PACKAGE, HF_HUB)) or not text.endswith(SUFFIXES):
        return None
    return Path(os.path.expanduser(text))

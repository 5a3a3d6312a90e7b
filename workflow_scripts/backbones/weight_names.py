"""The names of weights in the configuration. Rules import this module, so it uses the standard library only."""

import os
from pathlib import Path

SUFFIXES = (".pth", ".pt", ".pth.tar", ".tar", ".bin", ".ckpt", ".safetensors", ".h5")
PACKAGE = "package:"
HF_HUB = "hf-hub:"
RANDOM = "random"
WEIGHT_FILES = f"a file ({', '.join(SUFFIXES)}), {PACKAGE}NAME/path/inside, {HF_HUB}OWNER/NAME"


def weight_file(text: str) -> Path | None:
    """Return the path of a weight file, with `~` expanded; None if `text` names a weight set, package or repository."""
    if text.startswith((PACKAGE, HF_HUB)) or not text.endswith(SUFFIXES):
        return None
    return Path(os.path.expanduser(text))

"""Find published weights in the caches of torch hub and Hugging Face, and download them."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.hub import HASH_REGEX, download_url_to_file

from workflow_scripts.errors import UserError


def checkpoints() -> Path:
    """Return the folder with weight files in the cache of torch hub."""
    return Path(torch.hub.get_dir(), "checkpoints")


def hash_in_name(path: Path) -> str | None:
    """Return the beginning of the SHA-256 in the name of a file in torch hub's cache, or None if the name has none."""
    prefix = HASH_REGEX.search(path.name) if path.parent == checkpoints() else None
    return prefix.group(1) if prefix else None


def fetch(url: str, path: Path, where: str) -> None:
    """Download `url` to `path`. Raises `UserError` if that fails. The error message has the text `where`, which says
    what is missing and where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        download_url_to_file(url, str(path), hash_in_name(path), progress=False)
    except (OSError, RuntimeError) as error:  # no network, or another hash than in the name
        raise UserError(f"weights: {where} and could not be downloaded: {error}; copy it there from {url}") from None


def hugging_face(repository: str, files: Sequence[str], download: bool, wanted_by: str) -> Path:
    """Return the path of the first of `files` that is in the local cache of a Hugging Face repository.

    If none is there and `download` is true, the first one that the repository has is downloaded. Raises `UserError` if
    no file is found; its message names `wanted_by`, the model or the setting that needs the file.
    """
    import huggingface_hub

    for file in files:
        cached = huggingface_hub.try_to_load_from_cache(repository, file)
        if isinstance(cached, str):
            return Path(cached)
    where = f"{wanted_by}: {' or '.join(files)} of {repository} is not in the Hugging Face cache"
    if not download:
        raise UserError(f"weights: {where}; fetch it on a machine with a network by `snakemake weights`")
    reason = ""
    for file in files:
        try:
            return Path(huggingface_hub.hf_hub_download(repository, file))
        except Exception as error:  # huggingface_hub and httpx raise many types of exceptions
            reason = reason or str(error).strip().splitlines()[0]
    raise UserError(f"weights: {where} and could not be downloaded: {reason}")

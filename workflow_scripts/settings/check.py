"""Check a configuration file and Snakemake's cache folder before Snakemake starts.

Snakemake's own messages about a mistake in YAML, and about a cache that cannot be written, are hard to understand.

Usage: python -m workflow_scripts.settings.check [FILE]
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from workflow_scripts.errors import UserError
from workflow_scripts.settings.configuration import load
from workflow_scripts.settings.reading import read_yaml

DEFAULT = Path(__file__).parents[2] / "config" / "config.yaml"


def check(file: str | Path) -> str:
    """Check a configuration file; return an error message of one line, or an empty text if the file is valid."""
    try:
        load(read_yaml(file), [file], DEFAULT)
    except UserError as error:
        return str(error)
    return ""


def check_cache() -> str:
    """Return an error message of one line if Snakemake cannot write its cache folder, else an empty text."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "snakemake"
    with suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
    if os.access(cache, os.W_OK | os.X_OK):
        return ""
    return f"{cache}: Snakemake's cache cannot be written; set XDG_CACHE_HOME to a folder that can be"


if __name__ == "__main__":
    if trouble := check(sys.argv[1] if sys.argv[1:] else DEFAULT) or check_cache():
        sys.exit(f"Error: {trouble}")

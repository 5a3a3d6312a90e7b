"""Check a configuration before Snakemake reads it, because Snakemake does not name the line of a YAML mistake.

Usage: python -m workflow_scripts.settings.check FILE
"""

import sys
from pathlib import Path

from workflow_scripts.errors import UserError
from workflow_scripts.settings.configuration import load
from workflow_scripts.settings.reading import read_yaml

DEFAULT = Path(__file__).parents[2] / "config" / "config.yaml"


def check(file: str) -> str:
    """Check a configuration file; return an error message of one line, or an empty text if the file is valid."""
    try:
        load(read_yaml(file), [file], DEFAULT)
    except UserError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    if trouble := check(sys.argv[1]):
        sys.exit(f"Error: {trouble}")

"""Check a configuration before Snakemake reads it, whose own words for a YAML mistake name no line.

python -m workflow_scripts.settings.check FILE
"""

import sys
from pathlib import Path

from workflow_scripts.errors import UserError
from workflow_scripts.settings.configuration import load
from workflow_scripts.settings.reading import read_yaml

DEFAULT = Path(__file__).parents[2] / "config" / "config.yaml"


def check(file: str) -> str:
    """Return what is wrong with a configuration file in one line, or nothing."""
    try:
        load(read_yaml(file), [file], DEFAULT)
    except UserError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    if trouble := check(sys.argv[1]):
        sys.exit(f"Error: {trouble}")

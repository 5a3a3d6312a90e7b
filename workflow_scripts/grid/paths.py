"""Fill wildcards in paths, change their endings, and name data sets and folders in paths."""

import hashlib
import re
from pathlib import Path
from typing import Any

from workflow_scripts.settings.configuration import Settings


def filled(pattern: str, **values: Any) -> str:
    """Return the pattern with the given wildcards filled in and all other wildcards left as they are."""
    wildcards = re.findall(r"{(\w+)}", pattern)
    return pattern.format(**{name: values.get(name, f"{{{name}}}") for name in wildcards})


def beside(path: str, ending: str) -> str:
    """Return the path with its ending replaced by another one."""
    return str(Path(path).with_suffix("")) + ending


def dataset_name(settings: Settings) -> str:
    """Return the id of the data set. It is the name in the settings, if there is one.

    Otherwise it is `embedded` for the data set that comes with the project, and the folder's name and a short hash of
    its path for any other.
    """
    if settings.name:
        return settings.name
    if settings.data == "embedded":
        return "embedded"
    return folder_name(settings.data)


def folder_name(folder: str) -> str:
    """Return an id for a folder: its name and a short hash of its absolute path."""
    path = Path(folder).resolve()
    name = re.sub(r"[^\w.-]+", "_", path.name)
    return f"{name}-{hashlib.sha256(str(path).encode()).hexdigest()[:6]}"

"""The base class of the input functions of a stage, their types, and the decorator that ends a run with one line."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from os.path import isfile
from typing import Any, ParamSpec, TypeVar

from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.cells import Cell
from workflow_scripts.grid.expand import Grid
from workflow_scripts.intake.listing import listing_digest, scan
from workflow_scripts.settings.configuration import Settings

Given = ParamSpec("Given")
Result = TypeVar("Result")
JobWildcards = Any
"""The wildcards of a job in Snakemake, with an attribute and an item for each."""
Files = str | list[str]


@dataclass(frozen=True)
class Stage:
    """Base class of the stages. A stage's methods are the input functions and params of its rules, for Snakemake.

    Parameters
    ----------
    settings : the settings of the configuration.
    grid : the cells of the configuration's studies.
    layout : the paths of all artefacts.
    """

    settings: Settings
    grid: Grid
    layout: Layout


def ends_the_run(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Return `function`, changed to end the run with one line if it raises `UserError`.

    Otherwise Snakemake would show a traceback.
    """

    @wraps(function)
    def guarded(*arguments: Given.args, **keywords: Given.kwargs) -> Result:
        try:
            return function(*arguments, **keywords)
        except UserError as error:
            sys.exit(f"Error: {error}")

    return guarded


def folder_digest(key: str, folder: str, include: Iterable[str] = ("**/*",), exclude: Iterable[str] = ()) -> str:
    """Return a digest of the files in the folder that the configuration's `key` names.

    `include` and `exclude` are patterns of paths, as for `intake.listing.scan`. Raises `UserError` as `scan` does.
    """
    return listing_digest(scan(folder, include, exclude, f"config: {key}"))


def named_files(key: str, files: Files | None) -> Files:
    """Return `files`, or an empty list for None.

    Raises `UserError` if a file does not exist; the message has the `key` of the configuration that names the files.
    """
    missing = next((file for file in each_file(files or []) if not isfile(file)), None)
    if missing:
        raise UserError(f"config: {key}: found no file {missing}")
    return files or []


def each_file(files: Files) -> list[str]:
    """Return a list of paths as it is, and a single path as a list."""
    return [files] if isinstance(files, str) else files


def dumped(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return cells as dictionaries, for the `params` of a rule."""
    return [cell.dump() for cell in cells]

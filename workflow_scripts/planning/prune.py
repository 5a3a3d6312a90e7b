"""List and delete results that no configuration asks for any more.

Only some folders of the results are looked at, the pruned folders (`grid.artefacts.PRUNED_FOLDERS`).
"""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import PRUNED_FOLDERS, Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.io.files import THUMBNAILS
from workflow_scripts.settings import Settings, parse
from workflow_scripts.settings.reading import read_yaml

UNFINISHED = (".rows", ".progress", ".checkpoint", ".checkpoints")
"""Endings of the hidden files and folders from which an interrupted job continues, such as `.RESULT.checkpoint`."""


def wanted_files(config_folder: str, settings: Settings, layout: Layout) -> list[str]:
    """Return the sorted paths of all results in the pruned folders that at least one configuration asks for.

    The configurations are the present one (`settings`) and every YAML file with studies in `config_folder`. If one of
    them has a mistake, the process exits with a message, because its results must not be deleted.
    """
    configurations = [settings]
    for path in sorted(Path(config_folder).glob("**/*.yaml")):
        try:
            content = read_yaml(path)
            if "studies" in content:
                configurations.append(parse(content))
        except UserError as error:
            sys.exit(f"Error: {path}: {error}")
    return sorted({path for each in configurations for path in layout.named(Grid(each))})


def unwanted(root: str | Path, wanted: Collection[str]) -> Iterator[Path]:
    """Yield the files in the pruned folders of `root` that can be deleted, because they are not `wanted`.

    An unfinished file or a thumbnail is kept if the result that it belongs to is wanted (see `_finished`).
    """
    known = {Path(path) for path in wanted}
    for folder in PRUNED_FOLDERS:
        files = (path for path in sorted((Path(root) / folder).rglob("*")) if path.is_file())
        yield from (path for path in files if _finished(path) not in known)


def _finished(path: Path) -> Path:
    """Return the path of the result that a file belongs to, if it is an unfinished file or a thumbnail.

    For any other file, return its own path.
    """
    if path.parent.suffix == THUMBNAILS:
        return path.parent.with_suffix(".html")
    if path.parent.name.endswith(".checkpoints"):
        path = path.parent
    for ending in UNFINISHED:
        if path.name.startswith(".") and path.name.endswith(ending):
            return path.with_name(path.name.removeprefix(".").removesuffix(ending))
    return path


def prune(root: str | Path, wanted: Collection[str], delete: bool) -> None:
    """Print each file of `unwanted` with its size, and delete it if `delete` is true."""
    total = 0
    for path in unwanted(root, wanted):
        size = path.stat().st_size
        total += size
        print(f"{'deleted' if delete else 'unused'}  {size / 1e6:9.1f} MB  {path}")
        if delete:
            path.unlink()
            _remove_empty(path.parent, Path(root))
    hint = "" if delete or not total else "; the same command with delete=true after --config deletes them"
    print(f"{total / 1e6:.1f} MB that no configuration names{hint}")


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent

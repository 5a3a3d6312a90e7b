"""Results that no configuration names any more."""

from collections.abc import Iterable, Iterator
from pathlib import Path

STAGES = (
    *("preprocess", "weights", "finetuned", "subsets", "features", "decomposed", "clusters", "scores", "validated"),
    *("tables", "figures", "consensus", "verdict", "audit", "gallery", "models"),
)


def unwanted(root: str | Path, wanted: Iterable[str]) -> Iterator[Path]:
    """The files of the stages below `root` whose path, suffixes aside, is not among those of `wanted`."""
    known = {_stem(Path(path)) for path in wanted}
    for stage in STAGES:
        yield from (
            path for path in sorted((Path(root) / stage).rglob("*")) if path.is_file() and _stem(path) not in known
        )


def prune(root: str | Path, wanted: Iterable[str], delete: bool) -> None:
    """Prints each unwanted file with its size, and deletes it when told to."""
    total = 0
    for path in unwanted(root, wanted):
        size = path.stat().st_size
        total += size
        print(f"{'deleted' if delete else 'unused'}  {size / 1e6:9.1f} MB  {path}")
        if delete:
            path.unlink()
            _remove_empty(path.parent, Path(root))
    hint = "" if delete or not total else "; delete them with: snakemake prune --config delete=true"
    print(f"{total / 1e6:.1f} MB that no configuration names{hint}")


def _stem(path: Path) -> Path:
    if path.parent.name.endswith(".checkpoints"):
        path = path.parent
    name = path.name
    for unfinished in (".rows", ".progress", ".checkpoint", ".checkpoints"):  # of what a kill interrupted and can go on
        if name.endswith(unfinished):
            name = name.removeprefix(".").removesuffix(unfinished)
    for suffix in (".parquet", ".csv", ".classes", ".h5", ".json", ".safetensors", ".svg", ".png", ".html"):
        name = name.removesuffix(suffix)
    return path.with_name(name)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent

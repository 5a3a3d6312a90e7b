"""Where a result comes from: digests of code, of files and of settings."""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from workflow_scripts.kmeans_kernels import kernels

PACKAGE = Path(__file__).parent
# What these modules do to a result is already in a job's params (settings, most of grid) or nothing at all.
LEFT_OUT = {"settings", "grid", "runlog", "provenance", "errors"}
COUNTED = {"grid.axes", "grid.cells"}
"""Of those the modules that jobs take names and columns from."""


def digest(value: Any) -> str:
    """SHA-256 of a JSON value, independent of the order of keys; 16 hex digits."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code_digest(*modules: str) -> str:
    """What the named modules, and those of ours that they import directly or not, do: 16 hex digits.

    A hash of the parsed sources without docstrings and comments, so that only a change of logic changes it. C sources
    and the templates of pages count with the modules of their folder, byte by byte; so does that k-means has no
    compiled kernel: what it made without one is made again when there is one. `modules` are dotted names below the
    package, such as `jobs.cluster` or `clusterers.kmeans`.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found and (module in COUNTED or module.split(".")[0] not in LEFT_OUT):
            found.add(module)
            waiting.extend(_imports(module))
    without_kernel = ["no kernel"] if "kmeans_kernels" in found and not kernels() else []
    return digest([[module, _logic(module), _compiled(module)] for module in sorted(found)] + without_kernel)


def _source(module: str) -> Path | None:
    path = PACKAGE.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def _existing_source(module: str) -> Path:
    source = _source(module)
    if source is None:
        raise ModuleNotFoundError(f"{PACKAGE.name}.{module}")
    return source


@cache
def _tree(module: str) -> ast.Module:
    """The parsed source without texts that stand alone: docstrings of modules, classes, functions and attributes."""
    tree = ast.parse(_existing_source(module).read_bytes())
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [  # type: ignore[attr-defined]
                part for part in body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ]
    return tree


@cache
def _imports(module: str) -> tuple[str, ...]:
    return tuple(_ours(_tree(module)))


def _ours(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            ours = name.removeprefix(f"{PACKAGE.name}.")
            if ours != name and _source(ours):
                yield ours


@cache
def _logic(module: str) -> str:
    return hashlib.sha256(ast.dump(_tree(module)).encode()).hexdigest()


@cache
def _compiled(module: str) -> list[str]:
    """Digests of the C sources, and of the templates of pages, in the module's folder."""
    files = sorted(_existing_source(module).parent.iterdir())
    return [file_digest(path) for path in files if path.suffix in (".c", ".h", ".html")]

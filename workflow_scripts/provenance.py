"""Digests of code, files and settings, which record how a result was made."""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from workflow_scripts.kmeans_kernels import kernels

PACKAGE = Path(__file__).parent
LEFT_OUT = {"settings", "grid", "runlog", "provenance", "errors"}
"""Modules that `code_digest` ignores: they do not change a result, or a job's params already show the change."""
COUNTED = {"grid.axes", "grid.cells"}
"""Modules inside `LEFT_OUT` that `code_digest` includes nevertheless: jobs take names of columns from them."""


def digest(value: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of a JSON value; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def file_digest(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code_digest(*modules: str) -> str:
    """Return a digest (16 hex digits) of the code of some modules and of all modules of this package that they import.

    Modules in `LEFT_OUT` do not count, unless they are in `COUNTED`. Docstrings and comments of Python sources do not
    change the digest. All C, HTML, CSS, JavaScript and BibTeX files in a module's folder count, with every byte. If a
    module uses k-means, the digest also changes when a kernel is compiled for the first time, so that results that were
    made without a kernel are made again.

    `modules` are dotted names inside the package, such as `jobs.cluster` or `clusterers.kmeans`. Raises
    `ModuleNotFoundError` for a name that does not exist.
    """
    counted: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in counted and (module in COUNTED or module.split(".")[0] not in LEFT_OUT):
            counted.add(module)
            waiting.extend(_code(module)[0])
    without_kernel = ["no kernel"] if "kmeans_kernels" in counted and not kernels() else []
    return digest([[module, _code(module)[1], _compiled(module)] for module in sorted(counted)] + without_kernel)


def _source(module: str) -> Path | None:
    path = PACKAGE.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def _existing_source(module: str) -> Path:
    source = _source(module)
    if source is None:
        raise ModuleNotFoundError(f"{PACKAGE.name}.{module}")
    return source


@cache
def _code(module: str) -> tuple[tuple[str, ...], str]:
    """Return the modules of this package that `module` imports, and a SHA-256 of its parsed source (see `_tree`)."""
    tree = _tree(module)
    return tuple(_ours(tree)), hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _tree(module: str) -> ast.Module:
    """Return the parsed source of a module, without the docstrings of the module, classes, functions and attributes."""
    tree = ast.parse(_existing_source(module).read_bytes())
    for node in _statements(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [  # type: ignore[attr-defined]
                part for part in body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ]
    return tree


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the module and all statements in it, also those inside other statements.

    Expressions are skipped to save time: they are most of a syntax tree.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "handlers", "cases", "orelse", "finalbody"):
            if isinstance(inner := getattr(node, part, None), list):
                waiting.extend(inner)


def _ours(tree: ast.Module) -> Iterator[str]:
    for node in _statements(tree):
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
def _compiled(module: str) -> list[str]:
    """Return the SHA-256 of every C, HTML, CSS, JavaScript and BibTeX file in the module's folder."""
    files = sorted(_existing_source(module).parent.iterdir())
    return [file_digest(path) for path in files if path.suffix in (".c", ".h", ".html", ".css", ".js", ".bib")]

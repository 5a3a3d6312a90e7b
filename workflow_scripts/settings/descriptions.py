"""Use the docstrings below the fields of settings models as descriptions of the keys in the JSON schema.

pydantic's `use_attribute_docstrings` is not used: it reads all docstrings at each start of a run, which takes time.
"""

import ast
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc, get_annotations
from itertools import pairwise
from pathlib import Path
from sys import modules
from typing import Any

from workflow_scripts.settings.base import Model


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema, changed in place: each property without a description gets the docstring below its
    field."""
    definitions = {schema["title"]: schema, **schema.get("$defs", {})}
    for model in _below(Model):
        for name, entry in definitions.get(model.__name__, {}).get("properties", {}).items():
            if "description" not in entry and (text := _description(model, name)):
                in_order = sorted({**entry, "description": text}.items())
                entry.clear()
                entry.update(in_order)
    return schema


def _below(model: type[Model]) -> Iterator[type[Model]]:
    for direct in model.__subclasses__():
        yield direct
        yield from _below(direct)


def _description(model: type[Model], field: str) -> str | None:
    """Return the docstring of a field in `model`, or in the nearest base class that declares the field; None if it has
    none."""
    declaring = next((above for above in model.__mro__ if field in get_annotations(above)), model)
    return _docstrings(declaring.__module__).get((declaring.__name__, field))


@cache
def _docstrings(module: str) -> dict[tuple[str, str], str]:
    """Return the docstrings of all fields in a module, by (class, field); an empty dictionary if the module has no
    file."""
    file = getattr(modules[module], "__file__", None)
    tree = ast.parse(Path(file).read_bytes() if file else b"")
    return {
        (of_class.name, node.target.id): cleandoc(below.value.value)
        for of_class in tree.body
        if isinstance(of_class, ast.ClassDef)
        for node, below in pairwise(of_class.body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }

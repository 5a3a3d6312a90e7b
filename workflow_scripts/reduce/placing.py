"""Find the module that computes the points of new images in the space of a decomposition."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from workflow_scripts.reduce.protocol import Placing


def placing_by(settings: Mapping[str, Any]) -> Placing:
    """Return the module of the decomposition with these settings. The module computes the points of new images.

    Raises `ValueError` if there is no such module, or if it cannot place new images (`protocol.Placing`).
    """
    method = settings.get("method")
    try:
        module = import_module(f"{__package__}.{method}")
    except ImportError:
        module = None
    if not isinstance(module, Placing):
        raise ValueError(f"method: found {method}, allowed: a decomposition that places new images")
    return module

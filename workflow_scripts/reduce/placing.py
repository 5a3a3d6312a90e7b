"""Find what places new images among those that were decomposed."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from workflow_scripts.reduce.protocol import Placing


def placing_by(settings: Mapping[str, Any]) -> Placing:
    """Return the module of a decomposition with these settings; raises `ValueError` if it places no new images."""
    method = settings.get("method")
    try:
        module = import_module(f"{__package__}.{method}")
    except ImportError:
        module = None
    if not isinstance(module, Placing):
        raise ValueError(f"method: found {method}, allowed: a decomposition that places new images")
    return module

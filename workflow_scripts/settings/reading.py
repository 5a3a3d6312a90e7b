"""YAML files, and mistakes in them told in one line."""

import re
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.errors import UserError, found_allowed


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error and not the last one's win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        merge = "tag:yaml.org,2002:merge"
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != merge]
        for key in keys:
            if keys.count(key) > 1:
                raise UserError(
                    f"{node.start_mark.name}: the key {key!r} stands twice (line {node.start_mark.line + 1} on)"
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML file's mapping; raises `UserError` for what is not YAML, not a mapping, or has a key twice."""
    try:
        with open(path, "rb") as stream:
            content = yaml.load(stream, _StrictLoader)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: found {type(content).__name__}, allowed: keys with values")
    return content


_ALLOWED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "a text",
    "string_pattern_mismatch": "what matches {pattern}",
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "keys with values"),
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "too_short": "{min_length} or more entries",
    "too_long": "{max_length} entries at most",
}
"""What is allowed, by pydantic's kinds of mistakes."""


def mistake(detail: Any) -> str:
    """What was found and what is allowed, of a mistake as pydantic reports it."""
    kind, context = detail["type"], detail.get("ctx", {})
    found = context.get("tag", detail["input"])
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind in ("missing", "union_tag_not_found"):
        return "missing"
    if kind in ("literal_error", "union_tag_invalid"):
        return found_allowed(found, re.findall("'([^']+)'", context.get("expected") or context["expected_tags"]))
    return f"found {found!r}, allowed: {_ALLOWED[kind].format(**context) if kind in _ALLOWED else detail['msg']}"

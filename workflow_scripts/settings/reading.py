"""Strict reading of YAML files, and messages of one line about mistakes in them."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.errors import UserError, found_allowed, shown

UTF16 = (b"\xff\xfe", b"\xfe\xff")


class _StrictLoader(yaml.SafeLoader):
    """A YAML loader that refuses duplicate keys, and values that YAML 1.1 reads in an unexpected way.

    YAML 1.1 reads `010` as 8, `2:10` as 130, `no` as false, and `images #2` as `images`. The message says what to write
    instead.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.lines = text.decode(errors="replace").splitlines()

    def construct_scalar(self, node: Any) -> Any:
        rest = self.lines[node.end_mark.line][node.end_mark.column :].rstrip() if node.style is None else ""
        whole = node.value + rest
        if " #" in rest and os.path.exists(os.path.expanduser(whole)):
            raise UserError(f"{_place(node.start_mark)}: {_cut(whole, node.value)}; write '{whole}' in quotes")
        return super().construct_scalar(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        merge = "tag:yaml.org,2002:merge"
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != merge]
        for key in keys:
            if keys.count(key) > 1:
                raise UserError(f"{_place(node.start_mark)}: the key {key!r} is there twice; remove one")
        return super().construct_mapping(node, deep)

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        text = node.value.lstrip("+-")
        value = self.construct_yaml_float(node) if node.tag.endswith("float") else self.construct_yaml_int(node)
        if ":" in text or (text.startswith("0") and text[1:].replace("_", "").isdigit()):
            raise UserError(
                f"{_place(node.start_mark)}: found {node.value}, which YAML reads as {value}; write {value}, or a text "
                f"in quotes: '{node.value}'"
            )
        return value

    def construct_boolean(self, node: yaml.ScalarNode) -> bool:
        value = self.construct_yaml_bool(node)
        if node.value.lower() not in ("true", "false"):
            raise UserError(
                f"{_place(node.start_mark)}: found {node.value}, which YAML reads as {str(value).lower()}; write "
                f"{str(value).lower()}, or '{node.value}' in quotes for the word"
            )
        return value


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _StrictLoader.construct_number)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _StrictLoader.construct_number)
_StrictLoader.add_constructor("tag:yaml.org,2002:bool", _StrictLoader.construct_boolean)


def check_encoding(encoding: str) -> None:
    """Raise `UserError` if Python takes the names of files for texts of another encoding than UTF-8."""
    if encoding != "utf-8":
        raise UserError(f"locale: names of files are read as {encoding}, allowed: utf-8; set LC_ALL=C.UTF-8")


def check_command_line(arguments: Iterable[str], given: Mapping[str, Any]) -> None:
    """Raise `UserError` if a value of `--config` on the command line was cut at a `#`, where a comment of YAML begins.

    `given` is the configuration with the values as they were read.
    """
    for argument in arguments:
        key, _, value = argument.partition("=")
        if " #" in value and given.get(key) == value.partition(" #")[0].strip():
            raise UserError(f"config: {key}: {_cut(value, given[key])}; write --config '{key}=\"{value}\"'")


def _cut(text: str, read: str) -> str:
    return f"found {text!r}, of which YAML reads {read!r}, because # begins a comment"


def _place(mark: yaml.Mark) -> str:
    return f"{mark.name}, line {mark.line + 1}"


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file whose content is a mapping.

    Raises `UserError`, with the file, the line and what to write, if the file cannot be read, is not YAML, is not a
    mapping, has a duplicate key, or has a value that YAML reads in an unexpected way.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; allowed: a YAML file") from None
    if text.startswith(UTF16):
        raise UserError(f"{path}: found UTF-16, allowed: UTF-8; save it with that encoding")
    try:
        loader = _StrictLoader(text)
        loader.name = str(path)
        content = loader.get_single_data()
    except yaml.YAMLError as error:
        raise UserError(f"{path}{_explain(error, text)}") from None
    if content is None:
        raise UserError(f"{path}: found nothing in the file, allowed: keys with values, such as data: FOLDER")
    if not isinstance(content, dict):
        raise UserError(f"{path}: found a {type(content).__name__} on top, allowed: keys with values, as data: FOLDER")
    return content


def _explain(error: yaml.YAMLError, text: bytes) -> str:
    """Return the line of a mistake, what is wrong in it, and what is allowed."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f": not YAML: {' '.join(str(error).split())}; save it as UTF-8 text"
    opened = getattr(error, "context_mark", None)
    if opened is not None and isinstance(error, yaml.scanner.ScannerError):
        mark = opened  # the line of the key without a colon, or of the opening quotation mark
    lines = text.decode(errors="replace").splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        problem = "a tab, allowed: spaces for indentation"
    elif isinstance(error, yaml.constructor.ConstructorError):
        problem = (
            f"{str(error.problem).removeprefix('could not determine a constructor for ')}, allowed: no tags (!...)"
        )
    elif opened is not None and "flow" in str(error.context):  # type: ignore[attr-defined]
        problem = f"a bracket of line {opened.line + 1} that is not closed, or a comma that is missing"
    elif "quoted scalar" in str(error.context):  # type: ignore[attr-defined]
        problem = f"{line.strip()[:40]!r} with a quotation mark that is not closed"
    elif "expected ':'" in str(error.problem):  # type: ignore[attr-defined]
        problem = f"{line.strip()[:40]!r} without a colon, allowed: KEY: VALUE"
    elif isinstance(error, yaml.parser.ParserError):
        problem = f"{line.strip()[:40]!r} at another indentation than the keys above it"
    else:
        problem = f"{line.strip()[:40]!r} ({error.problem})"  # type: ignore[attr-defined]
    return f", line {mark.line + 1}: found {problem}"


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
    "string_too_short": "a text that is not empty",
    "finite_number": "a finite number",
    "string_too_long": "{max_length} letters at most",
}
"""The texts for what is allowed, by pydantic's types of errors."""


def mistake(detail: Any) -> str:
    """Return what was found and what is allowed, for a mistake that pydantic reports."""
    kind, context = detail["type"], detail.get("ctx", {})
    found = context.get("tag", detail["input"])
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind in ("missing", "union_tag_not_found"):
        return "missing"
    if kind in ("literal_error", "union_tag_invalid"):
        return found_allowed(found, re.findall("'([^']+)'", context.get("expected") or context["expected_tags"]))
    return f"found {shown(found)}, allowed: {_ALLOWED[kind].format(**context) if kind in _ALLOWED else detail['msg']}"

"""Read YAML files strictly; describe mistakes in them in one line."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from workflow_scripts.errors import UserError, found_allowed, shown
from workflow_scripts.settings.base import IN_WORDS

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
        end = node.end_mark
        rest = self.lines[end.line][end.column :].rstrip() if node.style is None and end.line < len(self.lines) else ""
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
    """Raise `UserError` if `encoding`, which Python uses for the names of files, is not UTF-8."""
    if encoding != "utf-8":
        raise UserError(f"locale: names of files are read as {encoding}, allowed: utf-8; set LC_ALL=C.UTF-8")


def check_command_line(arguments: Iterable[str], given: Mapping[str, Any]) -> None:
    """Raise `UserError` if a value of `--config` on the command line was cut at a `#`, where a comment of YAML begins.

    `given` is the configuration with the values as they were read.
    """
    for argument in arguments:
        key, _, value = argument.partition("=")
        text = value.strip("'\"")  # as Snakemake does, so that the spaces around the quotation marks below are needed
        if " #" in text and given.get(key) == text.partition(" #")[0].strip():
            raise UserError(f"config: {key}: {_cut(text, given[key])}; write --config '{key}= \"{text}\" '")


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
    except RecursionError:
        raise UserError(f"{path}: found brackets within too many others; allowed: keys with values") from None
    if content is None:
        raise UserError(f"{path}: found nothing in the file, allowed: keys with values, such as data: FOLDER")
    if not isinstance(content, dict):
        raise UserError(f"{path}: found a {type(content).__name__} on top, allowed: keys with values, as data: FOLDER")
    return content


_PROBLEMS = (
    (r"constructor for (the tag .*?);", "{part}, allowed: no tags (!...)"),
    (r"unhashable", "{line!r} with a key that is no text, allowed: KEY: VALUE"),
    (r"another document", "a second document (---), allowed: one in each file"),
    (r"parsing a flow", "a bracket of line {opened} that is not closed, or a comma that is missing"),
    (r"unknown escape", "a backslash in {line!r}, allowed: single quotes around a text with backslashes"),
    (r"quoted scalar", "{line!r} with a quotation mark that is not closed"),
    (r"expected ':'", "{line!r} without a colon, allowed: KEY: VALUE"),
    (r"character '\\t'", "a tab in {line!r}, allowed: spaces"),
    (
        r"cannot start|alias|anchor|node content|chomping|sequence entries",
        "a value in {line!r} that begins with a special character, allowed: quotes around it",
    ),
    (r"mapping values.*;.*:", "{line!r} with a second colon, allowed: quotes around a value that has one"),
    (r"<block end>.*;.*\S", "{line!r} with a text after a closing quotation mark or bracket"),
    (r"mapping values|<block end>|<document start>", "{line!r} at another indentation than the keys above it"),
    (r"; (.*?);", "{line!r} ({part})"),
)
"""Patterns of mistakes, each with the words for the message. A pattern is searched for in `context; problem; text`:
PyYAML's words about the mistake, and the line up to the mistake."""


def _explain(error: yaml.YAMLError, text: bytes) -> str:
    """Return the end of an error message: the number of the line with the mistake, what was found there, and usually
    what is allowed."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f": not YAML: {' '.join(str(error).split())}; save it as UTF-8 text"
    opened = error.context_mark or error.problem_mark
    # PyYAML notices a missing colon or closing quotation mark only later: the message names the line where it began.
    mark = opened if isinstance(error, yaml.scanner.ScannerError) else error.problem_mark
    lines = text.decode(errors="replace").splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return f", line {mark.line + 1}: found a tab, allowed: spaces for indentation"
    described = f"{error.context}; {error.problem}; {line[: mark.column]}"
    match, words = next((match, words) for pattern, words in _PROBLEMS if (match := re.search(pattern, described)))
    part = match[1] if match.groups() else ""
    return f", line {mark.line + 1}: found {words.format(line=line.strip()[:40], part=part, opened=opened.line + 1)}"


_ALLOWED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "a text",
    "string_pattern_mismatch": "what matches {pattern}",
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "keys with values"),
    "greater_than": "above {gt:.12g}",
    "greater_than_equal": "at least {ge:.12g}",
    "less_than": "below {lt:.12g}",
    "less_than_equal": "at most {le:.12g}",
    "too_short": "{min_length} or more entries",
    "too_long": "{max_length} entries at most",
    "string_too_short": "a text that is not empty",
    "finite_number": "a finite number",
    "string_too_long": "{max_length} letters at most",
}
"""What is allowed, in words, for each type of error of pydantic."""


def mistake(detail: Any) -> str:
    """Return what was found and what is allowed, for a mistake that pydantic reports."""
    kind, context = detail["type"], detail.get("ctx", {})
    given = context.get("tag", detail["input"])
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if kind in ("missing", "union_tag_not_found"):
        return "missing"
    if kind == "string_pattern_mismatch" and context["pattern"] in IN_WORDS:
        return f"found {shown(given)}, allowed: {IN_WORDS[context['pattern']]}"
    if kind in ("literal_error", "union_tag_invalid"):
        expected = context.get("expected") or context["expected_tags"]
        return found_allowed(given, re.findall("'([^']+)'", expected) or re.findall(r"\d+", expected))
    return f"found {shown(given)}, allowed: {_ALLOWED[kind].format(**context) if kind in _ALLOWED else detail['msg']}"

"""Write the generated parts of the documentation: keys of the configuration, columns of the tables, kinds of figures.

`python docs/generate.py` prints `config/README.md`. As a hook of MkDocs this module makes the generated pages when the
site is built, so that they are never out of date.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

ROOT = Path(__file__).parent.parent
Schema = Mapping[str, Any]

INTRODUCTION = """\
Generated from `config/config.schema.json` by `make schema`; do not edit.

`config/config.yaml` is the default. To change more than a few values, copy it and give the copy with
`--configfile FILE`. A file that has the key `studies` stands alone; a file without it is read on top of the default.
`--config KEY=VALUE` sets one of the values at the top, for example `--config data=/data/steel n_clusters=7`.
An unknown key or a wrong value ends the run before its first job, in one line that says what is allowed. Editors that
know JSON schemas complete the keys from `config/config.schema.json`.

A *variant* is a name that you choose and the settings that it stands for. Paths, tables and figures show the name.
"""
SECTIONS = {
    "intake": "Which files are images of the data set, and where their labels come from.",
    "preprocess": "Variants of preprocessing, each an ordered list of steps. A step is a name, or one with its keys.",
    "backbones": (
        "Variants of what turns an image into features: a network, a descriptor, a table of another program, or "
        "several of these joined."
    ),
    "decompositions": "Variants of the reduction. The name `none` stands for the features as they are.",
    "clusterers": "Variants of the clusterer.",
    "cross_validations": "Variants of the cross-validation, for the key `cross_validation` of a study.",
    "subsets": "Variants of a part of the images. The name `all` stands for all images.",
    "baseline": "The choices that a study does not vary.",
    "studies": "A study is the baseline and the axes that vary around it: one at a time, or as the full product.",
    "reproduction": "Published numbers, which are put beside those of the run.",
    "style": "How all figures look.",
}
"""What the schema does not say of the keys at the top."""
TYPES = {"Int64": "whole number", "float64": "number", "string": "text", "boolean": "true, false"}
"""Of columns, in words."""
UNIONS = {"method": "methods", "kind": "kinds of figures"}


# --- the configuration ------------------------------------------------------------------------------------------------


def read_schema() -> Schema:
    """Return the committed schema of the configuration."""
    return json.loads((ROOT / "config" / "config.schema.json").read_text())


def config_readme() -> str:
    """Return the text of `config/README.md`."""
    return "\n".join(["# The configuration", "", INTRODUCTION, *configuration(read_schema())]).rstrip() + "\n"


def configuration(schema: Schema) -> Iterator[str]:
    """Yield the lines of the keys' tables: those at the top, then a section for each key that holds more keys."""
    top = schema["properties"]
    sections = {
        key: SECTIONS.get(key) or one_line(value.get("description", ""))
        for key, value in top.items()
        if key in SECTIONS or references(value)
    }
    yield "## Keys at the top"
    yield ""
    yield from key_table({key: value for key, value in top.items() if key not in sections})
    yield "| section | holds |"
    yield "|---|---|"
    for key, text in sections.items():
        yield f"| [`{key}`](#{key}) | {text} |"
    yield ""
    done: set[str] = set()
    for key, text in sections.items():
        yield f"## `{key}`"
        yield ""
        yield text
        yield ""
        yield from section(schema, top[key], done)


def section(schema: Schema, value: Schema, done: set[str], nested: bool = False) -> Iterator[str]:
    """Yield the tables of everything that a value refers to, each model once; the section's own has no heading."""
    own = [name for name in references(value) if name not in done]
    done.update(own)
    models = {name: with_meanings(name, schema["$defs"][name]) for name in own}
    chosen = {name: choice_of(model) for name, model in models.items()}
    variants = [model for name, model in models.items() if chosen[name]]
    shared = shared_keys(variants) if len(variants) > 3 else {}
    given: Schema = {}
    for name, model in models.items():
        properties = model.get("properties", {})
        if shared and chosen[name]:
            yield "All of the following have the keys:"
            yield ""
            yield from key_table(shared)
            given, shared = shared, {}
        elif not chosen[name]:
            given = {}
        heading = f"`{chosen[name]}`" if chosen[name] else words(name).capitalize()
        if nested or len(models) > 1:
            yield f"### {heading}"
            yield ""
            if model.get("description"):
                yield one_line(model["description"])
                yield ""
        own_keys = {key: of for key, of in properties.items() if key not in given and not has_constant(properties, key)}
        if own_keys:
            yield from key_table(own_keys, model.get("required", ()))
        # Deeper models follow the one that names them.
        for deeper in ({"properties": properties}, model.get("items", {})):
            yield from section(schema, deeper, done, nested=True)


def with_meanings(name: str, model: Schema) -> Schema:
    """Return a model whose keys all have a description: the schema's, else one of docs/reference/keys.yaml."""
    properties = {
        key: {**value, "description": value.get("description") or meaning(name, key)}
        for key, value in model.get("properties", {}).items()
    }
    return {**model, "properties": properties} if properties else model


def meaning(model: str, key: str) -> str:
    """Return what a key of a model means, by docs/reference/keys.yaml; empty if it is not there."""
    meanings = key_meanings()
    return meanings.get(f"{model}.{key}") or meanings.get(key, "")


@cache
def key_meanings() -> dict[str, str]:
    """Return the meanings of keys that the schema does not describe."""
    return yaml.safe_load((ROOT / "docs" / "reference" / "keys.yaml").read_text())


def choice_of(model: Schema) -> str:
    """Return the method, step or kind that a model is chosen by; empty for a model that is no variant."""
    properties = model.get("properties", {})
    return next(
        (properties[key]["const"] for key in ("kind", "method", "step", "descriptor") if has_constant(properties, key)),
        "",
    )


def shared_keys(models: Iterable[Schema]) -> dict[str, Schema]:
    """Return the keys that all models have, with the value of the first; without a default where defaults differ."""
    first, *others = (model.get("properties", {}) for model in models)
    keys = [key for key in first if not has_constant(first, key) and all(key in other for other in others)]
    return {key: first[key] if _same_default(key, [first, *others]) else _by_kind(first[key]) for key in keys}


def _same_default(key: str, properties: Iterable[Schema]) -> bool:
    return len({json.dumps(of[key].get("default")) for of in properties}) == 1


def _by_kind(value: Schema) -> Schema:
    text = f"{value.get('description', '')} The default depends on the kind."
    return {**{key: part for key, part in value.items() if key != "default"}, "description": text}


def has_constant(properties: Schema, key: str) -> bool:
    """Return whether a key has one value only, as the name of a method has."""
    return "const" in properties.get(key, {})


def references(value: Any) -> list[str]:
    """Return the names of the models that a part of the schema refers to, in their order, each once."""
    if isinstance(value, Mapping):
        own = [value["$ref"].rpartition("/")[2]] if "$ref" in value else []
        deeper = [
            name for key, part in value.items() if key not in ("discriminator", "default") for name in references(part)
        ]
        return list(dict.fromkeys(own + deeper))
    if isinstance(value, list):
        return list(dict.fromkeys(name for part in value for name in references(part)))
    return []


def key_table(properties: Schema, required: Iterable[str] = ()) -> Iterator[str]:
    """Yield a table of keys: value, default and meaning."""
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for key, value in properties.items():
        default = "required" if key in required else default_of(value)
        yield f"| `{key}` | {allowed(value)} | {default} | {one_line(value.get('description', ''))} |"
    yield ""


def default_of(value: Schema) -> str:
    """Return a default as YAML has it; nothing where it is a whole section."""
    if "default" not in value or (references(value) and value["default"] not in (None, {})):
        return ""
    return f"`{json.dumps(value['default']).strip(chr(34))}`"


def allowed(value: Schema) -> str:
    """Return in words what a value may be."""
    if "$ref" in value:
        return f"[{words(value['$ref'].rpartition('/')[2])}](#{anchor(value['$ref'])})"
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if options := value.get("anyOf") or value.get("oneOf"):
        if "discriminator" in value:
            return "one of the " + UNIONS.get(value["discriminator"]["propertyName"], "variants")
        return " or ".join(dict.fromkeys(allowed(option) for option in options))
    kind = value.get("type")
    if kind in ("integer", "number"):
        return ("whole number" if kind == "integer" else "number") + limits(value)
    if kind == "array":
        if "prefixItems" in value:
            return "[" + ", ".join(allowed(item) for item in value["prefixItems"]) + "]"
        return "list" + (f" of {allowed(value['items'])}" if value.get("items") else "")
    if kind == "object":
        named = value.get("patternProperties") or {"": value.get("additionalProperties")}
        inside = next(iter(named.values()))
        return f"names, each with: {allowed(inside)}" if isinstance(inside, Mapping) else "axes with their values"
    return {"string": "text", "boolean": "`true`, `false`", "null": "`null`", None: "any"}[kind]


def limits(value: Schema) -> str:
    """Return the bounds of a number, in words."""
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {value[key]:,}".replace(",", " ") for key, sign in signs.items() if key in value]
    return f" {', '.join(bounds)}" if bounds else ""


def words(name: str) -> str:
    """Return the name of a model in words: `FineTuning` is *fine tuning*."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def anchor(reference: str) -> str:
    """Return the address of a nested model's heading."""
    return words(reference.rpartition("/")[2]).replace(" ", "-")


def one_line(text: str) -> str:
    """Return a text without line ends, fit for a cell of a table."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


# --- tables -----------------------------------------------------------------------------------------------------------


def tables() -> str:
    """Return the page of the tables' columns, from the columns that the workflow writes."""
    from workflow_scripts.metrics.table import CLASS_COLUMNS, COLUMNS

    described = column_meanings()
    text = (ROOT / "docs" / "reference" / "tables_introduction.txt").read_text().split("\n\n\n")
    return "\n".join(
        [
            text[0],
            "",
            *column_table({name: described[name] for name in COLUMNS}),
            "",
            text[1],
            "",
            *column_table({name: described[name] for name in CLASS_COLUMNS if name not in COLUMNS}),
            "",
            text[2],
        ]
    )


def column_meanings() -> dict[str, str]:
    """Return what each promised column means."""
    from workflow_scripts.scores import METRICS

    others = yaml.safe_load((ROOT / "docs" / "reference" / "columns.yaml").read_text())
    return others | {name: metric.meaning for name, metric in METRICS.items()}


def column_table(meanings: Mapping[str, str]) -> Iterator[str]:
    """Yield a table of columns: type and meaning."""
    from workflow_scripts.metrics.table import types_of

    types = types_of(meanings)
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for name, meaning in meanings.items():
        yield f"| `{name}` | {TYPES[types[name]]} | {one_line(meaning)} |"


# --- figures ----------------------------------------------------------------------------------------------------------


def figures() -> str:
    """Return the page of the kinds of figures: each with an image from a run, its caption, YAML, columns and keys."""
    text = (ROOT / "docs" / "reference" / "figures_introduction.txt").read_text()
    return "\n".join([text, *(line for kind in figure_kinds(read_schema()) for line in figure(kind))])


def figure_kinds(schema: Schema) -> list[str]:
    """Return the kinds of figures of a study, in the order in which the settings name them, then `reproduction`."""
    union = next(iter(schema["$defs"]["Study"]["properties"]["figures"]["patternProperties"].values()))
    kind_of = {path: kind for kind, path in union["discriminator"]["mapping"].items()}
    return [kind_of[option["$ref"]] for option in union["oneOf"]] + ["reproduction"]


def figure(kind: str) -> Iterator[str]:
    """Yield the lines of one kind of figure."""
    yield f"## `{kind}`"
    yield ""
    collected = collected_figures().get(kind)
    if collected:
        yield f"![A figure of the kind {kind}](../images/figures/{kind}.png)" + "{ .figure }"
        yield ""
    yield caption(kind)
    yield ""
    if collected:
        yield f"```yaml\n{collected['yaml'].strip()}\n```"
        yield ""
        yield "Columns of its table: " + ", ".join(f"`{name}`" for name in collected["columns"]) + "."
        yield ""
    yield f"[Keys of `{kind}`](configuration.md#{kind})"
    yield ""


@cache
def collected_figures() -> dict[str, dict[str, Any]]:
    """Return what `docs/collect_figures.py` wrote for each kind of figure: its YAML and the columns of its table."""
    return yaml.safe_load((ROOT / "docs" / "reference" / "figures.yaml").read_text())


def caption(kind: str) -> str:
    """Return the caption of a kind of figure as the report has it, without its title."""
    rule = {"params": {"figure": {"kind": kind}}, "wildcards": {}}
    template = Environment(autoescape=False).from_string((ROOT / "config" / "captions" / "figure.rst").read_text())
    title, _, text = template.render(snakemake=rule).strip().partition("\n\n")
    assert title.startswith("**")
    return text.strip().replace("``", "`")


# --- the site ---------------------------------------------------------------------------------------------------------


@cache
def pages() -> dict[str, str]:
    """Return the text of every page that is no file in docs/, by its path in the site."""
    return {
        "reference/configuration.md": config_readme(),
        "reference/tables.md": tables(),
        "reference/figures.md": figures(),
        "reference/results.md": (ROOT / "results" / "README.md").read_text(),
        "reference/changelog.md": (ROOT / "CHANGELOG.md").read_text(),
        "reference/contributing.md": (ROOT / "CONTRIBUTING.md").read_text().replace("](docs/", "](../"),
    }


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages to the site (MkDocs calls this)."""
    from mkdocs.structure.files import File

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Return a finished page; stop the build if it would load anything from the network (MkDocs calls this)."""
    from mkdocs.exceptions import PluginError

    if elsewhere := re.search(r"<(?:script|link|img)\b[^>]*(?:src|href)=[\"'](?:https?:)?//[^\"']+", output):
        raise PluginError(f"{page.file.src_uri}: loads {elsewhere[0]}")
    return output


if __name__ == "__main__":
    print(config_readme(), end="")

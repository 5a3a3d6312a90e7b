"""Describe the results as an RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), for archives and other programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workflow_scripts import VERSION
from workflow_scripts.errors import UserError
from workflow_scripts.grid.artefacts import ARTEFACTS, Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.io.files import replacing
from workflow_scripts.planning.report import why_not_now
from workflow_scripts.planning.snakemake_internals import Run

SPECIFICATION = "https://w3id.org/ro/crate/1.1"
FORMATS = {
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
    ".html": "text/html",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
}
LICENCE = {
    "@id": "#licence",
    "@type": "CreativeWork",
    "name": "Licence of the results",
    "description": "Not stated. Whoever publishes the results states it here; the images and weights have their own.",
}
Entity = dict[str, Any]


def describe_results(run: Run, layout: Layout, grid: Grid) -> list[str]:
    """Write `ro-crate-metadata.json` after a complete run of all targets.

    Return a list with one line that says why it was not written, if an error occurred; otherwise an empty list. Nothing
    is written if the run is not complete, or if another workflow imports this one.
    """
    if not run.is_own or why_not_now(run):
        return []
    try:
        text = json.dumps(crate(layout, grid), indent=1, ensure_ascii=False)
        with replacing(layout.ro_crate) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    except (OSError, ValueError, UserError) as error:  # ValueError: facts about weights are damaged
        return [f"RO-Crate: not written, {error}"]
    return []


def crate(layout: Layout, grid: Grid) -> Entity:
    """Return the RO-Crate's content (JSON-LD): a description of the tables of images and of all files in the report.

    The same files with the same modification times give the same content.
    """
    root = Path(layout.root)
    paths = sorted({layout.manifest, layout.rejected, *layout.reported(grid)})
    files = [
        _file(Path(path), root, ARTEFACTS[str(layout.artefact_of(path))].line) for path in paths if Path(path).is_file()
    ]
    weights = list(_weights(layout, grid))
    ended = max(file["dateModified"] for file in files)
    dataset = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Clusters of the images in {root.name}",
        "description": "How images group, and how much that depends on each choice: tables, figures and pages.",
        "datePublished": ended,
        "license": {"@id": LICENCE["@id"]},
        "hasPart": _references(files),
        "mentions": _references([{"@id": "#run"}, *weights]),
    }
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of the workflow",
        "endTime": ended,
        "instrument": _references([{"@id": "#clustergrid"}, {"@id": "#snakemake"}]),
        "object": {"@id": Path(layout.manifest).name},
        "result": _references(files),
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": SPECIFICATION},
        "about": {"@id": "./"},
    }
    programs = [_program("Clustergrid"), _program("Snakemake")]
    graph = [descriptor, dataset, action, *programs, LICENCE, *weights, *files]
    return {"@context": f"{SPECIFICATION}/context", "@graph": graph}


def _file(path: Path, root: Path, description: str) -> Entity:
    facts = path.stat()
    return {
        "@id": quote(path.relative_to(root).as_posix()),
        "@type": "File",
        "name": path.name,
        "description": description,
        "encodingFormat": FORMATS[path.suffix],
        "contentSize": str(facts.st_size),
        "dateModified": datetime.fromtimestamp(int(facts.st_mtime), UTC).isoformat(),
    }


def _program(name: str) -> Entity:
    described = {"@id": f"#{name.lower()}", "@type": "SoftwareApplication", "name": name}
    return {**described, "version": VERSION if name == "Clustergrid" else version(name.lower())}


def _weights(layout: Layout, grid: Grid) -> Iterator[Entity]:
    """Yield the RO-Crate entity of each weight file that the networks of the run used, with its SHA-256 and licence."""
    for backbone in grid.backbones:
        if not grid.settings.backbones[backbone].weights:
            continue
        facts: Mapping[str, Any] = json.loads(
            Path(layout.weights.format(backbone=backbone)).read_text(encoding="utf-8")
        )
        if digest := facts.get("weights_sha256"):
            yield {
                "@id": f"#weights-{quote(backbone)}",
                "@type": "CreativeWork",
                "name": f"Weights of {backbone}: {facts['weights']}",
                "identifier": f"sha256:{digest}",
                "license": facts.get("licence") or "not recorded",
            }


def _references(entities: Sequence[Entity]) -> list[dict[str, str]]:
    return [{"@id": entity["@id"]} for entity in entities]

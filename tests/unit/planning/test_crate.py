"""The results as an RO-Crate: what version 1.1 of its specification requires of the file, its root and its parts."""

import json
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from workflow_scripts import VERSION
from workflow_scripts.grid.artefacts import Layout
from workflow_scripts.grid.expand import Grid
from workflow_scripts.planning.crate import crate
from workflow_scripts.settings import parse

CONFIG = """
preprocess: {plain: [grey, resize]}
backbones: {net: {model: squeezenet1_1, weights: default, layers: [[fire9_avg]]}}
decompositions: {pca: {method: pca}}
clusterers: {kmeans: {method: kmeans}}
baseline: {preprocess: plain, backbone: net, layer: fire9_avg, n_components: 5, clusterer: kmeans}
studies: {a_study: {figures: {samples: {kind: samples}}, gallery: {}}}
"""
SHA256 = "ab" * 32


@pytest.fixture
def described(tmp_path, monkeypatch):
    """Return the description of results whose files are all there, and their folder."""
    monkeypatch.chdir(tmp_path)
    layout, grid = Layout("d"), Grid(parse(yaml.safe_load(CONFIG)))
    weights = layout.weights.format(backbone="net")
    for path in map(Path, {layout.manifest, layout.rejected, weights, *layout.reported(grid)}):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    Path(weights).write_text(json.dumps({"weights": "default", "weights_sha256": SHA256, "licence": None}))
    return crate(layout, grid), tmp_path / layout.root


def test_the_file_has_what_the_specification_requires(described):
    made, _ = described
    assert made["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in made["@graph"]}
    assert len(entities) == len(made["@graph"])
    assert entities["#clustergrid"]["version"] == VERSION
    assert all("@type" in entity for entity in entities.values())
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    dataset = entities["./"]
    assert dataset["@type"] == "Dataset"
    assert dataset["name"]
    assert dataset["description"]
    assert entities[dataset["license"]["@id"]]["description"]
    datetime.fromisoformat(dataset["datePublished"])


def test_every_file_is_a_part_and_exists(described):
    made, root = described
    files = [entity for entity in made["@graph"] if entity["@type"] == "File"]
    (dataset,) = (entity for entity in made["@graph"] if entity["@id"] == "./")
    assert dataset["hasPart"] == [{"@id": file["@id"]} for file in files]
    names = {unquote(file["@id"]) for file in files}
    assert {"manifest.csv", "gallery/a_study.html", "tables/a_study.csv", "methods/methods.bib"} <= names
    assert all((root / name).is_file() for name in names)
    assert all(" " not in file["@id"] and file["contentSize"] == "1" and file["encodingFormat"] for file in files)


def test_every_reference_leads_to_an_entity_or_elsewhere(described):
    made, _ = described
    ids = {entity["@id"] for entity in made["@graph"]}

    def referred(value):
        if isinstance(value, dict):
            yield value["@id"]
        elif isinstance(value, list):
            for item in value:
                yield from referred(item)

    named = [
        name for entity in made["@graph"] for key, value in entity.items() if key != "@id" for name in referred(value)
    ]
    assert len(named) > 10
    assert not [name for name in named if name not in ids and not name.startswith("https://")]


def test_weights_have_their_hash_and_licence(described):
    made, _ = described
    (weights,) = (entity for entity in made["@graph"] if entity["@id"] == "#weights-net")
    assert weights["identifier"] == f"sha256:{SHA256}"
    assert weights["license"] == "not recorded"

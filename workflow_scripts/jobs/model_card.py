"""Write model_card.md, which says what a model was made from, how good it is, and what its limits are."""

import json
from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.io.files import replacing
from workflow_scripts.io.manifest import read_manifest
from workflow_scripts.io.tables import read_scores
from workflow_scripts.models.card import model_card
from workflow_scripts.models.saved import load_model
from workflow_scripts.runlog import job

snakemake: Snakemake

with job(snakemake.log[0]):
    source = snakemake.input
    facts = load_model(source.facts, source.tensors).facts
    files = map(Path, source.get("weights", []))
    weights = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}
    text = model_card(facts, read_manifest(source.manifest), read_scores(source.scores), weights)
    with replacing(snakemake.output[0]) as temporary:
        temporary.write_text(text, encoding="utf-8")

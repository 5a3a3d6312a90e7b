"""The profiles against the rules and against each other."""

import re
from pathlib import Path

import yaml

from workflow_scripts.grid.artefacts import ARTEFACTS

ROOT = Path(__file__).parent.parent.parent
DEFAULT, SLURM = (
    yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()) for name in ("default", "slurm")
)


def _rules() -> dict[str, str]:
    """The text of every named rule."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    parts = re.split(r"^ *rule (\w+):$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _makes_cells(rule: str) -> bool:
    """Whether a rule has a job for each cell."""
    of_cells = {name for name, artefact in ARTEFACTS.items() if "clusterer" in artefact.axes}
    output = rule.partition("output:")[2].partition("log:")[0]
    return bool(of_cells & set(re.findall(r"layout\.(\w+)", output)))


def test_what_has_a_job_for_each_cell_is_grouped():
    submitted = {name for name, rule in _rules().items() if _makes_cells(rule) and "localrule: True" not in rule}
    assert {"cluster", "score", "validate"} <= submitted == SLURM["groups"].keys()
    assert set(SLURM["groups"].values()) == SLURM["group-components"].keys()


def test_groups_ask_for_the_memory_of_one_job():
    """One in a group takes its turn, for that is how the executor runs them."""
    assert SLURM["set-resources"] == {rule: {"turn": 1} for rule in SLURM["groups"]}
    assert SLURM["resources"]["turn"] == 1
    assert SLURM["set-resource-scopes"] == {"turn": "local"}


def test_a_thousand_cells_are_at_most_a_few_hundred_jobs():
    assert min(SLURM["group-components"].values()) >= 1000 / 100


def test_every_rule_names_what_it_needs():
    computing = {name: rule for name, rule in _rules().items() if "script:" in rule}
    assert len(computing) > 15
    for name, rule in computing.items():
        assert re.search(r"^ +threads: ", rule, re.MULTILINE), name
        assert re.search(r"^ +mem_mb=", rule, re.MULTILINE), name
        assert re.search(r"^ +runtime=", rule, re.MULTILINE), name


def test_both_profiles_make_again_the_same():
    for key in ("rerun-triggers", "rerun-incomplete", "keep-going", "show-failed-logs", "quiet"):
        assert SLURM[key] == DEFAULT[key]

"""The profiles against the rules and against each other."""

from pathlib import Path
from typing import Any

import yaml
from snakemake_interface_executor_plugins.settings import ExecMode

from tests.rules import is_local, parsed

ROOT = Path(__file__).parent.parent.parent
DEFAULT, SLURM = (
    yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text()) for name in ("default", "slurm")
)


def _makes_cells(rule: Any) -> bool:
    """Whether a rule has a job for each cell."""
    return any("{clusterer" in str(output) for output in rule.output)


def test_what_has_a_job_for_each_cell_is_grouped():
    submitted = {rule.name for rule in parsed() if _makes_cells(rule) and not is_local(rule)}
    assert {"cluster", "score", "validate"} <= submitted == SLURM["groups"].keys()
    assert set(SLURM["groups"].values()) == SLURM["group-components"].keys()


def test_jobs_of_a_group_are_run_by_the_snakemake_of_the_group():
    """Otherwise each would start another one."""
    assert {rule.name for rule in parsed(mode=ExecMode.REMOTE) if is_local(rule)} >= SLURM["groups"].keys()


def test_groups_ask_for_the_memory_of_one_job():
    """One in a group takes its turn, for that is how the executor runs them."""
    assert SLURM["set-resources"] == {rule: {"turn": 1} for rule in SLURM["groups"]}
    assert SLURM["resources"]["turn"] == 1
    assert SLURM["set-resource-scopes"] == {"turn": "local"}


def test_a_thousand_cells_are_at_most_a_few_hundred_jobs():
    assert min(SLURM["group-components"].values()) >= 1000 / 100


def test_every_rule_names_what_it_needs():
    computing = [rule for rule in parsed() if rule.script]
    assert len(computing) > 20
    for rule in computing:
        assert {"mem_mb", "runtime"} <= rule.resources.keys(), rule.name
        assert rule.ruleinfo.threads is not None, rule.name


def test_jobs_of_all_cores_that_cells_wait_for_come_first():
    """Otherwise jobs of one core, one after another, keep them waiting while another core is idle."""
    priorities = {rule.name.split("_")[0]: rule.priority for rule in parsed() if rule.priority}
    assert priorities == {"preprocess": 2, "finetune": 1, "features": 1}
    assert all(rule.ruleinfo.threads > 1 for rule in parsed() if rule.priority)


def test_both_profiles_make_again_the_same():
    for key in ("rerun-triggers", "rerun-incomplete", "keep-going", "show-failed-logs", "quiet"):
        assert SLURM[key] == DEFAULT[key]

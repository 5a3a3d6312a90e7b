"""The rules after Snakemake has parsed them, including those made in loops."""

from functools import cache
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings

from tests.workflow import ROOT


@cache
def parsed(configuration: Path = ROOT / "tests" / "small.yaml") -> tuple[Any, ...]:
    """Return the rules of a configuration, in the order in which they are written."""
    with SnakemakeApi() as api:
        settings = ConfigSettings(configfiles=[configuration])
        workflow = api.workflow(ResourceSettings(), config_settings=settings, snakefile=ROOT / "Snakefile")._workflow
        return tuple(workflow.rules)


def is_local(rule: Any) -> bool:
    """Return whether a rule is run where Snakemake runs; it does not ask that itself where there is no cluster."""
    return rule.name in rule.workflow._localrules

"""The rules after Snakemake has parsed them, including those made in loops."""

from functools import cache
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings, WorkflowSettings
from snakemake_interface_executor_plugins.settings import ExecMode

from tests.workflow import ROOT


@cache
def parsed(configuration: Path = ROOT / "tests" / "small.yaml", mode: ExecMode = ExecMode.DEFAULT) -> tuple[Any, ...]:
    """Return the rules of a configuration in the order of the files, as a process of this mode sees them."""
    with SnakemakeApi() as api:
        settings = ConfigSettings(configfiles=[configuration])
        workflow = api.workflow(
            ResourceSettings(),
            config_settings=settings,
            workflow_settings=WorkflowSettings(exec_mode=mode),
            snakefile=ROOT / "Snakefile",
        )
        return tuple(workflow._workflow.rules)


def is_local(rule: Any) -> bool:
    """Return whether a rule is run where Snakemake runs; it does not ask that itself where there is no cluster."""
    return rule.name in rule.workflow._localrules

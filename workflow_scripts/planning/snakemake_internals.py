"""What is taken from inside Snakemake, which has no promise that it stays: tested against the pinned version."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import getcwd
from os.path import relpath
from typing import Any


@dataclass(frozen=True)
class Job:
    """A job of the DAG: its rule, its wildcards and the files that it writes."""

    rule: str
    wildcards: Mapping[str, str]
    outputs: tuple[str, ...]


class Run:
    """A run of Snakemake; made while the rules are parsed, asked at the end of the parsing or later.

    Parameters
    ----------
    workflow : Snakemake's global of that name.
    """

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        self._name_of = workflow.modifier.modify_rulename
        self.is_own: bool = workflow.modifier.is_main_snakefile()
        """Whether the rules are those of the run, and not a module of another workflow."""
        self.folder: str = getcwd()
        """Where the results are; when the process ends, Snakemake is back where it was started."""

    @property
    def is_main_process(self) -> bool:
        """Whether this is not the process of a job, which parses the rules again."""
        return self._workflow.is_main_process

    @property
    def began(self) -> bool:
        """Whether jobs were scheduled, or would be in a dry run; not after a mistake."""
        return self._workflow.scheduler is not None

    @property
    def is_dry(self) -> bool:
        return self._workflow.dryrun

    @property
    def makes_everything(self) -> bool:
        """Whether the run's target is `all`."""
        targets = self._workflow.dag_settings.targets
        return not targets or "all" in targets

    @property
    def leaves_out(self) -> str | None:
        """The option that leaves jobs out of the run; None without such."""
        settings = self._workflow.dag_settings
        options = {"--until": settings.until, "--omit-from": settings.omit_from, "--batch": settings.batch}
        return next((option for option, value in options.items() if value), None)

    @property
    def is_finished(self) -> bool:
        """Whether every job that had to run has ended well."""
        return not any(self._workflow.dag.needrun_jobs(exclude_finished=True))

    def is_for(self, *rules: str) -> bool:
        """Tell whether one of the rules is a target, under the name that an importing workflow may have given it."""
        return bool({self._name_of(rule) for rule in rules} & set(self._workflow.dag_settings.targets))

    @property
    def failed(self) -> list[str]:
        """The jobs that failed, in words."""
        return sorted(map(str, self._workflow.scheduler.failed))

    def needed_jobs(self) -> list[Job]:
        """Return the jobs that run or would run, in the order in which the rules are written."""
        dag = self._workflow.dag
        order = {rule: number for number, rule in enumerate(self._workflow.rules)}
        jobs = sorted(dag.needrun_jobs(exclude_finished=False), key=lambda job: order[job.rule])
        return [Job(job.rule.name, dict(job.wildcards.items()), tuple(map(str, job.output))) for job in jobs]

    def logs(self) -> Iterator[str]:
        """Yield the logs of all jobs of the DAG, those that did not have to run too."""
        return (str(path) for job in self._workflow.dag.jobs for path in job.log)


def own_file(workflow: Any, path: str) -> str:
    """Return a file of this project, by its path relative to the rules that are being parsed.

    It is relative to the working directory, so that a moved project makes nothing again; where the rules come from a
    repository on the net it is in Snakemake's cache.
    """
    source = workflow.current_basedir.join(path)
    return (
        relpath(source.get_path_or_uri(secret_free=True)) if source.is_local else workflow.sourcecache.get_path(source)
    )

"""Read the state of a run from Snakemake's internals, which other versions of Snakemake may change.

No other module uses these internals, and a test runs this module with the pinned version. The DAG is Snakemake's graph
of all jobs of a run.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import getcwd
from os.path import relpath
from typing import Any

from snakemake.persistence import PersistenceBase

from workflow_scripts.settings.base import NAME

_DEFAULT_LIMIT = (100, 1)
"""The most jobs that Snakemake starts, and in how many seconds, if `--max-jobs-per-timespan` is not given."""


@dataclass(frozen=True)
class Job:
    """A job of the DAG.

    Attributes
    ----------
    rule : name of its rule.
    wildcards : values of its wildcards, by name.
    outputs : paths of the files that it writes.
    benchmark : path of its benchmark file; "" if it has none.
    threads : number of its threads.
    megabytes : memory (MB) that it may take; 0 if its rule sets no limit.
    minutes : minutes that it may take; 0 if its rule sets no limit.
    """

    rule: str
    wildcards: Mapping[str, str]
    outputs: tuple[str, ...]
    benchmark: str
    threads: int
    megabytes: int
    minutes: int


class Run:
    """A run of Snakemake: its targets, jobs and state.

    Parameters
    ----------
    workflow : the global variable of that name in a Snakefile.
    """

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        self._name_of = workflow.modifier.modify_rulename
        self.is_own: bool = workflow.modifier.is_main_snakefile()
        """Whether the rules are run directly, and not imported by another workflow as a module."""
        self.folder: str = getcwd()
        """The working directory of the run. It must be kept, because Snakemake leaves this directory at the end."""

    @property
    def is_main_process(self) -> bool:
        """Return whether this process schedules the jobs; False in the process of a job, which parses the rules too."""
        return self._workflow.is_main_process

    @property
    def is_cluster_job(self) -> bool:
        """Return whether this process belongs to a job on a cluster. It parses the rules again to run their scripts."""
        return self._workflow.remote_exec

    @property
    def began(self) -> bool:
        """Return whether the DAG was built and jobs were scheduled; False after a mistake in the configuration."""
        return self._workflow.scheduler is not None

    @property
    def is_dry(self) -> bool:
        """Return whether the run only prints what it would do."""
        return self._workflow.dryrun

    @property
    def cores(self) -> int | None:
        """Return the number of cores for local jobs; None if jobs go to a cluster."""
        settings = self._workflow.resource_settings
        return settings.cores if settings.nodes is None else None

    @property
    def makes_everything(self) -> bool:
        """Return whether `all` is a target of the run; a run without targets makes `all`."""
        targets = self._workflow.dag_settings.targets
        return not targets or "all" in targets

    @property
    def leaves_out(self) -> str | None:
        """Return the option of the command line that leaves jobs out of the run (such as `--until`), or None."""
        settings = self._workflow.dag_settings
        options = {"--until": settings.until, "--omit-from": settings.omit_from, "--batch": settings.batch}
        return next((option for option, value in options.items() if value), None)

    @property
    def is_finished(self) -> bool:
        """Return whether every job that had to run has succeeded."""
        return not any(self._workflow.dag.needrun_jobs(exclude_finished=True))

    def is_for(self, *rules: str) -> bool:
        """Return whether one of these rules is a target of the run.

        `rules` are the names in this project, even if another workflow imports this one and renames the rules.
        """
        return bool({self._name_of(rule) for rule in rules} & set(self._workflow.dag_settings.targets))

    @property
    def unknown_targets(self) -> list[str]:
        """Return the targets that are not rules and do not look like paths, such as a mistyped `study_NAME`."""
        known = {rule.name for rule in self._workflow.rules}
        settings = self._workflow.dag_settings  # None before all rules are parsed
        targets = settings.targets if settings else ()
        return [name for name in targets if name not in known and re.fullmatch(NAME, name)]

    @property
    def failed(self) -> list[str]:
        """Return the descriptions of the jobs that failed, sorted."""
        return sorted(map(str, self._workflow.scheduler.failed))

    def needed_jobs(self) -> list[Job]:
        """Return the jobs that run, or would run in a dry run, in the order of the rules in the Snakefile."""
        return self._jobs(exclude_finished=False)

    def jobs_left(self) -> list[Job]:
        """Return the jobs of `needed_jobs` that have not ended; a job that is ending right now may be among them."""
        return self._jobs(exclude_finished=True)

    def _jobs(self, exclude_finished: bool) -> list[Job]:
        order = {rule: number for number, rule in enumerate(self._workflow.rules)}
        needed = self._workflow.dag.needrun_jobs(exclude_finished=exclude_finished)
        jobs = sorted(needed, key=lambda job: order[job.rule])
        return [
            Job(
                job.rule.name,
                dict(job.wildcards.items()),
                tuple(map(str, job.output)),
                str(job.benchmark or ""),
                job.threads,
                job.resources.get("mem_mb", 0),
                job.resources.get("runtime", 0),
            )
            for job in jobs
        ]

    def on_progress(self, react: Callable[[int, int], None]) -> None:
        """Call `react` with the number of jobs done and the number of all jobs, each time that jobs have ended."""
        logging.getLogger("snakemake.logging").addHandler(_Progress(react))

    def look_for_jobs_only_when_one_ends(self) -> None:
        """Remove Snakemake's default limit of 100 job starts a second; a limit that the user gives stays.

        With a limit, Snakemake examines all waiting jobs again one second after each examination. Each job that ends
        starts one more chain of such examinations. With hundreds of waiting jobs this occupies a core.
        """
        scheduler = self._workflow.scheduler
        limit = scheduler.job_rate_limiter
        if limit and (limit.max_jobs, limit.timespan) == _DEFAULT_LIMIT:
            scheduler.job_rate_limiter = None

    @staticmethod
    def leave_out_of_records(name: str) -> None:
        """Leave the list of inputs with the keyword `name` out of the inputs that Snakemake records of a finished job.

        Snakemake runs a job again if its inputs are not the recorded ones. So other files in this list alone make
        nothing run again; the job must have the same results with them.
        """
        every_input = PersistenceBase._input

        def recorded(persistence: PersistenceBase, job: Any) -> list[str]:
            left_out = set(job.input.get(name, ()))
            return [path for path in every_input(persistence, job) if path not in left_out]

        PersistenceBase._input = recorded

    def logs(self) -> Iterator[str]:
        """Yield the paths of the logs of all jobs of the DAG, also of those that did not have to run."""
        return (str(path) for job in self._workflow.dag.jobs for path in job.log)


class _Progress(logging.Handler):
    """A handler of Snakemake's log messages that calls `react` when a message says how many jobs are done.

    An error in `react` does not end the run.
    """

    def __init__(self, react: Callable[[int, int], None]) -> None:
        super().__init__()
        self._react = react

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", None) == "progress":
            try:
                self._react(record.done, record.total)  # type: ignore[attr-defined]
            except Exception:
                self.handleError(record)


def own_file(workflow: Any, path: str) -> str:
    """Return the path of a file of this project; `path` is relative to the file of rules that is being parsed.

    The result is relative to the working directory, so that jobs need not run again after the project was moved. If the
    rules come from a remote repository, it is the path of the copy in Snakemake's cache.
    """
    source = workflow.current_basedir.join(path)
    return (
        relpath(source.get_path_or_uri(secret_free=True)) if source.is_local else workflow.sourcecache.get_path(source)
    )

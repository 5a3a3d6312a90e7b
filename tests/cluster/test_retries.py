"""Jobs that fail, are cancelled, or take too long: each is submitted again, and the results are the same bytes."""

import pytest

from tests.cluster.slurm import SlurmJob, SlurmProject, run, same_bytes, wait_until

ONE, OTHER = "fire9_avg", "fire5_avg"
"""Two layers, each with a group of two cells for either clusterer."""
DISTURBANCES = f"""
import os, sys, time

def first_time(name):
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True

if "/scores/" in job and "/{ONE}/pca20/kmeans." in job and first_time("failed"):
    sys.exit("Error: this fails once")
if "/clusters/" in job and "/{ONE}/pca5/by_k." in job and first_time("waiting"):
    time.sleep(600)
if "/clusters/" in job and "/{OTHER}/" in job and "/kmeans." in job and first_time("slow"):
    time.sleep(600)
"""


def group(project: SlurmProject, layer: str, clusterer: str) -> list[SlurmJob]:
    """What was submitted for the two cells of a layer and a clusterer, first to last."""
    return [job for job in project.jobs_on_slurm() if job.what.startswith(f"rule_cells_{layer}_{clusterer}_")]


def states(project: SlurmProject, layer: str, clusterer: str) -> list[str]:
    return [job.state for job in group(project, layer, clusterer)]


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory, local: SlurmProject) -> SlurmProject:
    """A run in which a job of one group fails, another group is cancelled, and a third is too slow, the first time."""
    project = local.clustered_again(tmp_path_factory.mktemp("disturbed") / "project")
    project.disturb(DISTURBANCES)
    # SLURM counts in whole minutes: one for the slow group at first, ten for each job of the others.
    first = f"if attempt == 1 and wildcards.layer == '{OTHER}' and wildcards.clusterer == 'kmeans' else 10"
    minutes = [f"cluster:runtime=int(wildcards.reducer == 'pca5') {first}", f"score:runtime=0 {first}"]
    with project.started_on_slurm("--set-resources", *minutes, "cluster:turn=1", "score:turn=1") as running:
        wait_until((project.folder / "waiting").exists)
        (waiting,) = group(project, ONE, "by_k")
        run("scancel", str(waiting.number))
        assert running.wait(timeout=900) == 0, project.said()
    return project


def test_a_job_that_fails_once_is_submitted_again(disturbed):
    assert states(disturbed, ONE, "kmeans") == ["FAILED", "COMPLETED"]


def test_a_cancelled_job_is_submitted_again(disturbed):
    assert states(disturbed, ONE, "by_k") == ["CANCELLED", "COMPLETED"]


def test_a_job_past_its_time_is_submitted_again_with_more(disturbed):
    assert states(disturbed, OTHER, "kmeans") == ["TIMEOUT", "COMPLETED"]
    assert [job.minutes for job in group(disturbed, OTHER, "kmeans")] == ["1:00", "40:00"]


def test_what_was_not_disturbed_ran_once(disturbed):
    assert states(disturbed, OTHER, "by_k") == ["COMPLETED"]
    assert disturbed.journal()[f"scores/plain/squeezenet/{OTHER}/pca5/by_k.log"] == 1


def test_results_are_the_same_after_all_that(disturbed, local):
    same_bytes(disturbed, local)

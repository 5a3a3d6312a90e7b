"""The small study on SLURM: what was asked for, who got which GPU, and the same bytes as without SLURM."""

import re
import threading
import time
from collections import defaultdict
from itertools import pairwise

import pytest

from tests.cluster.slurm import SlurmProject, run, same_bytes
from workflow_scripts.io.memory import BASE_MB

SUBMITTED_ALONE = ("intake", "preprocess", "features_squeezenet_0", "features_squeezenet_1", "decompose")
CELLS = 2 * 2 * 2
GROUPS = 2 * 2


class GpuWatch(threading.Thread):
    """Which GPUs SLURM has given to which running jobs, several times a second: it forgets when a job ends."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.seen: list[dict[int, str]] = []

    def run(self) -> None:
        while not self.stop.is_set():
            jobs = run("scontrol", "show", "job", "--details", "--oneliner").splitlines()
            found = [re.search(r"^JobId=(\d+) .*JobState=RUNNING .* GRES=gpu:1\(IDX:(\d)\)", job) for job in jobs]
            self.seen.append({int(match[1]): match[2] for match in found if match})
            time.sleep(0.3)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, fresh: SlurmProject) -> tuple[SlurmProject, GpuWatch]:
    """The study from nothing, on SLURM, and the GPUs that were seen in use meanwhile."""
    project = fresh.copy(tmp_path_factory.mktemp("slurm") / "project")
    watch = GpuWatch()
    watch.start()
    project.run_on_slurm()
    watch.stop.set()
    watch.join()
    return project, watch


@pytest.fixture(scope="module")
def on_slurm(watched: tuple[SlurmProject, GpuWatch]) -> SlurmProject:
    return watched[0]


def test_same_bytes_as_without_slurm(on_slurm, local):
    same_bytes(on_slurm, local)


def test_each_job_ran_once_and_ended_well(on_slurm):
    jobs = on_slurm.jobs_on_slurm()
    assert {job.state for job in jobs} == {"COMPLETED"}
    submitted = [re.sub(r"^rule_|_wildcards_.*|_kmeans.*|_by_k.*", "", job.what) for job in jobs]
    layers = ["cells_fire5_avg", "cells_fire9_avg"]
    assert sorted(submitted) == sorted([*SUBMITTED_ALONE, "decompose", *layers, *layers])
    assert set(on_slurm.journal().values()) == {1}


def test_figures_tables_and_labels_are_made_where_one_types(on_slurm):
    made = defaultdict(int)
    for log, times in on_slurm.journal().items():
        made[log.split("/")[0]] += times
    assert made["tables"] == 2
    assert made["figures"] == 1
    assert made["clusters"] == made["scores"] == CELLS
    assert not any(re.match("rule_(figure|study|label|fetch_weights)", job.what) for job in on_slurm.jobs_on_slurm())


def test_networks_ask_for_a_gpu_and_nothing_else_does(on_slurm):
    for job in on_slurm.jobs_on_slurm():
        network = job.what.startswith("rule_features")
        assert (job.partition, job.gpus) == (("gpu", 1) if network else ("cpu", 0)), job


def test_two_networks_ran_at_once_on_different_gpus(watched):
    on_slurm, watch = watched
    networks = {job.number for job in on_slurm.jobs_on_slurm() if job.gpus}
    at_once = [{job: gpu for job, gpu in seen.items() if job in networks} for seen in watch.seen]
    both = [seen for seen in at_once if len(seen) == 2]
    assert both, "the two networks never ran at once"
    assert all(set(seen.values()) == {"0", "1"} for seen in both)
    logs = [(on_slurm.results / f"logs/features/plain/squeezenet/{number}.log").read_text() for number in (0, 1)]
    given = [re.search(r"device is auto: .*CUDA_VISIBLE_DEVICES is (\d)", log) for log in logs]
    assert {match[1] for match in given if match} == {"0", "1"}


def test_a_group_asks_for_the_time_of_all_its_jobs_and_the_memory_and_cores_of_one(on_slurm):
    for job in on_slurm.jobs_on_slurm():
        if job.what.startswith("rule_cells"):
            assert job.cores == 1
            assert BASE_MB <= int(job.memory.removesuffix("M")) < 2 * BASE_MB
            assert job.minutes == "20:00"  # two clusterings and two scores of five minutes each


def test_jobs_of_a_group_run_one_after_another_in_one_snakemake(on_slurm):
    groups = defaultdict(list)
    for job in on_slurm.ended():
        if job.log.startswith(("clusters/", "scores/")):
            *_, layer, _, clusterer = job.log.split("/")
            groups[layer, clusterer].append(job)
    assert [len(jobs) for jobs in groups.values()] == [2 * 2] * GROUPS
    for jobs in groups.values():
        jobs.sort(key=lambda job: job.begin)
        assert not any(job.started_by_srun for job in jobs)
        assert all(one.end <= other.begin for one, other in pairwise(jobs))


def test_shards_of_a_pass_get_a_gpu_each_and_are_joined_without_one(fresh, local, tmp_path):
    project = fresh.copy(tmp_path / "project")
    project.edit("config/config.yaml", "    layers: [[fire5_avg], ", "    shards: 3\n    layers: [[fire5_avg], ")
    project.run_on_slurm("results/small/features/plain/squeezenet/fire9_avg.h5")
    networks = [job for job in project.jobs_on_slurm() if "squeezenet" in job.what]
    gpus = sorted((job.what.partition("_squeezenet")[0], job.partition, job.gpus) for job in networks)
    assert gpus == [("rule_features", "cpu", 0), *[("rule_shards", "gpu", 1)] * 3]
    joined, whole = (run.results / "features/plain/squeezenet/fire9_avg.h5" for run in (project, local))
    assert joined.read_bytes() == whole.read_bytes()
    assert not [*(project.results / "shards").rglob("*.h5")]


def test_cuda_without_a_gpu_is_one_clear_line(on_slurm, tmp_path):
    project = on_slurm.copy(tmp_path / "project")
    done = project.slurm("--config", "device=cuda", "--retries", "0")
    assert done.returncode != 0
    log = (project.results / "logs/features/plain/squeezenet/0.log").read_text()
    assert "device: found cuda, but torch sees no GPU here (CUDA_VISIBLE_DEVICES is" in log
    assert "Traceback" not in done.stdout + done.stderr

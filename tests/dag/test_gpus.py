"""Which jobs ask for a GPU."""

import re

from tests.workflow import Project


def asking(project: Project, *arguments: str) -> set[str]:
    """The rules whose jobs would ask for a GPU, if everything were made again."""
    done = project.snakemake("-n", "--forceall", *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    jobs = re.findall(r"^(?:local)?rule (\w+):\n((?: +.*\n)+)", done.stdout + done.stderr, re.MULTILINE)
    assert len(jobs) > 50
    return {rule for rule, needs in jobs if re.search(r"\bgpu=1\b", needs)}


def test_networks_ask_for_one_and_nothing_else_does(fresh):
    assert asking(fresh) == {"features_squeezenet_1"}


def test_what_computes_on_one_asks_for_it_and_device_cpu_asks_for_no_network(fresh, tmp_path):
    project = fresh.copy(tmp_path / "project")
    project.edit("config/config.yaml", "kmeans: {method: kmeans,", "kmeans: {method: kmeans, device: cuda,")
    project.edit("config/config.yaml", "[fire9_avg]]\n", "[fire9_avg]]\n    finetune: {preprocess: clahe}\n")
    assert asking(project) == {"cluster", "validate", "finetune", "features_squeezenet_1"}
    assert asking(project, "--config", "device=cpu") == {"cluster", "validate"}

"""A pass in several jobs: the same bytes as in one, and another number of shards makes nothing again."""

from pathlib import Path

from tests.workflow import Project

CONFIG = "config/config.yaml"
LAYERS = "layers: [[fire5_avg], [fire9_avg, fire8_vlad4]]"
PLACE = "clahe/squeezenet/fire9_avg"
MADE = (f"results/small/features/{PLACE}.h5", f"results/small/clusters/{PLACE}/pca10/kmeans.h5")


def split(fresh: Project, folder: Path, shards: int) -> Project:
    """Return a copy of the project whose network runs in this number of jobs."""
    project = fresh.copy(folder)
    project.edit(CONFIG, "layers: [[fire5_avg], [fire9_avg]]", f"shards: {shards}\n    {LAYERS}")
    return project


def results(project: Project) -> dict[str, bytes]:
    root = project.folder / "results" / "small"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.h5")}


def test_shards_change_no_byte_and_their_number_makes_nothing_again(fresh, tmp_path):
    whole, shared = split(fresh, tmp_path / "whole", 1), split(fresh, tmp_path / "shared", 3)
    assert whole.jobs(*MADE)["features_squeezenet_1"] == 1
    assert shared.jobs(*MADE) == {**whole.jobs(*MADE), "shards_squeezenet_1": 3}
    whole.run(*MADE)
    shared.run(*MADE)
    assert results(shared) == results(whole)  # and no store of a shard is left
    # The images without CLAHE are still to be computed; no shard of those with CLAHE is a target.
    assert shared.jobs() == {**whole.jobs(), "shards_squeezenet_1": 3}

    for project, shards, others in ((shared, 3, 5), (shared, 5, 1), (whole, 1, 4)):
        project.edit(CONFIG, f"shards: {shards}\n", f"shards: {others}\n")
        assert not project.jobs(*MADE)

    whole.edit(CONFIG, "shards: 4\n", "shards: 4\n    seed: 1\n")
    again = {"shards_squeezenet_1": 4, "features_squeezenet_1": 1, "decompose": 1, "cluster": 1}
    assert whole.jobs(*MADE) == {**again, "fetch_weights": 1}

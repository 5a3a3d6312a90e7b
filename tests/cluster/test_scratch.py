"""The profile's lines for node-local scratch."""

import re
import shutil

import yaml

from tests.cluster.slurm import same_bytes


def test_jobs_work_on_their_nodes_disk_and_make_the_same_bytes(tmp_path, local):
    project = local.copy(tmp_path / "project")
    profile = project.folder / "profiles" / "slurm" / "config.yaml"
    lines = re.findall(
        r"^# ((?:default-storage-|shared-fs-usage|local-storage-|remote-job-).*)$", profile.read_text(), re.M
    )
    scratch = tmp_path / "scratch"
    settings = "\n".join(lines).replace("/tmp/$USER/clustergrid", str(scratch))
    assert len(yaml.safe_load(settings)) == 5
    profile.write_text(f"{profile.read_text()}\n{settings}\n")
    shutil.rmtree(project.results / "decomposed")

    decomposed = [f"results/small/decomposed/plain/squeezenet/{layer}/pca.h5" for layer in ("fire5_avg", "fire9_avg")]
    project.run_on_slurm(*decomposed)
    same_bytes(project, local)
    for job in project.jobs_on_slurm():
        assert job.what.startswith("rule_decompose")
        assert (scratch / str(job.number) / "fs" / "results" / "small").is_dir()

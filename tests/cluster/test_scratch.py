"""The profile's lines for node-local scratch."""

import re

import yaml

FEATURES = "results/small/features/plain/squeezenet/fire9_avg.h5"


def test_jobs_work_on_their_nodes_disk_and_make_the_same_bytes(tmp_path, fresh, local):
    project = fresh.copy(tmp_path / "project")
    profile = project.folder / "profiles" / "slurm" / "config.yaml"
    keys = "default-storage-|shared-fs-usage|local-storage-|remote-job-"
    lines = re.findall(rf"^# ((?:{keys}).*)$", profile.read_text(), re.MULTILINE)
    scratch = tmp_path / "scratch"
    settings = "\n".join(lines).replace("/tmp/$USER/clustergrid", str(scratch))
    assert len(yaml.safe_load(settings)) == 4
    profile.write_text(f"{profile.read_text()}\n{settings}\n")

    project.run_on_slurm(FEATURES)
    assert (project.folder / FEATURES).read_bytes() == (local.folder / FEATURES).read_bytes()
    jobs = project.jobs_on_slurm()
    assert [job.what.partition("_wildcards")[0] for job in jobs] == [
        "rule_intake",
        "rule_preprocess",
        "rule_features_squeezenet_1",
    ]
    assert all((scratch / str(job.number) / "fs" / "results" / "small").is_dir() for job in jobs)

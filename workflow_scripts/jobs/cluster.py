"""Cluster the points of a cell (components or features) by one clusterer variant, for every k and repeat; write a
store."""

from importlib import import_module
from pathlib import Path

from snakemake.script import Snakemake

from workflow_scripts.clusterers.degenerate import check_points
from workflow_scripts.clusterers.protocol import Resuming, UsesKMeans
from workflow_scripts.io import store
from workflow_scripts.io.points import read_points
from workflow_scripts.io.runs import write_runs
from workflow_scripts.runlog import NOTICE, job, progress

snakemake: Snakemake

with job(snakemake.log[0]) as log:
    params, wildcards, output = snakemake.params, snakemake.wildcards, Path(snakemake.output[0])
    settings, source = params.clusterer, snakemake.input
    points = read_points(source.points, params.n_components, params.whiten)
    if points.note:
        log.log(NOTICE, points.note)
    check_points(points.values, settings, wildcards.clusterer, snakemake.resources.studies)
    method = import_module(f"workflow_scripts.clusterers.{settings['method']}")
    files = {"consensus": source.consensus} if source.get("consensus") else {}
    if isinstance(method, Resuming):
        files["checkpoints"] = output.with_name(f".{output.name}.checkpoints")
    facts = {"kmeans_path": method.kmeans_path(settings)} if isinstance(method, UsesKMeans) else {}
    made_by = {"clusterer": settings, "n_components": params.n_components, "whiten": params.whiten, "seed": params.seed}
    report = progress(f"cluster {wildcards.reducer}/{wildcards.clusterer}", "restarts")
    write_runs(
        snakemake.output[0],
        method.cluster(points.values, settings, params.seed, snakemake.threads, report, **files),
        points.image_ids,
        store.provenance(params.code, points.manifest, made_by, n_components_used=points.values.shape[1], **facts),
    )

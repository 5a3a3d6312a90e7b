# decomposed/... or a consensus -> clusters/{preprocess}/{backbone}/{layer}/{reducer}/{clusterer}.h5: every k and repeat
rule cluster:
    input:
        points=inputs.clustering.points,
        consensus=inputs.clustering.consensus_read,
    output:
        layout.clusters,
    log:
        layout.log(layout.clusters),
    benchmark:
        layout.benchmark(layout.clusters)
    localrule: run.is_cluster_job
    conda:
        environment_by(inputs.clustering.clusterer_gpus)
    threads: sizes.cluster_threads
    resources:
        mem_mb=sizes.cluster_mb,
        runtime=sizes.cluster_minutes,
        gpu=inputs.clustering.clusterer_gpus,
        # Only for the message about a k above the number of images. In `params`, a change of any study would run the
        # job again.
        studies=lambda wildcards: ",".join(grid.studies_with(wildcards.clusterer)),
    params:
        n_components=lambda wildcards: inputs.clustering.reduction(
            wildcards
        ).n_components,
        whiten=lambda wildcards: inputs.clustering.reduction(wildcards).whiten,
        clusterer=inputs.clustering.clusterer,
        seed=settings.seed,
        code=inputs.clustering.clusterer_code("cluster"),
    script:
        "../workflow_scripts/jobs/cluster.py"

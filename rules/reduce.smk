# features/... -> decomposed/{preprocess}/{backbone}/{layer}/{decomposition}.h5, for every n_components and whitening
rule decompose:
    input:
        unpack(inputs.clustering.regressed_on),
        source=inputs.clustering.decomposed_from,
    output:
        layout.decomposed,
    log:
        layout.log(layout.decomposed),
    benchmark:
        layout.benchmark(layout.decomposed)
    conda:
        environment_by(inputs.clustering.decomposition_gpus)
    threads: 1
    resources:
        mem_mb=sizes.decompose_mb,
        runtime=sizes.decompose_minutes,
        gpu=inputs.clustering.decomposition_gpus,
    params:
        decomposition=lambda wildcards: settings.decompositions[
            wildcards.decomposition
        ].dump(),
        state=inputs.state_of(inputs.clustering.regressed_table),
        code=lambda wildcards: code_digest(
            "jobs.decompose",
            f"reduce.{settings.decompositions[wildcards.decomposition].method_name}",
        ),
    script:
        "../workflow_scripts/jobs/decompose.py"

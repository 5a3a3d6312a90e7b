# features/... -> decomposed/{preprocess}/{backbone}/{layer}/{decomposition}.h5; one serves every n and both whitenings
def decomposed_from(wildcards):
    """The features, or the decomposition that a map is made of."""
    of = getattr(settings.decompositions[wildcards.decomposition], "of", None)
    if of is None:
        return layout.features.format(**wildcards)
    return layout.decomposed.format(**{**wildcards, "decomposition": of})


rule decompose:
    input:
        decomposed_from,
    output:
        layout.decomposed,
    params:
        decomposition=lambda wildcards: settings.decompositions[wildcards.decomposition].dump(),
        code=lambda wildcards: code_digest(
            "jobs.decompose", f"reduce.{settings.decompositions[wildcards.decomposition].method}"
        ),
    log:
        layout.log(layout.decomposed),
    benchmark:
        layout.benchmark(layout.decomposed)
    threads: 1
    resources:
        mem_mb=sizes.decompose_mb,
        runtime=sizes.runtime_per_image(0.2),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/decompose.py"

# manifest.csv and features/... -> subsets/{subset}.csv -> features/{preprocess}/{backbone}/{layer}@{subset}.h5
rule subset:
    input:
        manifest=layout.manifest,
        clusters=inputs.clustering.clusters_of_subset,
        table=inputs.clustering.table_of_subset,
    output:
        layout.subset_manifest,
    log:
        layout.log(layout.subset_manifest),
    benchmark:
        layout.benchmark(layout.subset_manifest)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        subset=lambda wildcards: settings.subsets[wildcards.subset].dump(),
        state=inputs.state_of(inputs.clustering.table_of_subset),
        code=code_of("jobs.subset"),
    script:
        "../workflow_scripts/jobs/subset.py"


rule select:
    input:
        features=layout.features,
        manifest=layout.subset_manifest,
    output:
        layout.subset_features,
    log:
        layout.log(layout.subset_features),
    benchmark:
        layout.benchmark(layout.subset_features)
    wildcard_constraints:
        layer=r"[^/@]+",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code_of("jobs.select"),
    script:
        "../workflow_scripts/jobs/select.py"

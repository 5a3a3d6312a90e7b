# clusters/... and manifest.csv -> scores/...: the metrics of each stored clustering, and those of each class
rule score:
    input:
        manifest=inputs.clustering.manifest_of_rows,
        points=inputs.clustering.points,
        clusters=layout.clusters,
    output:
        scores=layout.scores,
        classes=layout.class_scores,
    log:
        layout.log(layout.scores),
    benchmark:
        layout.benchmark(layout.scores)
    localrule: run.is_cluster_job
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.score_mb,
        runtime=sizes.score_minutes,
    params:
        cell=inputs.clustering.cell_columns,
        code=code_of("jobs.score"),
    script:
        "../workflow_scripts/jobs/score.py"


# features/... and manifest.csv -> validated/...: the metrics of a cross-validation
rule validate:
    input:
        manifest=inputs.clustering.manifest_of_rows,
        features=layout.features,
    output:
        scores=layout.validated,
        classes=layout.class_validated,
    log:
        layout.log(layout.validated),
    benchmark:
        layout.benchmark(layout.validated)
    localrule: run.is_cluster_job
    conda:
        environment_by(inputs.clustering.clusterer_gpus)
    threads: sizes.cluster_threads
    resources:
        mem_mb=sizes.validate_mb,
        runtime=sizes.validate_minutes,
        gpu=inputs.clustering.clusterer_gpus,
    params:
        cell=inputs.clustering.cell_columns,
        decomposition=lambda wildcards: settings.decompositions[
            inputs.clustering.reduction(wildcards).decomposition
        ].dump(),
        clusterer=inputs.clustering.clusterer,
        cross_validation=lambda wildcards: settings.cross_validations[
            wildcards.cross_validation
        ].dump(),
        seed=settings.seed,
        code=inputs.clustering.clusterer_code("validate"),
    script:
        "../workflow_scripts/jobs/validate.py"


rule study_table:
    input:
        scores=inputs.clustering.scores_of_study,
        classes=inputs.clustering.class_scores_of_study,
    output:
        scores_parquet=layout.study_table,
        scores_csv=in_report(
            beside(layout.study_table, ".csv"), "Tables", "scores", table="scores"
        ),
        classes_parquet=beside(layout.study_table, ".classes.parquet"),
        classes_csv=in_report(
            beside(layout.study_table, ".classes.csv"),
            "Tables",
            "class_scores",
            table="scores of each class",
        ),
    log:
        layout.log(layout.study_table),
    benchmark:
        layout.benchmark(layout.study_table)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code_of("jobs.study_table"),
    script:
        "../workflow_scripts/jobs/study_table.py"

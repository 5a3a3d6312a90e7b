# clusters/... and manifest.csv -> scores/...: a row of metrics for each stored clustering, and for each class
CLASS_SCORES = layout.scores.replace(".parquet", ".classes.parquet")


def cell_columns(wildcards):
    """The choices that name a row in the tables."""
    cell = reduction(wildcards)
    return {
        "dataset": dataset_name(settings),
        **{axis: wildcards[axis] for axis in ("preprocess", "backbone", "layer", "reducer", "clusterer")},
        "n_components": cell.n_components,
        "whiten": cell.whiten,
    }


rule score:
    input:
        manifest=layout.manifest,
        points=points,
        clusters=layout.clusters,
    output:
        scores=layout.scores,
        classes=CLASS_SCORES,
    params:
        cell=cell_columns,
        code=code_digest("jobs.score"),
    log:
        layout.log(layout.scores),
    benchmark:
        layout.benchmark(layout.scores)
    threads: 1
    resources:
        mem_mb=sizes.score_mb,
        runtime=30,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/score.py"


def study_scores(pattern):
    def paths(wildcards):
        return [layout.of(pattern, cell) for cell in grid.cells[wildcards.study]]

    return paths


rule study_table:
    localrule: True
    input:
        scores=study_scores(layout.scores),
        classes=study_scores(CLASS_SCORES),
    output:
        scores_parquet=layout.study_table,
        scores_csv=layout.study_table.replace(".parquet", ".csv"),
        classes_parquet=layout.study_table.replace(".parquet", ".classes.parquet"),
        classes_csv=layout.study_table.replace(".parquet", ".classes.csv"),
    params:
        code=code_digest("jobs.study_table"),
    log:
        layout.log(layout.study_table),
    benchmark:
        layout.benchmark(layout.study_table)
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/study_table.py"


# scores and stores -> tables/{study}/{figure}.parquet -> figures/{study}/{figure}.svg and .png
rule figure_table:
    input:
        unpack(table_sources),
    output:
        parquet=layout.figure_table,
        csv=beside(layout.figure_table, ".csv"),
    log:
        layout.log(layout.figure_table),
    benchmark:
        layout.benchmark(layout.figure_table)
    wildcard_constraints:
        study=rf"(?!reproduction\.)(?!{grid.computed_figures})[^/]+",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        **table_params,
    script:
        "../workflow_scripts/jobs/figure_table.py"


# The same for tables that take a while: a job for a node of the cluster.
rule computed_table:
    input:
        unpack(table_sources),
    output:
        parquet=layout.figure_table,
        csv=beside(layout.figure_table, ".csv"),
    log:
        layout.log(layout.figure_table),
    benchmark:
        layout.benchmark(layout.figure_table)
    wildcard_constraints:
        study=f"(?={grid.computed_figures})[^/]+",
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.computed_table_mb,
        runtime=60,
    params:
        **table_params,
    script:
        "../workflow_scripts/jobs/figure_table.py"


rule figure:
    input:
        table=layout.figure_table,
        manifest=manifest_shown,
        preprocessed=images_shown,
    output:
        svg=report(
            layout.figure,
            caption="../config/captions/figure.rst",
            category="{study}",
            labels={"figure": "{figure}"},
        ),
        png=beside(layout.figure, ".png"),
    log:
        layout.log(layout.figure),
    benchmark:
        layout.benchmark(layout.figure)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        figure=lambda wildcards: figure_settings(wildcards).draw_settings(),
        style=settings.style.dump(),
        code=lambda wildcards: code_digest(
            "jobs.figure", f"figures.{figure_settings(wildcards).kind}"
        ),
    script:
        "../workflow_scripts/jobs/figure.py"


if settings.reproduction:

    rule reproduction_figure:
        input:
            table=layout.reproduction,
            manifest=layout.manifest,
            preprocessed=[],
        output:
            svg=report(
                layout.reproduction_figure,
                caption="../config/captions/figure.rst",
                category="reproduction",
                labels={"figure": "reproduction"},
            ),
            png=beside(layout.reproduction_figure, ".png"),
        log:
            layout.log(layout.reproduction_figure),
        benchmark:
            layout.benchmark(layout.reproduction_figure)
        localrule: True
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            figure=settings.reproduction.draw_settings(),
            style=settings.style.dump(),
            code=code_digest("jobs.figure", "figures.reproduction"),
        script:
            "../workflow_scripts/jobs/figure.py"

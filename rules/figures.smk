# scores and stores -> tables/{study}/{figure}.parquet -> figures/{study}/{figure}.svg and .png
# Tables that take long to compute have a rule of their own, whose jobs run on the nodes of a cluster.
for name, studies, is_local, megabytes, minutes in (
    ("figure_table", rf"(?!reproduction\.)(?!{grid.computed_figures})", True, 2000, 10),
    (
        "computed_table",
        f"(?={grid.computed_figures})",
        False,
        sizes.computed_table_mb,
        60,
    ),
):

    rule:
        name:
            name
        input:
            unpack(inputs.figures.table_sources),
        output:
            parquet=layout.figure_table,
            csv=beside(layout.figure_table, ".csv"),
        log:
            layout.log(layout.figure_table),
        benchmark:
            layout.benchmark(layout.figure_table)
        wildcard_constraints:
            study=f"{studies}[^/]+",
        localrule: is_local
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=megabytes,
            runtime=minutes,
        params:
            figure=inputs.figures.table_settings,
            cells=inputs.figures.table_cells,
            code=inputs.figures.table_code,
        script:
            "../workflow_scripts/jobs/figure_table.py"


rule figure:
    input:
        table=layout.figure_table,
        manifest=inputs.figures.manifest_shown,
        subsets=inputs.figures.subsets_shown,
        classes=layout.manifest,  # so that a class has the same colour in all figures, also in those of subsets
        preprocessed=inputs.figures.images_shown,
    output:
        svg=in_report(layout.figure, "Figures", "figure", figure="{figure}"),
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
        figure=lambda wildcards: inputs.figures.figure_settings(
            wildcards
        ).draw_settings(),
        style=settings.style.dump(),
        code=inputs.figures.figure_code,
    script:
        "../workflow_scripts/jobs/figure.py"


# The comparison of the run's numbers with published ones.
if settings.reproduction:

    use rule figure_table as reproduction with:
        input:
            published=published,
            tables=inputs.figures.published_tables,
        output:
            parquet=layout.reproduction,
            csv=in_report(
                beside(layout.reproduction, ".csv"),
                "Tables",
                "reproduction_table",
                category="reproduction",
                table="reproduction",
            ),
        log:
            layout.log(layout.reproduction),
        benchmark:
            layout.benchmark(layout.reproduction)
        params:
            figure=inputs.figures.reproduction_settings,
            cells=[],
            code=code_of("jobs.figure_table", "figures.reproduction"),

    use rule figure as reproduction_figure with:
        input:
            table=layout.reproduction,
            manifest=layout.manifest,
            subsets=[layout.manifest],
            classes=layout.manifest,
            preprocessed=[],
        output:
            svg=in_report(
                layout.reproduction_figure,
                "Figures",
                "figure",
                category="reproduction",
                figure="reproduction",
            ),
            png=beside(layout.reproduction_figure, ".png"),
        log:
            layout.log(layout.reproduction_figure),
        benchmark:
            layout.benchmark(layout.reproduction_figure)
        params:
            figure=settings.reproduction.draw_settings(),
            style=settings.style.dump(),
            code=code_of("jobs.figure", "figures.reproduction"),

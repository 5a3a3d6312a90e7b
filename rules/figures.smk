# scores and stores -> tables/{study}/{figure}.parquet -> figures/{study}/{figure}.svg and .png
def figure_settings(wildcards):
    return settings.studies[wildcards.study].figures[wildcards.figure]


def cells_shown(wildcards):
    return figure_cells(grid, wildcards.study, figure_settings(wildcards))


def table_from(wildcards):
    """The artefacts that a figure's table is computed from, by name."""
    figure, cells = figure_settings(wildcards), cells_shown(wildcards)
    match figure.kind:
        case "samples":
            return {"manifest": layout.manifest}
        case "preprocessing":
            return {"manifest": layout.manifest, "preprocessed": [layout.of(layout.preprocessed, c) for c in cells]}
        case "explained_variance":
            return {"decomposed": [layout.of(layout.decomposed, cell) for cell in cells]}
        case "embedding":
            plane = [layout.of(layout.decomposed, cell, decomposition=figure.map) for cell in cells]
            return {
                "manifest": layout.manifest,
                "map": plane,
                "clusters": [layout.of(layout.clusters, cell) for cell in cells],
            }
        case "confusion":
            return {"manifest": layout.manifest, "clusters": [layout.of(layout.clusters, cell) for cell in cells]}
        case _:
            return {"scores": [layout.of(layout.scores, cell) for cell in cells]}


def images_shown(wildcards):
    """The preprocessed images that some figures show a few of."""
    if figure_settings(wildcards).kind not in ("samples", "preprocessing"):
        return []
    return [layout.of(layout.preprocessed, cell) for cell in cells_shown(wildcards)]


rule figure_table:
    localrule: True
    input:
        unpack(table_from),
    output:
        parquet=layout.figure_table,
        csv=layout.figure_table.replace(".parquet", ".csv"),
    params:
        figure=lambda wildcards: figure_settings(wildcards).table_settings(),
        cells=lambda wildcards: [{**vars(cell), "reducer": cell.reducer} for cell in cells_shown(wildcards)],
        code=lambda wildcards: code_digest("jobs.figure_table", f"figures.{figure_settings(wildcards).kind}"),
    log:
        layout.log(layout.figure_table),
    benchmark:
        layout.benchmark(layout.figure_table)
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/figure_table.py"


rule figure:
    localrule: True
    input:
        table=layout.figure_table,
        manifest=layout.manifest,
        preprocessed=images_shown,
    output:
        svg=report(
            f"{layout.figure}.svg",
            caption="../config/captions/figure.rst",
            category="{study}",
            labels={"figure": "{figure}", "format": "SVG"},
        ),
        png=f"{layout.figure}.png",
    params:
        figure=lambda wildcards: figure_settings(wildcards).draw_settings(),
        style=settings.style.dump(),
        code=lambda wildcards: code_digest("jobs.figure", f"figures.{figure_settings(wildcards).kind}"),
    log:
        layout.log(f"{layout.figure}.svg"),
    benchmark:
        layout.benchmark(f"{layout.figure}.svg")
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/figure.py"


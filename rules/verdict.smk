# clusters/... of a study's cells -> consensus/{study}.h5 -> verdict/{study}.html: what survives every choice
def cells_of_consensus(wildcards):
    """The cells that a study's verdict is about; all of its cells where it has none."""
    pages = grid.pages[wildcards.study]
    return pages.get("verdict") or grid.cells[wildcards.study]


def consensus_settings(wildcards):
    """The k of the cells and the groups of their consensus; null leaves them to the cells."""
    verdict = settings.studies[wildcards.study].verdict
    return verdict.consensus_settings() if verdict else {"k": None, "groups": None}


def consensus_sources(wildcards):
    cells = cells_of_consensus(wildcards)
    return {
        "manifest": [layout.manifest_of(cells[0].subset)],
        "clusters": [layout.of(layout.clusters, cell) for cell in cells],
    }


rule consensus:
    input:
        unpack(consensus_sources),
    output:
        store=layout.consensus,
        csv=layout.consensus.replace(".h5", ".csv"),
    log:
        layout.log(layout.consensus),
    benchmark:
        layout.benchmark(layout.consensus)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.computed_table_mb,
        runtime=60,
    params:
        settings=consensus_settings,
        cells=lambda wildcards: with_reducers(cells_of_consensus(wildcards)),
        code=code_digest("jobs.consensus"),
    script:
        "../workflow_scripts/jobs/consensus.py"


def figures_of_verdict(study):
    """The figures that a verdict is read from, by kind: those that every verdict has, and choose_k where it is asked."""
    kinds = (*OF_A_VERDICT, "choose_k")
    names = {kind: settings.studies[study].figure_of_kind(kind) for kind in kinds}
    return {kind: name for kind, name in names.items() if name in grid.figures[study]}


def verdict_sources(wildcards):
    study = wildcards.study
    names = figures_of_verdict(study).values()
    consensus = layout.consensus.format(study=study)
    return {
        "manifest": layout.manifest_of(grid.pages[study]["verdict"][0].subset),
        "rejected": layout.rejected,
        "consensus": consensus,
        "groups": consensus.replace(".h5", ".csv"),
        "tables": [
            layout.figure_table.format(study=study, figure=name) for name in names
        ],
        "figures": [
            layout.figure.format(study=study, figure=name) + ".png" for name in names
        ],
        "pictures": page_sources(study, "verdict")["pictures"],
    }


def verdict_links(wildcards):
    """Where a person looks up the number of a sentence, below the folder of all results."""
    study = wildcards.study
    tables = {
        kind: layout.figure_table.format(study=study, figure=name).replace(
            ".parquet", ".csv"
        )
        for kind, name in figures_of_verdict(study).items()
    }
    others = {
        "manifest": layout.manifest_of(grid.pages[study]["verdict"][0].subset),
        "rejected": layout.rejected,
        "consensus": layout.consensus.format(study=study).replace(".h5", ".csv"),
    }
    return {
        name: relpath(path, layout.root) for name, path in {**others, **tables}.items()
    }


rule verdict:
    input:
        unpack(verdict_sources),
    output:
        page=layout.verdict,
        csv=layout.verdict.replace(".html", ".csv"),
    log:
        layout.log(layout.verdict),
    benchmark:
        layout.benchmark(layout.verdict)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        names=page_names,
        page=lambda wildcards: settings.studies[wildcards.study].verdict.page_settings(),
        kinds=lambda wildcards: list(figures_of_verdict(wildcards.study)),
        links=verdict_links,
        code=code_digest("jobs.verdict"),
    script:
        "../workflow_scripts/jobs/verdict.py"


studies_with_verdict = [
    study for study, pages in grid.pages.items() if "verdict" in pages
]


# The verdict of the first study that has one is the first page of all results, and of the report.
rule front_page:
    input:
        [layout.verdict.format(study=study) for study in studies_with_verdict[:1]],
    output:
        report(
            layout.front_page,
            caption="../config/captions/verdict.rst",
            category="Verdict",
        ),
    log:
        layout.log(layout.front_page),
    benchmark:
        layout.benchmark(layout.front_page)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        code=code_digest("jobs.front_page"),
    script:
        "../workflow_scripts/jobs/front_page.py"

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

# clusters/... of a study's cells -> consensus/{study}.h5 and .csv: the groups on which the cells agree
rule consensus:
    input:
        unpack(inputs.consensus_sources),
    output:
        store=layout.consensus,
        csv=in_report(
            beside(layout.consensus, ".csv"), "Tables", "consensus", table="consensus"
        ),
    log:
        layout.log(layout.consensus),
    benchmark:
        layout.benchmark(layout.consensus)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.consensus_mb,
        runtime=60,
    params:
        settings=inputs.consensus_settings,
        cells=inputs.consensus_cells,
        code=code_digest("jobs.consensus"),
    script:
        "../workflow_scripts/jobs/consensus.py"


# tables/..., figures/... and consensus/... -> verdict/{study}.html and .csv: the answers of the study, in sentences
rule verdict:
    input:
        unpack(inputs.verdict_sources),
    output:
        page=in_report(
            layout.verdict, None, "verdict", category="Verdict", study="{study}"
        ),
        csv=beside(layout.verdict, ".csv"),
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
        **inputs.page_params("verdict"),
        kinds=inputs.kinds_of_verdict,
        links=inputs.verdict_links,
        code=code_digest("jobs.verdict"),
    script:
        "../workflow_scripts/jobs/verdict.py"


# The verdict of the first study that has one becomes the front page of the results.
rule front_page:
    input:
        inputs.first_verdict,
    output:
        layout.front_page,
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

# clusters/... of a study's cells -> agreement/{study}/{k}.h5: how well every two of them agree
rule agreement:
    input:
        unpack(inputs.verdict.agreement_sources),
    output:
        layout.agreement,
    log:
        layout.log(layout.agreement),
    benchmark:
        layout.benchmark(layout.agreement)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.agreement_mb,
        runtime=60,
    params:
        k=inputs.verdict.agreement_k,
        cells=inputs.verdict.agreement_cells,
        code=code_of("jobs.agreement"),
    script:
        "../workflow_scripts/jobs/agreement.py"


# clusters/... of a study's cells, agreement/... -> consensus/{study}.h5 and .csv: the groups on which the cells agree
rule consensus:
    input:
        unpack(inputs.verdict.consensus_sources),
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
        settings=inputs.verdict.consensus_settings,
        cells=inputs.verdict.consensus_cells,
        code=code_of("jobs.consensus"),
    script:
        "../workflow_scripts/jobs/consensus.py"


# A cell's stores and raw images -> perturbed/...: the groups of some images and of their perturbed versions
rule perturb:
    input:
        unpack(inputs.models.perturbed_sources),
    output:
        layout.perturbed,
    log:
        layout.log(layout.perturbed),
    benchmark:
        layout.benchmark(layout.perturbed)
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem_mb=sizes.perturb_mb,
        runtime=sizes.perturb_minutes,
        gpu=network_gpus,
    params:
        folder=inputs.intake.images_folder,
        max_pixels=settings.intake.max_pixels,
        cells=lambda wildcards: [
            cell.dump() for cell in inputs.models.perturbed_cells(wildcards)
        ],
        compared=lambda wildcards: [
            cell.dump() for cell in inputs.models.compared_cells(wildcards)
        ],
        settings=inputs.models.perturbed_settings,
        figure=lambda wildcards: inputs.figures.figure_settings(
            wildcards
        ).table_settings(),
        device=settings.device,
        code=inputs.models.code("perturb", inputs.models.perturbed_cells),
    script:
        "../workflow_scripts/jobs/perturb.py"


# tables/..., figures/... and consensus/... -> verdict/{study}.html and .csv: the answers of the study, in sentences
rule verdict:
    input:
        unpack(inputs.verdict.sources),
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
        **inputs.pages.params("verdict"),
        kinds=inputs.verdict.kinds_read,
        links=inputs.verdict.links,
        code=code_of("jobs.verdict"),
    script:
        "../workflow_scripts/jobs/verdict.py"


# The verdict of the first study that has one becomes the front page of the results.
rule front_page:
    input:
        inputs.verdict.first,
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
        code=code_of("jobs.front_page"),
    script:
        "../workflow_scripts/jobs/front_page.py"


# manifest.csv, weights/..., features/..., clusters/... and tables/... -> methods/methods.md and methods.bib
rule methods:
    input:
        unpack(inputs.methods.sources),
    output:
        text=in_report(layout.methods, None, "methods", category="Methods"),
        references=in_report(
            beside(layout.methods, ".bib"), None, "methods", category="Methods"
        ),
    log:
        layout.log(layout.methods),
    benchmark:
        layout.benchmark(layout.methods)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        **inputs.methods.params,
        code=code_of("jobs.methods"),
    script:
        "../workflow_scripts/jobs/methods.py"

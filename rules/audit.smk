# clusters/... and manifest.csv -> audit/{study}.csv and .html: the labels to look at again, ranked, and a page to decide
rule audit:
    input:
        unpack(audit_sources),
    output:
        csv=layout.audit,
        sheet=beside(layout.audit, ".html"),
    log:
        layout.log(layout.audit),
    benchmark:
        layout.benchmark(layout.audit)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.computed_table_mb,
        runtime=60,
    params:
        names=page_names,
        page=lambda wildcards: settings.studies[wildcards.study].audit.page_settings(),
        cells=lambda wildcards: with_reducers(grid.pages[wildcards.study]["audit"]),
        code=code_digest("jobs.audit"),
    script:
        "../workflow_scripts/jobs/audit.py"


# clusters/... and pictures -> gallery/{study}.html: what is in each cluster
rule gallery:
    input:
        unpack(gallery_sources),
    output:
        layout.gallery,
    log:
        layout.log(layout.gallery),
    benchmark:
        layout.benchmark(layout.gallery)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.computed_table_mb,
        runtime=60,
    params:
        names=page_names,
        page=lambda wildcards: settings.studies[wildcards.study].gallery.page_settings(),
        cells=lambda wildcards: with_reducers(grid.pages[wildcards.study]["gallery"]),
        code=code_digest("jobs.gallery"),
    script:
        "../workflow_scripts/jobs/gallery.py"

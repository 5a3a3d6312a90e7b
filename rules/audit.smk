# clusters/... and manifest.csv -> audit/{study}.csv and .html: a ranking of doubtful labels, and a page to correct them
rule audit:
    input:
        unpack(inputs.pages.deciding_sources("audit")),
    output:
        csv=in_report(layout.audit, "Tables", "audit_table", table="audit"),
        sheet=in_report(beside(layout.audit, ".html"), "Pages", "audit", page="audit"),
    log:
        layout.log(layout.audit),
    benchmark:
        layout.benchmark(layout.audit)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.page_mb("audit"),
        runtime=60,
    params:
        **inputs.pages.params("audit"),
        code=code_of("jobs.audit"),
    script:
        "../workflow_scripts/jobs/audit.py"


# clusters/..., decomposed/... and manifest.csv -> labelling/{study}.csv and .html: images to label next, and a page
rule labelling:
    input:
        unpack(inputs.pages.deciding_sources("labelling")),
    output:
        csv=in_report(layout.labelling, "Tables", "labelling_table", table="labelling"),
        page=in_report(
            beside(layout.labelling, ".html"), "Pages", "labelling", page="labelling"
        ),
    log:
        layout.log(layout.labelling),
    benchmark:
        layout.benchmark(layout.labelling)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.page_mb("labelling"),
        runtime=60,
    params:
        **inputs.pages.params("labelling"),
        code=code_of("jobs.labelling"),
    script:
        "../workflow_scripts/jobs/labelling.py"


# clusters/... and images -> gallery/{study}.html: images of every cluster
rule gallery:
    input:
        unpack(inputs.pages.gallery_sources),
    output:
        in_report(layout.gallery, "Pages", "gallery", page="gallery"),
    log:
        layout.log(layout.gallery),
    benchmark:
        layout.benchmark(layout.gallery)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.page_mb("gallery"),
        runtime=60,
    params:
        **inputs.pages.params("gallery"),
        class_scores=inputs.pages.class_scores_seen("gallery"),
        code=code_of("jobs.gallery"),
    script:
        "../workflow_scripts/jobs/gallery.py"


# clusters/..., decomposed/... and images -> explorer/{study}.html: a map of all images with the clusters of every cell
rule explorer:
    input:
        unpack(inputs.pages.explorer_sources),
    output:
        layout.explorer,
    log:
        layout.log(layout.explorer),
    benchmark:
        layout.benchmark(layout.explorer)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.page_mb("explorer"),
        runtime=60,
    params:
        **inputs.pages.params("explorer"),
        maps=inputs.pages.maps_of_explorer,
        opening=inputs.pages.opening_of_explorer,
        settings=inputs.pages.study_of_explorer,
        code=code_of("jobs.explorer"),
    script:
        "../workflow_scripts/jobs/explorer.py"

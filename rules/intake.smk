# raw folder -> images.csv and set_aside.csv -> manifest.csv (with labels) and rejected.csv
rule embedded:
    output:
        directory(layout.embedded),
    log:
        f"{layout.root}/logs/embedded.log",
    benchmark:
        f"{layout.root}/benchmarks/embedded.tsv"
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_of("jobs.embedded"),
    script:
        "../workflow_scripts/jobs/embedded.py"


rule intake:
    input:
        folder=layout.embedded if inputs.intake.is_embedded else [],
        excluded=inputs.intake.excluded_images,
    output:
        images=layout.images,
        set_aside=layout.set_aside,
        near_duplicates=layout.near_duplicates,
        formats=layout.formats,
        quality=layout.quality,
    log:
        layout.log(layout.images),
    benchmark:
        layout.benchmark(layout.images)
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=sizes.reading_mb,
        runtime=sizes.runtime_per_image(0.02),
    params:
        folder=inputs.intake.images_folder,
        facts=layout.facts,
        intake=inputs.intake.file_settings,
        listing=inputs.intake.listing,
        state=inputs.state_of(inputs.intake.excluded_images),
        code=code_of("jobs.intake"),
    script:
        "../workflow_scripts/jobs/intake.py"


# Hashes and labels of the files of another data set, for `labels: {rule: hash, file: FOLDER}`.
rule known_labels:
    output:
        layout.known_labels,
    log:
        layout.log(layout.known_labels),
    benchmark:
        layout.benchmark(layout.known_labels)
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=sizes.reading_mb,
        runtime=600,
    params:
        folder=settings.intake.labels.file,
        facts=layout.known_facts,
        level=settings.intake.labels.level,
        max_pixels=settings.intake.max_pixels,
        listing=inputs.intake.known_listing,
        code=code_of("jobs.known_labels"),
    script:
        "../workflow_scripts/jobs/known_labels.py"


rule scale_bars:
    input:
        images=layout.images,
        corrections=inputs.intake.scale_corrections,
    output:
        layout.scale_bars,
    log:
        layout.log(layout.scale_bars),
    benchmark:
        layout.benchmark(layout.scale_bars)
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=sizes.reading_again_mb,
        runtime=sizes.runtime_per_image(0.2),
    params:
        folder=inputs.intake.images_folder,
        facts=layout.scale_facts,
        state=inputs.state_of(inputs.intake.scale_corrections),
        page=layout.scales_page,
        max_pixels=settings.intake.max_pixels,
        listing=inputs.intake.listing,
        code=code_of("jobs.scale_bars"),
    script:
        "../workflow_scripts/jobs/scale_bars.py"


# scale_bars.csv and the files -> scales/scales.html: the bar of each image, to check its scale and to correct it
rule scales_page:
    input:
        images=layout.images,
        scales=layout.scale_bars,
        corrections=inputs.intake.scale_corrections,
    output:
        layout.scales_page,
    log:
        layout.log(layout.scales_page),
    benchmark:
        layout.benchmark(layout.scales_page)
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=sizes.reading_again_mb,
        runtime=sizes.runtime_per_image(0.05),
    params:
        folder=inputs.intake.images_folder,
        max_pixels=settings.intake.max_pixels,
        dataset=layout.dataset,
        state=inputs.state_of(inputs.intake.scale_corrections),
        code=code_of("jobs.scales_page"),
    script:
        "../workflow_scripts/jobs/scales_page.py"


# Parts of files as images: tiles, boxes, pages.
if settings.intake.cuts:

    rule cut:
        input:
            images=layout.images,
            scales=layout.scale_bars if settings.intake.scale_bars else [],
            excluded=inputs.intake.excluded_images,
        output:
            table=layout.regions,
            set_aside=layout.regions_set_aside,
        log:
            layout.log(layout.regions),
        benchmark:
            layout.benchmark(layout.regions)
        conda:
            "../envs/cpu.yaml"
        threads: 8
        resources:
            mem_mb=sizes.reading_again_mb,
            runtime=sizes.runtime_per_image(0.02),
        params:
            folder=inputs.intake.images_folder,
            max_pixels=settings.intake.max_pixels,
            cut=inputs.intake.cut_settings,
            annotations=inputs.intake.annotations,
            state=inputs.state_of(inputs.intake.excluded_images),
            code=code_of("jobs.cut"),
        script:
            "../workflow_scripts/jobs/cut.py"


# A rule of its own, so that a change of labels does not make images and features again.
rule label:
    input:
        images=inputs.intake.images_table,
        set_aside=inputs.intake.set_aside_tables,
        table=inputs.intake.label_table,
        corrections=inputs.intake.label_corrections,
        excluded=inputs.intake.excluded_images,
        scales=layout.scale_bars if settings.intake.scale_bars else [],
        groups=inputs.intake.group_table,
        look_alikes=layout.near_duplicates if settings.intake.are_grouped else [],
    output:
        **inputs.intake.label_matches,
        manifest=layout.manifest,
        rejected=layout.rejected,
        by_hand=layout.decided_by_hand,
        intake_summary=in_report(
            layout.intake_summary, None, "intake_summary", category="Images"
        ),
    log:
        layout.log(layout.manifest),
    benchmark:
        layout.benchmark(layout.manifest)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        labels=settings.intake.labels.dump(exclude={"corrections"}),
        sublabels=inputs.intake.sublabel_rule,
        groups=inputs.intake.group_rule,
        annotations=inputs.intake.annotations,
        state=inputs.state_of(
            inputs.intake.label_table,
            inputs.intake.label_corrections,
            inputs.intake.excluded_images,
            inputs.intake.group_table,
        ),
        code=code_of("jobs.label"),
    script:
        "../workflow_scripts/jobs/label.py"

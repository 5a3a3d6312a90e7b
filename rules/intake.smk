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
        code=code_digest("jobs.embedded"),
    script:
        "../workflow_scripts/jobs/embedded.py"


rule intake:
    input:
        folder=layout.embedded if is_embedded else [],
    output:
        images=layout.images,
        set_aside=layout.set_aside,
    log:
        layout.log(layout.images),
    benchmark:
        layout.benchmark(layout.images)
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=resources.intake_mb,
        runtime=sizes.runtime_per_image(0.02),
    params:
        folder=pictures,
        intake=settings.intake.dump(exclude={"labels"}),
        listing=listing,
        code=code_digest("jobs.intake"),
    script:
        "../workflow_scripts/jobs/intake.py"


# Apart from intake, so that other labels leave the preprocessed images and all that comes of them alone.
rule label:
    input:
        images=layout.images,
        set_aside=layout.set_aside,
        table=label_table,
    output:
        manifest=layout.manifest,
        rejected=layout.rejected,
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
        labels=settings.intake.labels.dump(),
        code=code_digest("jobs.label"),
    script:
        "../workflow_scripts/jobs/label.py"

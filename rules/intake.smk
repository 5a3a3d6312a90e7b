# raw folder -> manifest.csv and rejected.csv
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
        labels=settings.intake.labels.file or [],
    output:
        manifest=layout.manifest,
        rejected=layout.rejected,
    log:
        layout.log(layout.manifest),
    benchmark:
        layout.benchmark(layout.manifest)
    conda:
        "../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=resources.intake_mb,
        runtime=sizes.runtime_per_image(0.02),
    params:
        folder=pictures,
        intake=settings.intake.dump(),
        listing=listing,
        code=code_digest("jobs.intake"),
    script:
        "../workflow_scripts/jobs/intake.py"

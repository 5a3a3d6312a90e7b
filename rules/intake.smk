# raw folder -> manifest.csv and rejected.csv
EMBEDDED = f"{layout.root}/images"
IS_EMBEDDED = settings.data == "embedded"
PICTURES = EMBEDDED if IS_EMBEDDED else settings.data


def listing(wildcards):
    """A digest of the folder's files, so that a picture changed in a sub-folder is seen."""
    if IS_EMBEDDED:
        return None
    try:
        return listing_digest(scan(PICTURES, settings.intake.include, settings.intake.exclude))
    except UserError as error:
        sys.exit(f"Error: config: data: {error}")


rule embedded:
    localrule: True
    output:
        directory(EMBEDDED),
    params:
        code=code_digest("jobs.embedded"),
    log:
        f"{layout.root}/logs/embedded.log",
    benchmark:
        f"{layout.root}/benchmarks/embedded.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/embedded.py"


rule intake:
    input:
        [EMBEDDED] if IS_EMBEDDED else [],
        labels=settings.intake.labels.file or [],
    output:
        manifest=layout.manifest,
        rejected=layout.rejected,
    params:
        folder=PICTURES,
        intake=settings.intake.dump(),
        listing=listing,
        code=code_digest("jobs.intake"),
    log:
        layout.log(layout.manifest),
    benchmark:
        layout.benchmark(layout.manifest)
    threads: 8
    resources:
        mem_mb=resources.intake_mb,
        runtime=sizes.runtime_per_image(0.02),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/jobs/intake.py"


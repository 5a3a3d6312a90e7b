# A study's baseline cell -> models/{study}/; models and new images -> predictions/{folder}/{study}.csv -> monitor/
rule model:
    input:
        unpack(inputs.models.sources),
    output:
        facts=layout.model,
        tensors=beside(layout.model, ".safetensors"),
    log:
        layout.log(layout.model),
    benchmark:
        layout.benchmark(layout.model)
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=sizes.model_mb,
        runtime=60,
    params:
        cell=lambda wildcards: inputs.models.modelled(wildcards.study).dump(),
        settings=inputs.models.applied_settings,
        dataset=layout.dataset,
        code=inputs.models.code("model", inputs.models.of_study),
    script:
        "../workflow_scripts/jobs/model.py"


rule model_card:
    input:
        unpack(inputs.models.card_sources),
    output:
        layout.model_card,
    log:
        layout.log(layout.model_card),
    benchmark:
        layout.benchmark(layout.model_card)
    localrule: True
    conda:
        "../envs/cpu.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=inputs.models.code("model_card", inputs.models.of_study),
    script:
        "../workflow_scripts/jobs/model_card.py"


# `snakemake models` makes the models of all studies, and their cards.
rule models:
    input:
        inputs.models.with_cards,
    localrule: True


if settings.new_images and inputs.models.studies:

    rule new_images:
        output:
            images=layout.new_images,
            set_aside=layout.new_rejected,
            formats=layout.new_formats,
            quality=layout.new_quality,
        log:
            layout.log(layout.new_images),
        benchmark:
            layout.benchmark(layout.new_images)
        conda:
            "../envs/cpu.yaml"
        threads: 8
        resources:
            mem_mb=sizes.reading_mb,
            runtime=600,
        params:
            folder=settings.new_images,
            facts=layout.new_facts,
            intake={
                **inputs.intake.file_settings,
                "duplicates": "keep",
                "visual_duplicates": "report",
            },
            listing=inputs.new_images.listing,
            code=code_of("jobs.intake"),
        script:
            "../workflow_scripts/jobs/intake.py"

    if settings.intake.scales_tiles:

        rule new_scales:
            input:
                images=layout.new_images,
                corrections=[],
            output:
                layout.new_scales,
            log:
                layout.log(layout.new_scales),
            benchmark:
                layout.benchmark(layout.new_scales)
            conda:
                "../envs/cpu.yaml"
            threads: 8
            resources:
                mem_mb=sizes.reading_mb,
                runtime=600,
            params:
                folder=settings.new_images,
                facts=layout.new_scale_facts,
                max_pixels=settings.intake.max_pixels,
                code=code_of("jobs.scale_bars"),
            script:
                "../workflow_scripts/jobs/scale_bars.py"

    if settings.intake.cuts:

        rule cut_new_images:
            input:
                images=layout.new_images,
                scales=layout.new_scales if settings.intake.scales_tiles else [],
            output:
                table=layout.new_regions,
                set_aside=layout.new_regions_set_aside,
            log:
                layout.log(layout.new_regions),
            benchmark:
                layout.benchmark(layout.new_regions)
            conda:
                "../envs/cpu.yaml"
            threads: 8
            resources:
                mem_mb=sizes.reading_mb,
                runtime=600,
            params:
                folder=settings.new_images,
                max_pixels=settings.intake.max_pixels,
                cut=inputs.intake.cut_settings,
                code=code_of("jobs.cut"),
            script:
                "../workflow_scripts/jobs/cut.py"

    rule name_new_images:
        input:
            facts=inputs.models.paths,
            tensors=[beside(path, ".safetensors") for path in inputs.models.paths],
            images=inputs.new_images.table,
        output:
            [filled(layout.predictions, study=study) for study in inputs.models.studies],
        log:
            f"{layout.root}/logs/predictions/{{folder}}.log",
        benchmark:
            f"{layout.root}/benchmarks/predictions/{{folder}}.tsv"
        conda:
            "../envs/gpu.yaml"
        threads: 8
        resources:
            mem_mb=sizes.predict_mb,
            runtime=600,
            gpu=network_gpus,
        params:
            folder=settings.new_images,
            studies=inputs.models.studies,
            max_pixels=settings.intake.max_pixels,
            device=settings.device,
            code=inputs.models.code("predict", inputs.models.of_all),
        script:
            "../workflow_scripts/jobs/predict.py"

    rule monitor_new_images:
        input:
            facts=layout.model,
            tensors=beside(layout.model, ".safetensors"),
            predictions=layout.predictions,
            images=inputs.new_images.table,
            quality=layout.new_quality,
            manifest=layout.manifest,
            known_quality=layout.quality,
        output:
            page=layout.monitor,
            csv=beside(layout.monitor, ".csv"),
            svg=beside(layout.monitor, ".svg"),
            png=beside(layout.monitor, ".png"),
        log:
            layout.log(layout.monitor),
        benchmark:
            layout.benchmark(layout.monitor)
        conda:
            "../envs/gpu.yaml"
        threads: 8
        resources:
            mem_mb=sizes.predict_mb,
            runtime=60,
            gpu=network_gpus,
        params:
            folder=settings.new_images,
            batch=inputs.new_images.batch,
            groups=inputs.new_images.group_rule,
            names=lambda wildcards: {
                "dataset": layout.dataset,
                "study": wildcards.study,
            },
            links=inputs.new_images.monitor_links,
            max_pixels=settings.intake.max_pixels,
            device=settings.device,
            style=settings.style.dump(),
            code=inputs.models.code("monitor", inputs.models.of_study),
        script:
            "../workflow_scripts/jobs/monitor.py"

    # predictions/{folder}/{study}.csv and new images -> the map of the clusters of their tiles, and areas
    rule map_new_images:
        input:
            facts=layout.model,
            tensors=beside(layout.model, ".safetensors"),
            manifest=layout.manifest,
            predictions=layout.predictions,
        output:
            areas=layout.predicted_areas,
            overlays=directory(layout.overlays),
        log:
            layout.log(layout.predicted_areas),
        benchmark:
            layout.benchmark(layout.predicted_areas)
        conda:
            "../envs/cpu.yaml"
        threads: 1
        resources:
            mem_mb=sizes.reading_mb,
            runtime=600,
        params:
            folder=settings.new_images,
            max_pixels=settings.intake.max_pixels,
            style=settings.style.dump(),
            code=inputs.models.code("map_new_images", inputs.models.of_study),
        script:
            "../workflow_scripts/jobs/map_new_images.py"


# `snakemake predict --config new_images=PATH` assigns the images of a folder to clusters.
rule predict:
    input:
        inputs.new_images.predictions,
    localrule: True


# `snakemake monitor --config new_images=PATH` tests batches of the images of a folder that grows.
rule monitor:
    input:
        inputs.new_images.monitors,
    localrule: True

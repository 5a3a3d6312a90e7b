"""The grid: what varies, the cells that studies make of it, their artefacts, and what each rule reads."""

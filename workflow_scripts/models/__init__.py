"""A clustering as a model that names new images: fitted to a cell's artefacts, saved, loaded, applied."""

"""A clustering as a model that names new pictures: fitted to a cell's artefacts, saved, loaded, applied."""

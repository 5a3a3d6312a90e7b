"""The page on which a user checks the scale of each micrograph beside its bar, and corrects it."""

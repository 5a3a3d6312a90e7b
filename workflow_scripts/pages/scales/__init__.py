"""The page on which a user checks the scale of each micrograph against its scale bar, and corrects it."""

"""Intake: a folder of files becomes a manifest of images with labels."""

"""The verdict: the findings of a study as sentences, with their numbers and images."""

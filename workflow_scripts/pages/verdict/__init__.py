"""The verdict: what a study says, in sentences with their numbers, and a picture beside each."""

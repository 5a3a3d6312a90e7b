"""The pages that a run writes for people. Each is one HTML file that can be read without the internet."""

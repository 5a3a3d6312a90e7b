"""What is in each cluster: who is near its centre, at its border and far out, twins that were parted, and pages."""

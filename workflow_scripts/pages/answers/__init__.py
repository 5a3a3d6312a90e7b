"""A page of questions, each with sentences that answer it; the pages verdict and monitor are such pages."""

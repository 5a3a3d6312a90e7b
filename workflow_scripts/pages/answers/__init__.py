"""A page of questions and sentences that answer them, on which the pages verdict and monitor are built."""

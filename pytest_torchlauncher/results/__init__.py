"""Results of evaluations that need not be run again, since nothing that they depend on changed."""

"""One side effect each, thin."""

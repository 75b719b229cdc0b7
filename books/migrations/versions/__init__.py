"""One module a version, each written once and changed no more."""

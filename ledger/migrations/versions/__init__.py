"""One module a version, each changed no more once it is released."""

"""The commands of starter.py, by subject."""

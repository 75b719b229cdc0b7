"""What each of our programs needs of its machine: a log and files."""

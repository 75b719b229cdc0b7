"""Receipts and texts, for people."""

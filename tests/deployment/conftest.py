"""The PostgreSQL of the books' tests."""

from tests.books.conftest import postgres

__all__ = ["postgres"]

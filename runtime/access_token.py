"""The tokens by which a program of ours is spoken to."""

import hmac

MIN_TOKEN_LENGTH = 16
"""16 letters drawn at random are not guessed, and a word that people think up is shorter."""


def check_token(token: str) -> None:
    """Raise ValueError for what is no token, with what one should be."""
    if len(token) < MIN_TOKEN_LENGTH:
        raise ValueError(f"should have at least {MIN_TOKEN_LENGTH} characters")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ValueError("should be ASCII letters, digits and signs without blanks, as they can stand in a header")


def bearer_token(authorization: str) -> str:
    """The token in the header `Authorization: Bearer TOKEN`; nothing where it says something else."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def same(one: str, other: str) -> bool:
    """Whether the two are the same, in the same time whatever they are."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))

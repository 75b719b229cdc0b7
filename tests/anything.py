"""What can stand anywhere in a message: strategies for property tests."""

import copy

from hypothesis import strategies as st

TEXTS = st.text(st.characters(), max_size=30) | st.sampled_from(["", " ", "x" * 501, "\ud800", "\x00", "-0.00", "1e9"])
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -0.0, 0.019])
CURRENCIES = st.sampled_from(["USD", "EUR", "XXX", "usd", "dollars", ""])
MONEY = st.fixed_dictionaries({}, optional={"amount": TEXTS | NUMBERS, "code": CURRENCIES, "currencyCode": CURRENCIES})
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | MONEY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value, and some that JSON can't say."""


def changed(document, path, value):
    """The document with another value there."""
    new = copy.deepcopy(document)
    place = new
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return new

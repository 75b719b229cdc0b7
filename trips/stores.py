"""How each store wants its trips paid, where a trip does not say so itself."""

from typing import Any

from pydantic import Field
from pydantic.alias_generators import to_camel

from trips.base import Identifier, StrictMessage
from trips.policy import Policy
from trips.request import Issuer, Payment


class StoreWishes(StrictMessage):
    """What a store says of all its trips; what it leaves out has the defaults of every trip."""

    payment: Payment | None = None
    receipt: Issuer | None = None
    policy: Policy | None = None

    def to_json(self) -> dict[str, Any]:
        """What the store said, and no default: that is what a trip's input is filled with."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Stores(StrictMessage):
    """The stores that say something, and what all others get."""

    default: StoreWishes = StoreWishes()
    stores: dict[Identifier, StoreWishes] = Field(default_factory=dict)

    def fill(self, trip: Any) -> Any:
        """A trip's input with what its store says and the trip itself does not, attribute by attribute.

        An input that names no store is given back as it is: it is refused when it is read.
        """
        if not isinstance(trip, dict):
            return trip
        store = trip.get("storeId", trip.get("store_id"))
        wishes = self.stores.get(store, self.default) if isinstance(store, str) else self.default
        return _filled(trip, wishes.to_json())


def _filled(own: dict[str, Any], wishes: dict[str, Any]) -> dict[str, Any]:
    """What stands in `own`, in either spelling, wins; tables are filled in their turn."""
    spelled = {to_camel(name): name for name in own}
    filled = dict(own)
    for name, wish in wishes.items():
        said = own.get(spelled.get(name, name))
        if name not in spelled:
            filled[name] = wish
        elif isinstance(said, dict) and isinstance(wish, dict):
            filled[spelled[name]] = _filled(said, wish)
    return filled

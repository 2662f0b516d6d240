"""Who may sit down: the node's own count of its seats. Pure."""

from shared.errors import NodeDraining, NodeFull


class Admission:
    """Seats taken and free.

    Args:
        node: the node's name, for the refusal.
        limit: streams that the node carries at once.
    """

    def __init__(self, node: str, limit: int) -> None:
        self._node, self.limit = node, limit
        self.taken = 0
        self.draining = False

    def take(self) -> None:
        """One more stream. Raises NodeFull or NodeDraining, and takes nothing."""
        if self.draining:
            raise NodeDraining(
                "the node takes no new sessions", field="node", value=self._node,
                remedy="use another node",
            )  # fmt: skip
        if self.taken >= self.limit:
            raise NodeFull(self._node, self.taken, self.limit)
        self.taken += 1

    def leave(self) -> None:
        """One stream less."""
        if self.taken == 0:
            raise ValueError("a seat was given back that nobody held")
        self.taken -= 1

"""Of several control planes one moves a session: whoever wrote its name down first."""

from control_plane.streams import CLAIMS
from shared.bus import Bus, KeyValues
from shared.clock import wall_ms


class Claims:
    """Claims of one control plane. Every method raises BusFailed.

    Args:
        plane: its name.
    """

    def __init__(self, bus: Bus, plane: str) -> None:
        self._bus, self._plane = bus, plane

    @property
    def _values(self) -> KeyValues:
        return self._bus.kv(CLAIMS.name)

    async def take(self, session: str, for_s: float) -> bool:
        """Whether nobody else has it; then it is ours for so long, or until it is given up."""
        value = f"{self._plane} {wall_ms() + round(for_s * 1000)}".encode()
        if await self._values.create(session, value) is not None:
            return True
        known = await self._values.get(session)
        if known is None or known.value is None:
            return await self._values.create(session, value) is not None
        if _until_ms(known.value) > wall_ms():
            return False
        return await self._values.update(session, value, known.revision) is not None

    async def give_up(self, session: str) -> None:
        """Others may have it."""
        await self._values.delete(session)


def _until_ms(value: bytes) -> int:
    try:
        return int(value.split()[-1])
    except (ValueError, IndexError):
        return 0

"""What the centre says of nodes' ledgers, to whoever may take them away to check them."""

from litestar import get
from litestar.params import FromQuery

from control_plane.api.callers import SECURITY, require_operator
from control_plane.api.centre import Centred, Who
from heliovox.protocol.control import LedgerView
from shared.ledger.heads import Witnessed


@get("/v1/ledger", security=SECURITY)
async def ledger(
    who: Who, centre: Centred, from_ms: FromQuery[int] = 0, until_ms: FromQuery[int | None] = None
) -> LedgerView:
    """The centre's files of a bundle: heads, sessions, policies, and what binds them together."""
    require_operator(who)
    files = await centre.ledger.files(from_ms, until_ms)
    return LedgerView({name: data.decode() for name, data in files.items()})


@get("/v1/ledger/heads", security=SECURITY)
async def heads(who: Who, centre: Centred) -> list[Witnessed]:
    """The last head of every node's ledger: whoever keeps one can tell if it becomes another."""
    _ = who
    return await centre.ledger.heads()

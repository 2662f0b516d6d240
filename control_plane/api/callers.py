"""Who asks: by `Authorization: Bearer`, and whether he may."""

from typing import Any

from litestar import Request

from control_plane.tenants.keys import KeyRecord, Keyring
from shared.errors import Forbidden, Unauthorised

SECURITY: list[dict[str, list[str]]] = [{"key": []}]
"""Of routes that need a key, as /schema says it."""


def caller_of(request: Request[Any, Any, Any], keyring: Keyring) -> KeyRecord:
    """The holder of the request's key. Raises Unauthorised."""
    return keyring.who(key_of(request.headers.get("authorization", "")))


def key_of(authorization: str) -> str:
    """The key that a header shows. Raises Unauthorised."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorised(
            "no key", field="Authorization", remedy="send `Authorization: Bearer KEY`"
        )
    return key.strip()


def require_operator(who: KeyRecord) -> None:
    """Raises Forbidden for whoever is none."""
    if not who.operator:
        raise Forbidden(
            "only operators may do this", field="Authorization", remedy="use an operator's key"
        )


def may_see(who: KeyRecord, tenant: str) -> bool:
    """Whether something of a tenant's is his to see."""
    return who.operator or who.tenant == tenant

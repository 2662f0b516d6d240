"""How uvicorn serves a node: our own connections, which upgrade to WebSockets by themselves."""

import asyncio
from functools import partial
from typing import cast

import uvicorn

from edge_node.protocols.connections import Door, HttpConnection
from shared.server import plain_config


def door_config(door: Door) -> uvicorn.Config:
    """Uvicorn's settings for a node's port."""
    connection = cast("type[asyncio.Protocol]", partial(HttpConnection, door=door))
    return plain_config(door.app, http=connection)

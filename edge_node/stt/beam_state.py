"""A beam as bytes: its hypotheses, and the tree of tokens that they share."""

import msgspec

from edge_node.stt.beam import Beam, Cell, Key, Link
from edge_node.stt.graph import Graph
from shared.errors import SnapshotRefused

_NOTHING = -1


class _Link(msgspec.Struct, array_like=True):
    before: int
    """Its number among the links, smaller than its own; -1 for none."""
    symbol: int
    frame: int
    probability: float


class _Cell(msgspec.Struct, array_like=True):
    history: int
    node: int
    last: int
    blank: float
    symbol: float
    best: float
    link: int


class _Wire(msgspec.Struct, array_like=True):
    digest: str
    frames: int
    silent: bool
    links: list[_Link]
    cells: list[_Cell]


def pack_beam(beam: Beam) -> bytes:
    """Everything but the graph, which is named by its digest."""
    links: list[_Link] = []
    numbers: dict[int, int] = {}
    cells = [
        _Cell(*place, last, cell.blank, cell.symbol, cell.best, _number(cell.link, links, numbers))
        for (place, last), cell in beam.cells.items()
    ]
    wire = _Wire(beam.graph.digest, beam.frames, beam.silent, links, cells)
    return msgspec.msgpack.encode(wire)


def unpack_beam(graph: Graph, packed: bytes) -> Beam:
    """The beam again.

    Raises:
        SnapshotRefused: of another graph, or not whole.
    """
    try:
        wire = msgspec.msgpack.decode(packed, type=_Wire)
    except msgspec.DecodeError as error:
        raise _refused(f"cannot be read: {error}") from error
    if wire.digest != graph.digest:
        raise _refused("was searched through another graph of the same name")
    links = _links(wire.links, graph)
    cells: dict[Key, Cell] = {}
    for one in wire.cells:
        place = (one.history, one.node)
        known = graph.knows(place) and _NOTHING <= one.last < len(graph.symbols)
        if not known or not _NOTHING <= one.link < len(links):
            raise _refused("names places that the graph does not have")
        link = links[one.link] if one.link != _NOTHING else None
        cells[(place, one.last)] = Cell(one.blank, one.symbol, link, one.best)
    if not cells:
        raise _refused("has no hypotheses")
    return Beam(graph, cells, wire.frames, wire.silent)


def _number(link: Link | None, links: list[_Link], numbers: dict[int, int]) -> int:
    """The link's number, it and those before it written down where they were not."""
    new: list[Link] = []
    while link is not None and id(link) not in numbers:
        new.append(link)
        link = link[0]
    number = _NOTHING if link is None else numbers[id(link)]
    for one in reversed(new):
        links.append(_Link(number, one[1], one[2], one[3]))
        number = len(links) - 1
        numbers[id(one)] = number
    return number


def _links(wires: list[_Link], graph: Graph) -> list[Link]:
    links: list[Link] = []
    for wire in wires:
        if not _NOTHING <= wire.before < len(links) or not 0 <= wire.symbol < len(graph.symbols):
            raise _refused("names tokens that it does not have")
        before = links[wire.before] if wire.before != _NOTHING else None
        length = 1 if before is None else before[4] + 1
        links.append((before, wire.symbol, wire.frame, wire.probability, length))
    return links


def _refused(why: str) -> SnapshotRefused:
    return SnapshotRefused(
        f"the snapshot's beam {why}",
        field="state",
        remedy="fetch the snapshot again, or replay the audio from the last final",
    )

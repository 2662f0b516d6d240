"""`heliovox-control records export`: recorded decisions as one file, to be simulated with."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from control_plane.key_commands import say
from control_plane.placement.record import FORMAT
from control_plane.records.contents import End, Header
from control_plane.records.export import Export
from control_plane.records.log import LogWriter
from control_plane.settings import ControlSettings
from control_plane.world import WorldNow, read_text, regions_path
from heliovox import __version__
from shared.bus.nats_bus import NatsBus
from shared.clock import now_iso
from shared.errors import InvalidMessage
from shared.policy.moments import moment
from shared.regions.words import moment_of
from shared.running import OK

INTERRUPTED = 130
_TOLD_EVERY = 1000

_EXPORT = """Writes the decisions that the centre's stream holds into one file: what they were made
from, what came of them, when sessions began and ended. Metadata only. Reads with the control
plane's own key, and may run beside it."""


def add_options(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """The command's own."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    export = actions.add_parser("export", help="into a file", description=_EXPORT, parents=[common])
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
    export.add_argument("--regions-file", type=Path, help="regions, zones and policies")
    for option, help_ in (("from", "decisions since then"), ("until", "and before then")):
        export.add_argument(
            f"--{option}", dest=f"{option}_", metavar="DATE", help=f"{help_}: 2027-01-31, RFC 3339"
        )
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace, settings: ControlSettings) -> int:
    try:
        end = asyncio.run(_exported(options, settings))
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        say(msgspec.json.encode(end).decode())
    else:
        say(_told(end, options.out))
    return OK


async def _exported(options: argparse.Namespace, settings: ControlSettings) -> End:
    from_ms, until_ms = _moment("from", options.from_), _moment("until", options.until_)
    header = _header(settings, from_ms, until_ms)
    bus = await NatsBus.connect(
        settings.bus.url,
        settings.bus.seed_file,
        name=f"{settings.plane_id}-records",
        inbox_prefix=f"_INBOX.{settings.plane_id}",
    )
    try:
        with _whole(options.out) as file:
            writer = LogWriter(file, header)
            return await Export(bus, writer, from_ms, until_ms).run(_progress)
    finally:
        await bus.close()


def _header(settings: ControlSettings, from_ms: int | None, until_ms: int | None) -> Header:
    path = regions_path(settings.regions_file)
    world = WorldNow(read_text(path), str(path))
    return Header(
        heliovox=__version__,
        records=FORMAT,
        made_at=now_iso(),
        control_plane=settings.plane_id,
        world_version=world.world.version,
        world=world.text,
        from_ms=from_ms,
        until_ms=until_ms,
    )


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner can read, and that is there once it is whole."""
    if path.exists():
        raise InvalidMessage(
            "there is such a file already", field="out", value=path, remedy="name another"
        )
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _moment(option: str, given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return moment_of(given)
    except ValueError as error:
        raise InvalidMessage(
            "this is no moment", field=option, value=given,
            remedy="write 2027-01-31 or 2027-01-31T09:00:00Z",
        ) from error  # fmt: skip


def _progress(decisions: int, at_ms: int | None) -> None:
    if sys.stderr.isatty() and decisions % _TOLD_EVERY < 2:
        sys.stderr.write(f"\r{decisions} decisions, up to {moment(at_ms)} ")
        sys.stderr.flush()


def _told(end: End, path: Path) -> str:
    if end.first_ms is None:
        return f"{path}: no decisions"
    broken = f"; {end.unreadable} messages could not be read" if end.unreadable else ""
    return (
        f"{path}: {end.decisions} decisions of {', '.join(end.planes)} from "
        f"{moment(end.first_ms)} to {moment(end.last_ms)}, {end.notes} notes of sessions{broken}"
    )

"""`heliovox listen`: a file, a pipe or a microphone, as words."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from heliovox.cli import options
from heliovox.cli.address import add_node, client_of
from heliovox.cli.display import Display, aside, display_for
from heliovox.cli.exits import Exit, UsageError
from heliovox.cli.feeding import Feed
from heliovox.cli.interrupts import on_interrupt
from heliovox.cli.placing import arrival, say_wait
from heliovox.client.client import Client
from heliovox.client.errors import ConnectionLost, Refused
from heliovox.client.files import AudioSource, open_audio, read_audio
from heliovox.client.pacing import paced
from heliovox.client.session import Session
from heliovox.protocol.audio import AudioFormat

_TEXT = """Recognises speech and prints its words: on a terminal while they are spoken, else finals
alone, one a line.

A file is sent as fast as the node takes it; --realtime sends it at the pace at which it was spoken,
as a telephone would. A microphone and a pipe set their own pace. Ctrl-C ends the input and prints
the words that are still due; a second one leaves at once.

A lost connection costs no word: the session goes on, at the same node or at another one. Standard
error tells of it (reconnecting, resumed), and with --json lines of their own do. A microphone does
not wait: where nothing came of a connection for so long that its sound had to be dropped, it tells
of the gap, too.

WAV is read by heliovox itself (PCM, float, mu-law, A-law), FLAC, OGG and others with
`pip install 'heliovox[audio]'`. Samples without a header need --encoding or --rate."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "listen",
        help="recognise a file, a pipe or a microphone",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", help="audio, or - for standard input")
    parser.add_argument("--mic", action="store_true", help="listen to the microphone")
    options.add_form(parser, "the form of samples without a header")
    parser.add_argument("--realtime", action="store_true", help="send a file as it was spoken")
    parser.add_argument("--model", help="the recogniser (default: the node's)")
    parser.add_argument(
        "--graph", metavar="NAME", help="what is expected to be said, or none (default: the node's)"
    )
    parser.add_argument(
        "--endpoint-silence-ms",
        type=int,
        default=700,
        metavar="MS",
        help="200 to 5000, default 700",
    )
    options.add_session(parser)
    add_node(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    client, form = client_of(args), options.form_of(args)
    size = shutil.get_terminal_size()
    show = display_for(json=args.json, terminal=sys.stdout.isatty(), columns=size.columns)
    with _source(args, form) as source:
        return asyncio.run(_listen(args, client, source, show))


@contextmanager
def _source(args: argparse.Namespace, form: AudioFormat | None) -> Iterator[AudioSource]:
    if args.mic == (args.file is not None):
        raise UsageError("name either a file (- for standard input) or --mic")
    if args.mic:
        from heliovox.cli.sound import microphone  # noqa: PLC0415 an extra

        with microphone(form or AudioFormat()) as source:
            yield source
    elif args.file == "-":
        # unbuffered: a thread still waiting in a buffer's lock makes the interpreter abort at exit
        with open(0, "rb", buffering=0, closefd=False) as pipe:
            yield read_audio(cast("BinaryIO", pipe), "standard input", form)
    else:
        with open_audio(Path(args.file), form) as source:
            yield source


async def _listen(
    args: argparse.Namespace, client: Client, source: AudioSource, show: Display
) -> int:
    async with client.session(
        language=args.language,
        audio=source.audio,
        model=args.model,
        endpoint_silence_ms=args.endpoint_silence_ms,
        graph=args.graph,
        place=args.place,
        country=args.country,
        data=args.data,
        caller=args.caller,
        policy=args.policy,
        waits=say_wait,
        live=args.mic,
    ) as session:
        feed = Feed(source.pieces)
        pieces = paced(aiter(feed), source.audio) if args.realtime else aiter(feed)
        with on_interrupt(feed.stop) as interrupted:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(_send(session, pieces), name="send")
                await _show(session, show, json=args.json)
                sending.cancel()  # the node ended the session before the audio did
        return Exit.INTERRUPTED if interrupted() else Exit.OK


async def _send(session: Session, pieces: AsyncIterator[bytes]) -> None:
    async for piece in pieces:
        with suppress(ConnectionLost, Refused):  # reading says so too, after the last words
            await session.send(piece)
            continue
        return
    with suppress(ConnectionLost, Refused):
        await session.finish()


async def _show(session: Session, show: Display, *, json: bool) -> None:
    if json:
        sys.stdout.write(arrival(session))
    sys.stdout.write(show(session.started))
    async for event in session:
        sys.stdout.write(show(event))
        sys.stdout.flush()
        if (said := aside(event)) is not None:
            print(said, file=sys.stderr)

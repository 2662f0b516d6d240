"""`heliovox say`: a text, as speech."""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass

from heliovox.cli import options
from heliovox.cli.address import add_node, client_of
from heliovox.cli.exits import Exit, UsageError
from heliovox.cli.interrupts import on_interrupt
from heliovox.cli.outputs import output
from heliovox.cli.placing import arrival, say_wait
from heliovox.cli.sound import Play
from heliovox.cli.texts import pieces
from heliovox.client.client import Client
from heliovox.protocol.audio import AudioFormat

_TEXT = """Has a node say a text, and plays it or writes it as it comes.

Without -o it is played by sounddevice (`pip install 'heliovox[mic]'`) or aplay. Ctrl-C stops, and a
file written so far stays whole. Texts of any length are said in pieces of 5,000 characters."""


@dataclass(slots=True)
class Said:
    """What `--json` prints."""

    voice: str | None
    encoding: str
    sample_rate: int
    node: str
    region: str | None
    samples: int = 0
    seconds: float = 0.0
    first_audio_ms: float | None = None
    """From the text's departure to its first audio."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "say",
        help="say a text",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", help="the text, or - for standard input")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write it here, - for standard output"
    )
    parser.add_argument("--format", choices=("wav", "raw"), default="wav", help="default wav")
    options.add_form(parser, "the form of the samples (default pcm_s16le at 16000)")
    parser.add_argument("--voice", help="the voice (default: the node's)")
    parser.add_argument("--speed", type=float, default=1.0, help="0.5 to 2.0, default 1.0")
    options.add_session(parser)
    add_node(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    if args.output == "-" and args.json:
        raise UsageError("--json and -o - both want standard output")
    client, form = client_of(args), options.form_of(args) or AudioFormat()
    texts = pieces(sys.stdin.read() if args.text == "-" else args.text)
    if not texts:
        raise UsageError("there is no text to say")
    with output(args.output, form, header=args.format == "wav") as write:
        code, said = asyncio.run(_say(args, client, texts, form, write))
    if args.json:
        print(json.dumps(asdict(said)))
    return code


async def _say(
    args: argparse.Namespace,
    client: Client,
    texts: list[str],
    form: AudioFormat,
    write: Play,
) -> tuple[Exit, Said]:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    async with client.session(
        "synthesis",
        language=args.language,
        output=form,
        voice=args.voice,
        place=args.place,
        country=args.country,
        data=args.data,
        caller=args.caller,
        policy=args.policy,
        waits=say_wait,
    ) as session:
        if args.json:
            sys.stdout.write(arrival(session))
        started = session.started
        said = Said(started.voice, form.encoding, form.sample_rate, started.node, started.region)
        begun_s = loop.time()
        try:
            with on_interrupt(lambda: task.cancel() if task else None):
                for text in texts:
                    async for data in session.say(text, speed=args.speed):
                        if said.first_audio_ms is None:
                            said.first_audio_ms = round((loop.time() - begun_s) * 1000, 1)
                        await asyncio.to_thread(write, data)
                        said.samples += len(data) // form.bytes_per_sample
                await session.finish()
                async for _ in session:  # so that the session counts as finished, not as lost
                    pass
        except asyncio.CancelledError:
            return Exit.INTERRUPTED, said
        finally:
            said.seconds = round(form.seconds(said.samples), 3)
    return Exit.OK, said

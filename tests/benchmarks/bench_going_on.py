"""What it costs a caller to be able to go on, and how soon the SDK does after a cut."""

import asyncio
import time
from urllib.parse import urlsplit

from heliovox.client import Client, Resumed
from heliovox.client.machine import SessionMachine
from heliovox.protocol import messages as wire
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.codec import encode
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.stage import Node, node
from tests.support.cutting import cutting_proxy

PACKET_MS, UTTERANCE_S, SESSION_S = 20, 4, 3600
DROPS = 50
PCM = AudioFormat()
STARTED = wire.Started(
    *("s", "n", 1, "recognition", "en", "m", None, PCM, PCM, 320, 200),
    recovery=wire.Recovery("token", 120.0),
)


def _share() -> float:
    """Of a core, for one session: its audio kept by packets, finals read and acknowledged."""
    machine = SessionMachine(wire.Start(recovers=True))
    machine.text(encode(STARTED))
    samples = UTTERANCE_S * PCM.sample_rate
    words = tuple(wire.Word(f"word{at}", at, at + 300, 0.9) for at in range(10))
    finals = [
        encode(wire.Final(seq, (seq - 1) * samples, seq * samples, "", words, "endpoint"))
        for seq in range(1, SESSION_S // UTTERANCE_S + 1)
    ]
    packet = bytes(PCM.samples(PACKET_MS) * PCM.bytes_per_sample)
    begun_s = time.process_time()
    for seq, final in enumerate(finals, 1):
        for _ in range(UTTERANCE_S * 1000 // PACKET_MS):
            machine.has_room(len(packet))
            machine.sent(packet)
        machine.text(final)
        machine.stored(seq)
    return (time.process_time() - begun_s) / SESSION_S


async def _paused_ms(at: Node) -> list[float]:
    """From a cut to `Resumed`, while a telephone speaks on."""
    packet = bytes(PCM.samples(PACKET_MS) * PCM.bytes_per_sample)
    took_ms = []
    async with cutting_proxy(urlsplit(at.url).port or 0, iter(())) as proxy:
        client = Client(f"127.0.0.1:{proxy.port}", at.key, proxy=None)
        async with client.session() as session:

            async def speak() -> None:
                while True:
                    await session.send(packet)
                    await asyncio.sleep(PACKET_MS / 1000)

            async with asyncio.TaskGroup() as group:
                speaking = group.create_task(speak())
                for _ in range(DROPS):
                    await asyncio.sleep(0.1)
                    proxy.close()
                    cut_s = time.monotonic()
                    while not isinstance(await anext(session), Resumed):
                        pass
                    took_ms.append(1000 * (time.monotonic() - cut_s))
                speaking.cancel()
    return took_ms


def run(rounds: int, seconds: float) -> list[Figure]:
    """On a node with nothing else to do."""
    p50, p95, share = [], [], []
    for _ in range(rounds):
        with node() as at:
            took_ms = asyncio.run(_paused_ms(at))
        p50.append(percentile(took_ms, 0.5))
        p95.append(percentile(took_ms, 0.95))
        share.append(100 * _share())
    return [
        Figure("from a cut to going on at the same node, SDK, p50", "ms", tuple(p50)),
        Figure("from a cut to going on at the same node, SDK, p95", "ms", tuple(p95)),
        Figure("keeping audio and acknowledging, of a core", "%", tuple(share)),
    ]

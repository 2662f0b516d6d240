"""The audio formats of the native protocol."""

from typing import Literal, Self

import msgspec

Encoding = Literal["pcm_s16le", "mulaw", "alaw"]

PCM_RATES_HZ = (8000, 16000, 24000, 44100, 48000)
COMPANDED_RATES_HZ = (8000,)
ENCODINGS: tuple[Encoding, ...] = ("pcm_s16le", "mulaw", "alaw")


class AudioFormat(msgspec.Struct, frozen=True):
    """Mono audio as it travels: PCM of 16 bits, little-endian, or G.711 companded bytes."""

    encoding: str = "pcm_s16le"
    """One of ENCODINGS; checked where it is used, so that another one gets a proper answer."""
    sample_rate: int = 16000
    """Samples per second: one of `rates_hz(encoding)`."""

    @property
    def bytes_per_sample(self) -> int:
        """2 for PCM16, 1 for mu-law and A-law."""
        return 2 if self.encoding == "pcm_s16le" else 1

    def seconds(self, samples: int) -> float:
        """The duration of `samples`."""
        return samples / self.sample_rate

    def samples(self, milliseconds: float) -> int:
        """Whole samples in `milliseconds`, rounded down."""
        return int(milliseconds * self.sample_rate // 1000)

    @classmethod
    def telephone(cls) -> Self:
        """What a North American telephone line carries."""
        return cls("mulaw", 8000)


def rates_hz(encoding: str) -> tuple[int, ...]:
    """The sample rates that go with an encoding."""
    return PCM_RATES_HZ if encoding == "pcm_s16le" else COMPANDED_RATES_HZ

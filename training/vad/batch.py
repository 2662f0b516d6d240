"""Makes the voice activity model that ships out of Silero's file: the same weights, many at once.

Upstream's file takes one window of one stream a call. Its layers before the LSTM do not look
beyond their window, so the windows of a chunk, and of many streams, can go through them together,
and the LSTM takes the chunk as its sequence. Only shapes change;
tests/unit/edge_node/stt/test_vad.py compares the answers with upstream's.

    python -m training.vad.batch silero_vad.onnx edge_node/models/embedded/vad-silero/model.onnx
"""

import argparse
from pathlib import Path

import onnx
from onnx import TensorProto, helper

_ENCODED = "/decoder/rnn/Transpose_output_0"  # (1, windows * streams, 64)
_PROBABILITIES = "/decoder/decoder/decoder.2/Sigmoid_output_0"  # (streams, 1, windows)
WINDOW, STATE = 512, 64


def batched(model: onnx.ModelProto) -> onnx.ModelProto:
    """Inputs x (windows * streams, 512), window by window; h and c (2, streams, 64).

    Outputs: prob (streams, windows) and the next h and c.
    """
    graph = model.graph
    for node in graph.node:
        if node.op_type == "LSTM" and node.input[0] == _ENCODED:
            node.input[0] = "encoded"
    _replace_last(graph)
    _insert_reshape(graph)
    del graph.input[:], graph.output[:]
    state = [2, "streams", STATE]
    graph.input.extend(
        _value(name, shape)
        for name, shape in (("x", ["frames", WINDOW]), ("h", state), ("c", state))
    )
    graph.output.extend(
        _value(name, shape)
        for name, shape in (("prob", ["streams", "windows"]), ("new_h", state), ("new_c", state))
    )
    del graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    return model


def _replace_last(graph: onnx.GraphProto) -> None:
    """The mean over the one frame of a window gives way to dropping the middle dimension."""
    (last,) = [node for node in graph.node if "prob" in node.output]
    graph.node.remove(last)
    graph.initializer.append(helper.make_tensor("middle", TensorProto.INT64, [1], [1]))
    graph.node.append(helper.make_node("Squeeze", [_PROBABILITIES, "middle"], ["prob"]))


def _insert_reshape(graph: onnx.GraphProto) -> None:
    """(1, windows * streams, 64) -> (windows, streams, 64), before the first LSTM."""
    for name, values in (("first", [1]), ("rest", [-1]), ("width", [STATE])):
        graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [1], values))
    nodes = [
        helper.make_node("Shape", ["h"], ["h_shape"]),
        helper.make_node("Gather", ["h_shape", "first"], ["streams_count"]),
        helper.make_node("Concat", ["rest", "streams_count", "width"], ["encoded_shape"], axis=0),
        helper.make_node("Reshape", [_ENCODED, "encoded_shape"], ["encoded"]),
    ]
    place = next(i for i, node in enumerate(graph.node) if "encoded" in node.input)
    for node in reversed(nodes):
        graph.node.insert(place, node)


def _value(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def main() -> None:
    """Reads upstream's file, writes ours."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("upstream", type=Path)
    parser.add_argument("ours", type=Path)
    args = parser.parse_args()
    args.ours.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(batched(onnx.load(args.upstream)), args.ours)


if __name__ == "__main__":
    main()

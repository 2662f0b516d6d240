"""The two smallest ONNX models: rows out of tables, and rows back into them.

They keep the streams' states where the device can reach them without a trip over the host. Written
by hand, because the package `onnx` is no dependency of a node. Field numbers: onnx.proto3.
"""

from collections.abc import Sequence

_IR_VERSION, _OPSET = 8, 13


def gather_model(element_types: Sequence[int]) -> bytes:
    """table0, table1, ..., index (n) -> row0, row1, ...: `rows = table[index]`.

    Args:
        element_types: of each table, as TensorProto numbers them (1 float32, 7 int64).
    """
    nodes = [_node("Gather", [f"table{i}", "index"], f"row{i}") for i in range(len(element_types))]
    tables = [_tensor(f"table{i}", kind) for i, kind in enumerate(element_types)]
    rows = [_tensor(f"row{i}", kind) for i, kind in enumerate(element_types)]
    return _model(nodes, [*tables, _tensor("index", 7)], rows)


def scatter_model(element_types: Sequence[int]) -> bytes:
    """table0, ..., index (n, 1), row0, ... -> after0, ...: `table[index] = rows`."""
    count = range(len(element_types))
    nodes = [_node("ScatterND", [f"table{i}", "index", f"row{i}"], f"after{i}") for i in count]
    tables = [_tensor(f"table{i}", kind) for i, kind in enumerate(element_types)]
    rows = [_tensor(f"row{i}", kind) for i, kind in enumerate(element_types)]
    after = [_tensor(f"after{i}", kind) for i, kind in enumerate(element_types)]
    return _model(nodes, [*tables, _tensor("index", 7), *rows], after)


def _model(nodes: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"rows")
    graph += b"".join(_field(11, one) for one in inputs)
    graph += b"".join(_field(12, one) for one in outputs)
    opset = _number(2, _OPSET)
    return _number(1, _IR_VERSION) + _field(7, graph) + _field(8, opset)


def _node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    named = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    return named + _field(4, operator.encode())


def _tensor(name: str, element_type: int) -> bytes:
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, element_type)))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])

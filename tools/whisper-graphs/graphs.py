"""Building blocks of the graphs: nodes, constants, and weights quantised to eight bits."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
OPSET = 17
# Seven of the eight bits: a processor without VNNI adds products of two neighbours in sixteen bits and would saturate.
MOST = 64


def quantise(matrix):
    """[in, out] in float → int8 with one scale for each column, and no zero points. Returns (int8, scales)."""
    scales = np.abs(matrix).max(axis=0) / np.float32(MOST)
    scales[scales == 0] = 1
    return np.clip(np.rint(matrix / scales), -MOST, MOST).astype(np.int8), scales


class Weights:
    """A checkpoint's parameters as the graphs want them."""

    def __init__(self, tensors):
        self.tensors = tensors

    def floats(self, name, ins=slice(None), outs=slice(None)):
        """Matrix [in, out] and bias or None of a projection, of some of its inputs and outputs."""
        bias = self.tensors.get(f"{name}.bias")
        return np.ascontiguousarray(self.tensors[f"{name}.weight"].T[ins][:, outs]), None if bias is None else bias[outs]

    def product(self, name, factor=1.0, **part):
        """Quantised matrix [in, out], scales, and bias or None, of a projection whose result is multiplied by `factor`."""
        matrix, bias = self.floats(name, **part)
        matrix, scales = quantise(matrix)
        factor = np.float32(factor)
        return matrix, scales * factor, None if bias is None else bias * factor

    def vocabulary(self):
        """The embedding as int8 [width, vocabulary] and a scale for each token: one matrix for look-up and projection."""
        return quantise(np.ascontiguousarray(self.tensors["model.decoder.embed_tokens.weight"].T))


def side_by_side(products):
    """Several products of the same input as one."""
    bias = [np.zeros(m.shape[1], np.float32) if b is None else b for m, _, b in products]
    return np.concatenate([p[0] for p in products], 1), np.concatenate([p[1] for p in products]), np.concatenate(bias)


class Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def ints(self, *values):
        return self.constant("ints_" + "_".join(map(str, values)), np.array(values, np.int64))

    def add(self, kind, inputs, out=None, domain="", **attributes):
        """One node; its output's name, or a list of them when `out` is one."""
        out = out or f"{kind}_{len(self.nodes)}"
        names = out if isinstance(out, list) else [out]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return out

    def project(self, x, name, product, out=None):
        """x times a quantised matrix; x is quantised on the way."""
        weight, scale, *bias = self._parameters(name, product)
        zero = self.constant(f"{name}.zero", np.zeros(product[0].shape[1], np.int8))
        return self.add("DynamicQuantizeMatMul", [x, weight, scale, zero, *bias], out, MICROSOFT)

    def quantised(self, x):
        """x in eight bits, for several products of it."""
        names = [f"{x}.{part}" for part in ("quantised", "scale", "zero")]
        return self.add("DynamicQuantizeLinear", [x], names)

    def project_quantised(self, quantised, name, product, out=None):
        values, scale, zero = quantised
        weight, weight_scale, *bias = self._parameters(name, product)
        inputs = [values, weight, scale, weight_scale, zero, *(["", *bias] if bias else [])]
        return self.add("MatMulIntegerToFloat", inputs, out, MICROSOFT)

    def _parameters(self, name, product):
        parts = zip(("weight", "scale", "bias"), product)
        return [self.constant(f"{name}.{part}", value) for part, value in parts if value is not None]

    def norm(self, x, name, weights):
        inputs = [x, *(self.constant(f"{name}.{part}", weights.tensors[f"{name}.{part}"]) for part in ("weight", "bias"))]
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=1e-5)

    def project_floats(self, x, name, matrix, bias=None):
        rows = self.add("MatMul", [x, self.constant(f"{name}.floats", matrix)])
        return rows if bias is None else self.add("Add", [rows, self.constant(f"{name}.floats_bias", bias)])

    def feed_forward(self, x, name, weights, apart=()):
        """`apart`: inner channels that stay in floating point."""
        normed = self.norm(x, f"{name}.final_layer_norm", weights)
        first, second = f"{name}.fc1", f"{name}.fc2"
        rest = np.setdiff1d(np.arange(len(weights.tensors[f"{first}.bias"])), apart)
        inner = self.project(normed, first, weights.product(first, outs=rest))
        inner = self.add("Gelu", [inner], domain=MICROSOFT)
        x = self.add("Add", [x, self.project(inner, second, weights.product(second, ins=rest))])
        if len(apart) == 0:
            return x
        inner = self.add("Gelu", [self.project_floats(normed, first, *weights.floats(first, outs=apart))], domain=MICROSOFT)
        return self.add("Add", [x, self.project_floats(inner, second, weights.floats(second, ins=apart)[0])])

    def look_up(self, tokens, vocabulary):
        """Embeddings [n, width] of n tokens."""
        matrix, scales = vocabulary
        columns = self.add("Gather", [self.constant("vocabulary.weight", matrix), tokens], axis=1)
        values = self.add("Cast", [self.add("Transpose", [columns], perm=[1, 0])], to=TensorProto.FLOAT)
        picked = self.add("Gather", [self.constant("vocabulary.scale", scales), tokens], axis=0)
        return self.add("Mul", [values, self.add("Unsqueeze", [picked, self.ints(1)])])

    def model(self, name, inputs, outputs):
        graph = helper.make_graph(self.nodes, name, inputs, outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, producer_name="studymate", opset_imports=opsets, ir_version=9)


def floats(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def integers(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def booleans(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.BOOL, shape)

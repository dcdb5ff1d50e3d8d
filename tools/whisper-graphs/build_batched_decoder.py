"""Makes StudyMate's quick Whisper graphs out of a usual eight-bit export.

    python build_batched_decoder.py MODEL_FOLDER

reads  MODEL_FOLDER/onnx/encoder_model_quantized.onnx and decoder_model_merged_quantized.onnx
writes MODEL_FOLDER/onnx/decoder_batched_quantized.onnx, and adds the cross-attention's keys and values to the outputs of
       encoder_model_quantized.onnx (its usual output stays, so other programs read it as before)

The weights are taken over bit for bit: only the graph around them is another one.

- The keys and values of the cross-attention belong to the window, not to the token: the encoder makes them once, the
  keys transposed as the decoder multiplies them.
- The three projections of a layer's self-attention are one product.
- Several windows go side by side as lanes. A token's time is the time in which the weights are read from memory, and
  they are read once for all lanes.
- The cache is one tensor that grows at its end, [position, lane, layer and kind]: the caller appends a row and copies
  nothing.
- The likeliest allowed token and what its probability needs are found in the graph, so that 51,865 numbers a token need
  not leave it.
- Of the attention only the alignment heads come out.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
OPSET = 17


class Weights:
    """The parameters of a merged export, found by the names of the products that use them."""

    def __init__(self, model):
        self.tensors = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        branches = [a.g for n in model.graph.node if n.op_type == "If" for a in n.attribute]
        self.products = {}
        for branch in branches:
            for node in branch.node:
                found = re.search(r"layers\.(\d+)/(?:(self_attn|encoder_attn)/(\w+)_proj|(fc\d))/", node.output[0])
                if node.op_type == "MatMulInteger" and found:
                    name = f"{found[2]}.{found[3]}_proj" if found[2] else found[4]
                    self.products[int(found[1]), name] = node.input[1].removesuffix("_quantized")
        self.layers = 1 + max(layer for layer, _ in self.products)

    def product(self, layer, name):
        """Matrix [in, out], scales, zero points and bias (or None) of one projection."""
        base = self.products[layer, name]
        bias = self.tensors.get(f"model.decoder.layers.{layer}.{name}.bias_merged_0")
        return self.tensors[f"{base}_quantized"], self.tensors[f"{base}_scale"], self.tensors[f"{base}_zero_point"], bias

    def norm(self, name):
        return self.tensors[f"model.decoder.{name}.weight_merged_0"], self.tensors[f"model.decoder.{name}.bias_merged_0"]


def scaled(product, factor):
    matrix, scale, zero, bias = product
    return matrix, scale * np.float32(factor), zero, None if bias is None else bias * np.float32(factor)


def side_by_side(products):
    """Several products of the same input as one."""
    bias = [np.zeros(m.shape[1], np.float32) if b is None else b for m, _, _, b in products]
    matrix, scale, zero = (np.concatenate([p[i] for p in products], axis=-1) for i in range(3))
    return matrix, scale, zero, np.concatenate(bias)


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
        matrix, scale, zero, bias = product
        inputs = [x]
        for suffix, value in (("weight", matrix), ("scale", scale), ("zero", zero), ("bias", bias)):
            if value is not None:
                inputs.append(self.constant(f"{name}.{suffix}", value))
        return self.add("DynamicQuantizeMatMul", inputs, out, MICROSOFT)

    def norm(self, x, name, weights):
        inputs = [x, *(self.constant(f"{name}.{i}", value) for i, value in enumerate(weights.norm(name)))]
        return self.add("LayerNormalization", inputs, axis=-1, epsilon=1e-5)

    def heads_first(self, x, size):
        """[rows, lanes, heads * size] → [lanes * heads, rows, size]"""
        return self.add("Transpose", [self.add("Reshape", [x, self.ints(0, -1, size)])], perm=[1, 0, 2])


def floats(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def integers(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


def cross_tensors(config, lanes):
    heads = config["decoder_attention_heads"]
    size = config["d_model"] // heads
    for layer in range(config["decoder_layers"]):
        yield floats(f"cross_key.{layer}", lanes, size, "frames")
        yield floats(f"cross_value.{layer}", lanes, "frames", size)


def add_cross_attention(encoder, weights, config):
    """Lets the encoder give the keys [heads, size, frames] and values [heads, frames, size] of each decoder layer."""
    g = Graph()
    heads, width = config["decoder_attention_heads"], config["d_model"]
    size = width // heads
    products = [weights.product(l, f"encoder_attn.{k}_proj") for l in range(weights.layers) for k in ("k", "v")]
    joined = g.project("last_hidden_state", "cross", side_by_side(products))
    parts = g.add("Split", [joined], [f"cross_{i}" for i in range(len(products))], axis=2)
    for layer in range(weights.layers):
        for part, name, order in ((parts[2 * layer], "key", [1, 2, 0]), (parts[2 * layer + 1], "value", [1, 0, 2])):
            rows = g.add("Reshape", [part, g.ints(-1, heads, size)])
            g.add("Transpose", [rows], f"cross_{name}.{layer}", perm=order)
    encoder.graph.node.extend(g.nodes)
    encoder.graph.initializer.extend(g.constants.values())
    encoder.graph.output.extend(cross_tensors(config, heads))
    if all(o.domain != MICROSOFT for o in encoder.opset_import):
        encoder.opset_import.append(helper.make_opsetid(MICROSOFT, 1))


def embed(g, weights, config):
    """Tokens and positions [n, lanes, width], and the causal mask [n, past + n]."""
    tokens = g.add("Reshape", ["input_ids", g.ints(-1)])
    # One matrix [width, vocabulary] serves look-up and projection.
    columns = g.add("Gather", [g.constant("vocabulary.weight", weights.tensors["vocab_matrix_quantized"]), tokens], axis=1)
    values = g.add("Cast", [g.add("Transpose", [columns], perm=[1, 0])], to=TensorProto.FLOAT)
    scales = g.add("Gather", [g.constant("vocabulary.scale", weights.tensors["vocab_matrix_scale"]), tokens], axis=0)
    rows = g.add("Mul", [values, g.add("Unsqueeze", [scales, g.ints(1)])])
    shape = g.add("Concat", [g.add("Shape", ["input_ids"]), g.ints(config["d_model"])], axis=0)
    past = g.add("Squeeze", [g.add("Shape", ["past"], start=0, end=1)])
    fed = g.add("Squeeze", [g.add("Shape", ["input_ids"], start=0, end=1)])
    total = g.add("Add", [past, fed])
    zero, one = g.constant("zero", np.int64(0)), g.constant("one", np.int64(1))
    positions = g.add("Range", [past, total, one])
    table = g.constant("positions", weights.tensors["model.decoder.embed_positions.weight_merged_0"])
    placed = g.add("Unsqueeze", [g.add("Gather", [table, positions], axis=0), g.ints(1)])
    seen = g.add("Range", [zero, total, one])
    causal = g.add("LessOrEqual", [g.add("Unsqueeze", [seen, g.ints(0)]), g.add("Unsqueeze", [positions, g.ints(1)])])
    mask = g.add("Where", [causal, g.constant("open", np.float32(0)), g.constant("shut", np.float32(-1e9))])
    return g.add("Add", [g.add("Reshape", [rows, shape]), placed]), mask


def add_layer(g, x, mask, layer, weights, size):
    """One decoder layer. Returns its output, its new keys and values, and its cross-attention probabilities."""
    name = f"layers.{layer}"
    to_score = size**-0.5
    joined = side_by_side(
        [scaled(weights.product(layer, "self_attn.q_proj"), to_score)]
        + [weights.product(layer, f"self_attn.{kind}_proj") for kind in ("k", "v")]
    )
    normed = g.norm(x, f"{name}.self_attn_layer_norm", weights)
    outs = [f"{name}.{kind}" for kind in ("query", "key", "value")]
    query, key, value = g.add("Split", [g.project(normed, f"{name}.self", joined)], outs, axis=2)
    keys = g.add("Concat", [f"past_{2 * layer}", key], axis=0)
    values = g.add("Concat", [f"past_{2 * layer + 1}", value], axis=0)
    turned = g.add("Transpose", [g.add("Reshape", [keys, g.ints(0, -1, size)])], perm=[1, 2, 0])
    scores = g.add("Add", [g.add("MatMul", [g.heads_first(query, size), turned]), mask])
    x = attend(g, x, scores, g.heads_first(values, size), f"{name}.self_out", weights.product(layer, "self_attn.out_proj"))[0]

    normed = g.norm(x, f"{name}.encoder_attn_layer_norm", weights)
    query = g.project(normed, f"{name}.cross_query", scaled(weights.product(layer, "encoder_attn.q_proj"), to_score))
    scores = g.add("MatMul", [g.heads_first(query, size), f"cross_key.{layer}"])
    out = weights.product(layer, "encoder_attn.out_proj")
    x, probabilities = attend(g, x, scores, f"cross_value.{layer}", f"{name}.cross_out", out)

    normed = g.norm(x, f"{name}.final_layer_norm", weights)
    inner = g.add("Gelu", [g.project(normed, f"{name}.fc1", weights.product(layer, "fc1"))], domain=MICROSOFT)
    x = g.add("Add", [x, g.project(inner, f"{name}.fc2", weights.product(layer, "fc2"))])
    return x, [key, value], probabilities


def attend(g, x, scores, values, name, product):
    probabilities = g.add("Softmax", [scores], axis=-1)
    rows = g.add("Transpose", [g.add("MatMul", [probabilities, values])], perm=[1, 0, 2])
    width = product[0].shape[0]
    return g.add("Add", [x, g.project(g.add("Reshape", [rows, g.ints(0, -1, width)]), name, product)]), probabilities


def add_choice(g):
    """`token`: the likeliest allowed one by lane. `choice`: its logit, the greatest logit, the probability of the
    greatest, and of all that is allowed together."""
    row = g.add("Squeeze", [g.add("Gather", ["logits", g.ints(-1)], axis=0), g.ints(0)])
    barred = g.add("Mul", [g.add("Sub", ["allowed", g.constant("all", np.float32(1))]), g.constant("far", np.float32(1e30))])
    masked = g.add("Add", [row, barred])
    g.add("ArgMax", [masked], "token", axis=1, keepdims=0)
    best = g.add("ReduceMax", [masked], axes=[1], keepdims=1)
    greatest = g.add("ReduceMax", [row], axes=[1], keepdims=1)
    shares = g.add("Softmax", [row], axis=1)
    most = g.add("ReduceMax", [shares], axes=[1], keepdims=1)
    together = g.add("MatMul", [shares, g.add("Unsqueeze", ["allowed", g.ints(1)])])
    g.add("Concat", [best, greatest, most, together], "choice", axis=1)


def build_decoder(weights, config, alignment_heads):
    g = Graph()
    heads, width, layers = config["decoder_attention_heads"], config["d_model"], weights.layers
    vocabulary = weights.tensors["vocab_matrix_quantized"].shape[1]
    x, mask = embed(g, weights, config)
    g.add("Split", ["past"], [f"past_{i}" for i in range(2 * layers)], axis=2)
    made, probabilities = [], []
    for layer in range(layers):
        x, new, seen = add_layer(g, x, mask, layer, weights, width // heads)
        made += new
        probabilities.append(seen)
    g.add("Concat", made, "present", axis=2)
    product = weights.tensors["vocab_matrix_quantized"], weights.tensors["vocab_matrix_scale"], np.zeros(vocabulary, np.int8), None
    g.project(g.norm(x, "layer_norm", weights), "vocabulary", product, "logits")
    by_lane = {}
    for layer, _ in alignment_heads:
        shape = g.add("Shape", [probabilities[layer]], start=1, end=3)
        full = g.add("Concat", [g.ints(-1, heads), shape], axis=0)
        by_lane[layer] = by_lane.get(layer) or g.add("Reshape", [probabilities[layer], full])
    g.add("Concat", [g.add("Gather", [by_lane[l], g.ints(h)], axis=1) for l, h in alignment_heads], "attention", axis=1)
    add_choice(g)

    inputs = [integers("input_ids", "n", "lanes"), floats("past", "past", "lanes", 2 * layers * width), floats("allowed", vocabulary)]
    outputs = [
        floats("logits", "n", "lanes", vocabulary),
        floats("present", "n", "lanes", 2 * layers * width),
        floats("attention", "lanes", len(alignment_heads), "n", "frames"),
        integers("token", "lanes"),
        floats("choice", "lanes", 4),
    ]
    graph = helper.make_graph(g.nodes, "whisper-decoder", [*inputs, *cross_tensors(config, "heads")], outputs, list(g.constants.values()))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)], ir_version=9)


def main(folder):
    config = json.loads((folder / "config.json").read_text())
    alignment_heads = json.loads((folder / "generation_config.json").read_text())["alignment_heads"]
    weights = Weights(onnx.load(folder / "onnx/decoder_model_merged_quantized.onnx"))
    encoder_path = folder / "onnx/encoder_model_quantized.onnx"
    encoder = onnx.load(encoder_path)
    if any(output.name == "cross_key.0" for output in encoder.graph.output):
        sys.exit(f"{encoder_path} has been worked on already; begin with the usual export")
    add_cross_attention(encoder, weights, config)
    onnx.save(build_decoder(weights, config, alignment_heads), folder / "onnx/decoder_batched_quantized.onnx")
    onnx.save(encoder, encoder_path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

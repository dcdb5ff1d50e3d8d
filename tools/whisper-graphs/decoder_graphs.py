"""The decoder, twice over the same weights.

`build_batched_decoder`: what StudyMate runs.
- Several windows go side by side as lanes. A token's time is the time in which the weights are read from memory, and they
  are read once for all lanes.
- The three projections of a layer's self-attention are one product.
- The cache is one tensor that grows at its end, [position, lane, layer and kind]: the caller appends a row and copies
  nothing.
- The likeliest allowed token and what its probability needs are found in the graph, so that 51,865 numbers a token need
  not leave it.
- Of the attention only the alignment heads come out.

`build_merged_decoder`: the inputs and outputs that @huggingface/transformers and Optimum know, for other programs. Its only
branch is around the keys and values of the cross-attention, which later steps get back from the first.
"""

import numpy as np
from encoder_graph import cross_tensors
from graphs import Graph, Weights, booleans, floats, integers, side_by_side
from onnx import helper


def head_size(config):
    return config["d_model"] // config["decoder_attention_heads"]


def heads_first(g, x, size):
    """[rows, lanes, heads * size] → [lanes * heads, rows, size]"""
    return g.add("Transpose", [g.add("Reshape", [x, g.ints(0, -1, size)])], perm=[1, 0, 2])


def place_and_mask(g, table, past, fed):
    """Embeddings of the positions after `past` [fed, width], and the causal mask [fed, past + fed]."""
    total = g.add("Add", [past, fed])
    zero, one = g.constant("zero", np.int64(0)), g.constant("one", np.int64(1))
    positions = g.add("Range", [past, total, one])
    places = g.add("Gather", [g.constant("positions", table), positions], axis=0)
    seen = g.add("Range", [zero, total, one])
    causal = g.add("LessOrEqual", [g.add("Unsqueeze", [seen, g.ints(0)]), g.add("Unsqueeze", [positions, g.ints(1)])])
    mask = g.add("Where", [causal, g.constant("open", np.float32(0)), g.constant("shut", np.float32(-1e9))])
    return places, mask


def length(g, name, axis):
    return g.add("Squeeze", [g.add("Shape", [name], start=axis, end=axis + 1)])


def add_lane_layer(g, x, mask, layer, weights, size):
    """One layer over lanes. Returns its output, its new keys and values, and its cross-attention probabilities."""
    name = f"model.decoder.layers.{layer}"
    to_score = size**-0.5
    product = lambda kind, factor=1.0: weights.product(f"{name}.{kind}_proj", factor)
    joined = side_by_side([product("self_attn.q", to_score), product("self_attn.k"), product("self_attn.v")])
    normed = g.norm(x, f"{name}.self_attn_layer_norm", weights)
    outs = [f"{name}.{kind}" for kind in ("query", "key", "value")]
    query, key, value = g.add("Split", [g.project(normed, f"{name}.self", joined)], outs, axis=2)
    keys = g.add("Concat", [f"past_{2 * layer}", key], axis=0)
    values = g.add("Concat", [f"past_{2 * layer + 1}", value], axis=0)
    turned = g.add("Transpose", [g.add("Reshape", [keys, g.ints(0, -1, size)])], perm=[1, 2, 0])
    scores = g.add("Add", [g.add("MatMul", [heads_first(g, query, size), turned]), mask])
    x = attend_lanes(g, x, scores, heads_first(g, values, size), f"{name}.self_out", product("self_attn.out"))[0]

    normed = g.norm(x, f"{name}.encoder_attn_layer_norm", weights)
    query = g.project(normed, f"{name}.cross_query", product("encoder_attn.q", to_score))
    scores = g.add("MatMul", [heads_first(g, query, size), f"cross_key.{layer}"])
    x, seen = attend_lanes(g, x, scores, f"cross_value.{layer}", f"{name}.cross_out", product("encoder_attn.out"))
    return g.feed_forward(x, name, weights), [key, value], seen


def attend_lanes(g, x, scores, values, name, product):
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


def add_alignment(g, probabilities, alignment_heads, heads):
    """`attention` [lanes, alignment heads, rows, frames]"""
    by_lane = {}
    for layer in {layer for layer, _ in alignment_heads}:
        shape = g.add("Shape", [probabilities[layer]], start=1, end=3)
        full = g.add("Concat", [g.ints(-1, heads), shape], axis=0)
        by_lane[layer] = g.add("Reshape", [probabilities[layer], full])
    g.add("Concat", [g.add("Gather", [by_lane[l], g.ints(h)], axis=1) for l, h in alignment_heads], "attention", axis=1)


def build_batched_decoder(tensors, config, alignment_heads):
    g, weights = Graph(), Weights(tensors)
    layers, width = config["decoder_layers"], config["d_model"]
    vocabulary = weights.vocabulary()
    count = vocabulary[0].shape[1]
    rows = g.look_up(g.add("Reshape", ["input_ids", g.ints(-1)]), vocabulary)
    shape = g.add("Concat", [g.add("Shape", ["input_ids"]), g.ints(width)], axis=0)
    table = tensors["model.decoder.embed_positions.weight"]
    places, mask = place_and_mask(g, table, length(g, "past", 0), length(g, "input_ids", 0))
    x = g.add("Add", [g.add("Reshape", [rows, shape]), g.add("Unsqueeze", [places, g.ints(1)])])
    g.add("Split", ["past"], [f"past_{i}" for i in range(2 * layers)], axis=2)
    made, probabilities = [], []
    for layer in range(layers):
        x, new, seen = add_lane_layer(g, x, mask, layer, weights, head_size(config))
        made += new
        probabilities.append(seen)
    g.add("Concat", made, "present", axis=2)
    g.project(g.norm(x, "model.decoder.layer_norm", weights), "vocabulary", (*vocabulary, None), "logits")
    add_alignment(g, probabilities, alignment_heads, config["decoder_attention_heads"])
    add_choice(g)
    inputs = [
        integers("input_ids", "n", "lanes"),
        floats("past", "past", "lanes", 2 * layers * width),
        floats("allowed", count),
    ]
    outputs = [
        floats("logits", "n", "lanes", count),
        floats("present", "n", "lanes", 2 * layers * width),
        floats("attention", "lanes", len(alignment_heads), "n", "frames"),
        integers("token", "lanes"),
        floats("choice", "lanes", 4),
    ]
    return g.model("whisper-decoder", [*inputs, *cross_tensors(config, "heads")], outputs)


def split_heads(g, x, config):
    """[batch, rows, width] → [batch, heads, rows, size]"""
    shape = g.ints(0, -1, config["decoder_attention_heads"], head_size(config))
    return g.add("Transpose", [g.add("Reshape", [x, shape])], perm=[0, 2, 1, 3])


def add_cross_branch(g, weights, config):
    """`present.*.encoder.*`: made from the hidden states in the first step, in later ones handed back as they came."""
    layers, outs = config["decoder_layers"], []
    first, later = Graph(), Graph()
    for layer in range(layers):
        for kind in ("key", "value"):
            name = f"model.decoder.layers.{layer}.encoder_attn.{kind[0]}_proj"
            rows = first.project("encoder_hidden_states", name, weights.product(name))
            made, kept, out = (f"{branch}.{layer}.encoder.{kind}" for branch in ("made", "kept", "present"))
            shape = first.ints(0, -1, config["decoder_attention_heads"], head_size(config))
            first.add("Transpose", [first.add("Reshape", [rows, shape])], made, perm=[0, 2, 1, 3])
            later.add("Identity", [f"past_key_values.{layer}.encoder.{kind}"], kept)
            outs.append((made, kept, out))
    # Constants of a branch would be read again with it: they stand outside.
    g.constants.update(first.constants)
    shape = ("batch_size", config["decoder_attention_heads"], "frames", head_size(config))

    def branch(title, sub, names):
        return helper.make_graph(_named_apart(sub, title), title, [], [floats(name, *shape) for name in names])

    g.add(
        "If",
        ["use_cache_branch"],
        [out for _, _, out in outs],
        then_branch=branch("later", later, [kept for _, kept, _ in outs]),
        else_branch=branch("first", first, [made for made, _, _ in outs]),
    )


def _named_apart(sub, title):
    """Names of a branch must not be those of the graph around it."""
    own = {name for node in sub.nodes for name in node.output if "." not in name}
    for node in sub.nodes:
        for names in (node.input, node.output):
            for i, name in enumerate(names):
                if name in own:
                    names[i] = f"{title}_{name}"
    return sub.nodes


def build_merged_decoder(tensors, config):
    g, weights = Graph(), Weights(tensors)
    layers, width, heads = config["decoder_layers"], config["d_model"], config["decoder_attention_heads"]
    size = head_size(config)
    vocabulary = weights.vocabulary()
    add_cross_branch(g, weights, config)
    rows = g.look_up(g.add("Reshape", ["input_ids", g.ints(-1)]), vocabulary)
    shape = g.add("Concat", [g.add("Shape", ["input_ids"]), g.ints(width)], axis=0)
    table = tensors["model.decoder.embed_positions.weight"]
    past = length(g, "past_key_values.0.decoder.key", 2)
    places, mask = place_and_mask(g, table, past, length(g, "input_ids", 1))
    x = g.add("Add", [g.add("Reshape", [rows, shape]), places])
    for layer in range(layers):
        name = f"model.decoder.layers.{layer}"
        product = lambda kind, factor=1.0: weights.product(f"{name}.{kind}_proj", factor)
        normed = g.norm(x, f"{name}.self_attn_layer_norm", weights)
        query = split_heads(g, g.project(normed, f"{name}.self_attn.q", product("self_attn.q", size**-0.5)), config)
        for kind in ("key", "value"):
            new = split_heads(g, g.project(normed, f"{name}.self_attn.{kind}", product(f"self_attn.{kind[0]}")), config)
            at = f"{layer}.decoder.{kind}"
            g.add("Concat", [f"past_key_values.{at}", new], f"present.{at}", axis=2)
        turned = g.add("Transpose", [f"present.{layer}.decoder.key"], perm=[0, 1, 3, 2])
        scores = g.add("Add", [g.add("MatMul", [query, turned]), mask])
        x = attend(g, x, scores, f"present.{layer}.decoder.value", f"{name}.self_attn.out", product("self_attn.out"))

        normed = g.norm(x, f"{name}.encoder_attn_layer_norm", weights)
        query = split_heads(g, g.project(normed, f"{name}.encoder_attn.q", product("encoder_attn.q", size**-0.5)), config)
        scores = g.add("MatMul", [query, g.add("Transpose", [f"present.{layer}.encoder.key"], perm=[0, 1, 3, 2])])
        out, seen = f"{name}.encoder_attn.out", f"cross_attentions.{layer}"
        x = attend(g, x, scores, f"present.{layer}.encoder.value", out, product("encoder_attn.out"), seen)
        x = g.feed_forward(x, name, weights)
    g.project(g.norm(x, "model.decoder.layer_norm", weights), "vocabulary", (*vocabulary, None), "logits")

    def cache(start, side, rows):
        names = [f"{start}.{layer}.{side}.{kind}" for layer in range(layers) for kind in ("key", "value")]
        return [floats(name, "batch_size", heads, rows, size) for name in names]

    frames = config["max_source_positions"]
    inputs = [
        integers("input_ids", "batch_size", "tokens"),
        floats("encoder_hidden_states", "batch_size", frames, width),
        *cache("past_key_values", "decoder", "past"),
        *cache("past_key_values", "encoder", "past_frames"),
        booleans("use_cache_branch", 1),
    ]
    outputs = [
        floats("logits", "batch_size", "tokens", vocabulary[0].shape[1]),
        *cache("present", "decoder", "positions"),
        *cache("present", "encoder", "frames"),
        *(floats(f"cross_attentions.{layer}", "batch_size", heads, "tokens", "frames") for layer in range(layers)),
    ]
    return g.model("whisper-merged-decoder", inputs, outputs)


def attend(g, x, scores, values, name, product, seen=None):
    probabilities = g.add("Softmax", [scores], seen, axis=-1)
    rows = g.add("Transpose", [g.add("MatMul", [probabilities, values])], perm=[0, 2, 1, 3])
    return g.add("Add", [x, g.project(g.add("Reshape", [rows, g.ints(0, 0, product[0].shape[0])]), name, product)])

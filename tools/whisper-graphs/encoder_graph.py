"""The encoder: log-mel → hidden states, and the keys and values of the decoder's cross-attention.

Those belong to the window and not to the token, so the encoder makes them once, the keys turned as the decoder multiplies
them. Attention is one operator that never writes down all scores (1500 × 1500 a head).

Activations have eight bits and one scale for all channels and frames. That they are even enough for it is the work of
rotation.py and massive_channels.py.
"""

from graphs import MICROSOFT, Graph, Weights, floats


def build_encoder(rotated, config, massive):
    """`rotated`: of rotation.py. `massive`: the channels of each layer that stay in floating point."""
    tensors = rotated.tensors
    g, weights = Graph(), Weights(tensors)
    width, frames = config["d_model"], config["max_source_positions"]
    x = "input_features"
    for name, stride in (("conv1", 1), ("conv2", 2)):
        parts = [g.constant(f"{name}.{part}", tensors[f"model.encoder.{name}.{part}"]) for part in ("weight", "bias")]
        x = g.add("Conv", [x, *parts], kernel_shape=[3], pads=[1, 1], strides=[stride])
        x = g.add("Gelu", [x], domain=MICROSOFT)
    places = g.constant("positions", tensors["model.encoder.embed_positions.weight"])
    x = g.project_floats(g.add("Transpose", [x], perm=[0, 2, 1]), "entry", rotated.entry)
    x = g.add("Add", [x, places])
    for layer in range(config["encoder_layers"]):
        x = add_layer(g, x, f"model.encoder.layers.{layer}", weights, config, massive[layer])
    x = g.norm(x, "model.encoder.layer_norm", weights)
    matrix, shift = rotated.exit
    rows = g.add("MatMul", [x, g.constant("exit", matrix)])
    g.add("Add", [rows, g.constant("exit_shift", shift)], "last_hidden_state")
    add_cross_attention(g, x, weights, config)
    inputs = [floats("input_features", "batch_size", config["num_mel_bins"], 2 * frames)]
    hidden = floats("last_hidden_state", "batch_size", frames, width)
    outputs = [hidden, *cross_tensors(config, config["decoder_attention_heads"])]
    return g.model("whisper-encoder", inputs, outputs)


def add_layer(g, x, name, weights, config, massive):
    heads = config["encoder_attention_heads"]
    size = config["d_model"] // heads
    normed = g.quantised(g.norm(x, f"{name}.self_attn_layer_norm", weights))
    parts = []
    for kind in ("q", "k", "v"):
        product = weights.product(f"{name}.self_attn.{kind}_proj")
        parts.append(g.project_quantised(normed, f"{name}.self_attn.{kind}", product))
    attended = g.add("MultiHeadAttention", parts, domain=MICROSOFT, num_heads=heads, scale=size**-0.5)
    x = g.add("Add", [x, g.project(attended, f"{name}.self_attn.out", weights.product(f"{name}.self_attn.out_proj"))])
    return g.feed_forward(x, name, weights, massive)


def add_cross_attention(g, x, weights, config):
    heads = config["decoder_attention_heads"]
    hidden = g.quantised(x)
    for layer in range(config["decoder_layers"]):
        for kind, order in (("key", [1, 2, 0]), ("value", [1, 0, 2])):
            name = f"model.decoder.layers.{layer}.encoder_attn.{kind[0]}_proj"
            rows = g.project_quantised(hidden, name, weights.product(name))
            rows = g.add("Reshape", [rows, g.ints(-1, heads, config["d_model"] // heads)])
            g.add("Transpose", [rows], f"cross_{kind}.{layer}", perm=order)


def cross_tensors(config, lanes):
    """Keys [heads, size, frames] and values [heads, frames, size] of each layer, lane after lane."""
    size = config["d_model"] // config["decoder_attention_heads"]
    for layer in range(config["decoder_layers"]):
        yield floats(f"cross_key.{layer}", lanes, size, "frames")
        yield floats(f"cross_value.{layer}", lanes, "frames", size)

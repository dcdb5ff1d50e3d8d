"""The same encoder in other coordinates, so that eight bits with one scale for a whole tensor are enough.

A few of Whisper's channels are far larger than the others, and one scale for all of them leaves the others few steps. An
orthogonal matrix spreads each channel over all of them (QuaRot, Ashkboos et al. 2024): what is normalised is then as even as
noise. It is multiplied into the weights, so that it costs nothing when the graph runs, but for one product at each end.

LayerNorm takes off the mean over the channels, so the matrix has to leave the direction (1, 1, …, 1) as it is, and what
is added to the stream has its mean taken off here. Then LayerNorm without its scale and shift, which go into the weights
after it, gives in the new coordinates what it gives in the old.
"""

from dataclasses import dataclass

import numpy as np

ENCODER = "model.encoder"


@dataclass
class RotatedEncoder:
    # As in a checkpoint, with scale 1 and shift 0 for each LayerNorm, and the decoder's keys and values made of the
    # rotated hidden states.
    tensors: dict
    # [width, width]: from what the convolutions give into the new coordinates.
    entry: np.ndarray
    # [width, width] and [width]: from the last LayerNorm to the hidden states of the checkpoint.
    exit: tuple


def mixing(size, seed):
    """An orthogonal matrix [size, size] that keeps (1, …, 1): the cosine transform, its coefficients with signs by chance
    (the mean's without), and the transform back."""
    place = np.arange(size)
    transform = np.sqrt(2 / size) * np.cos(np.pi * (place + 0.5) * place[:, None] / size)
    transform[0] = 1 / np.sqrt(size)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size)
    signs[0] = 1
    return transform.T @ (signs[:, None] * transform)


def rotate_encoder(tensors, config):
    width, heads = config["d_model"], config["encoder_attention_heads"]
    turn = mixing(width, seed=0)
    centred = turn - 1 / width
    # Values are mixed within each head, and turned back by the projection after them.
    within_heads = np.kron(np.eye(heads), mixing(width // heads, seed=2))
    made = dict(tensors)

    def put(name, value):
        made[name] = np.ascontiguousarray(value, np.float32)

    def write(name):
        put(f"{name}.weight", centred.T @ made[f"{name}.weight"])
        put(f"{name}.bias", made[f"{name}.bias"] @ centred)

    def read(name, norm, biased=True):
        weight = made[f"{name}.weight"]
        if biased:
            put(f"{name}.bias", made.get(f"{name}.bias", 0) + weight @ tensors[f"{norm}.bias"])
        put(f"{name}.weight", (weight * tensors[f"{norm}.weight"]) @ turn)

    def read_keys_and_values(name, norm):
        # The same number added to all keys of a query changes nothing after the softmax.
        read(f"{name}.k_proj", norm, biased=False)
        read(f"{name}.v_proj", norm)

    for layer in range(config["encoder_layers"]):
        name = f"{ENCODER}.layers.{layer}"
        value, out = f"{name}.self_attn.v_proj", f"{name}.self_attn.out_proj"
        put(f"{value}.weight", within_heads.T @ made[f"{value}.weight"])
        put(f"{value}.bias", made[f"{value}.bias"] @ within_heads)
        put(f"{out}.weight", made[f"{out}.weight"] @ within_heads)
        read(f"{name}.self_attn.q_proj", f"{name}.self_attn_layer_norm")
        read_keys_and_values(f"{name}.self_attn", f"{name}.self_attn_layer_norm")
        read(f"{name}.fc1", f"{name}.final_layer_norm")
        write(out)
        write(f"{name}.fc2")
    last = f"{ENCODER}.layer_norm"
    for layer in range(config["decoder_layers"]):
        read_keys_and_values(f"model.decoder.layers.{layer}.encoder_attn", last)
    put(f"{ENCODER}.embed_positions.weight", made[f"{ENCODER}.embed_positions.weight"] @ centred)
    for name in [name for name in made if name.startswith(ENCODER) and "layer_norm" in name]:
        put(name, np.full(width, float(name.endswith("weight"))))
    exit_matrix = np.ascontiguousarray(turn.T * tensors[f"{last}.weight"], np.float32)
    return RotatedEncoder(made, centred.astype(np.float32), (exit_matrix, tensors[f"{last}.bias"]))

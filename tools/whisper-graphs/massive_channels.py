"""Which inner channels of the encoder's feed-forward parts are far larger than the others.

In some layers a handful of the channels after GELU reach 80 or 200, where the others stay below 8 or 25 (whisper-base), and
always the same ones, most of all in the silence behind the sound. No coordinates help there, for GELU stands before. So
the largest go apart, in floating point.
"""

import numpy as np
from reference import Reference
from verify import silence_like, sound_like

# One in 64: with 16, 32 and 64 of 2,048 the encoder's error is the same.
ONE_IN = 64


def find_massive_channels(checkpoint):
    """The channels of each layer, in rising order: those that get largest in silence and in a made sound."""
    greatest = {}

    def watch(name, inner):
        greatest[name] = np.maximum(greatest.get(name, 0), np.abs(inner).max(axis=0))

    reference = Reference(checkpoint, watch)
    bands = checkpoint.config["num_mel_bins"]
    for features in (silence_like(bands), sound_like(bands)):
        reference.encode(features)
    layers = (greatest[f"model.encoder.layers.{layer}"] for layer in range(checkpoint.config["encoder_layers"]))
    return [np.sort(np.argsort(most)[-(len(most) // ONE_IN) :]) for most in layers]

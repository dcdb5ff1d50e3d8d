"""Whisper in NumPy and floating point, as openai/whisper's model.py has it: slow, short, and independent of the graphs."""

import numpy as np


def _erf(x):
    """Abramowitz and Stegun 7.1.26, right to 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - series * np.exp(-x * x))


def gelu(x):
    return 0.5 * x * (1 + _erf(x / np.sqrt(2)))


class Reference:
    def __init__(self, checkpoint, watch=None):
        """`watch(name, inner)` is told what comes out of each GELU of a feed-forward part, [rows, inner width]."""
        self.tensors, self.config, self.watch = checkpoint.tensors, checkpoint.config, watch

    def _linear(self, x, name):
        bias = self.tensors.get(f"{name}.bias", 0)
        return x @ self.tensors[f"{name}.weight"].T + bias

    def _norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
        return x * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]

    def _conv(self, x, name, stride):
        """x [channels, length], kernel of three, one zero at each end"""
        weight = self.tensors[f"{name}.weight"]
        padded = np.pad(x, ((0, 0), (1, 1)))
        count = (x.shape[1] - 1) // stride + 1
        taps = [weight[:, :, k] @ padded[:, k : k + stride * count : stride][:, :count] for k in range(3)]
        return sum(taps) + self.tensors[f"{name}.bias"][:, None]

    def _attend(self, x, source, name, heads, causal=False):
        split = lambda y: y.reshape(len(y), heads, -1).transpose(1, 0, 2)
        query, key, value = (split(self._linear(s, f"{name}.{k}_proj")) for s, k in ((x, "q"), (source, "k"), (source, "v")))
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
        if causal:
            scores = np.where(np.tri(len(x), dtype=bool), scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        return self._linear((shares @ value).transpose(1, 0, 2).reshape(len(x), -1), f"{name}.out_proj")

    def _feed_forward(self, x, name):
        inner = gelu(self._linear(self._norm(x, f"{name}.final_layer_norm"), f"{name}.fc1"))
        if self.watch:
            self.watch(name, inner)
        return x + self._linear(inner, f"{name}.fc2")

    def encode(self, features):
        """[mel bins, 3000] → [1500, width]"""
        x = gelu(self._conv(features, "model.encoder.conv1", 1))
        x = gelu(self._conv(x, "model.encoder.conv2", 2)).T + self.tensors["model.encoder.embed_positions.weight"]
        for layer in range(self.config["encoder_layers"]):
            name = f"model.encoder.layers.{layer}"
            normed = self._norm(x, f"{name}.self_attn_layer_norm")
            x = x + self._attend(normed, normed, f"{name}.self_attn", self.config["encoder_attention_heads"])
            x = self._feed_forward(x, name)
        return self._norm(x, "model.encoder.layer_norm")

    def decode(self, tokens, hidden):
        """[n] tokens → logits [n, vocabulary]"""
        table = self.tensors["model.decoder.embed_tokens.weight"]
        heads = self.config["decoder_attention_heads"]
        x = table[tokens] + self.tensors["model.decoder.embed_positions.weight"][: len(tokens)]
        for layer in range(self.config["decoder_layers"]):
            name = f"model.decoder.layers.{layer}"
            normed = self._norm(x, f"{name}.self_attn_layer_norm")
            x = x + self._attend(normed, normed, f"{name}.self_attn", heads, causal=True)
            normed = self._norm(x, f"{name}.encoder_attn_layer_norm")
            x = x + self._attend(normed, hidden, f"{name}.encoder_attn", heads)
            x = self._feed_forward(x, name)
        return self._norm(x, "model.decoder.layer_norm") @ table.T

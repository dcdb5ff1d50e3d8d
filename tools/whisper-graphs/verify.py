"""Compares the graphs that were written with the checkpoint in floating point."""

import numpy as np
import onnxruntime
from reference import Reference


def sound_like(mels, seed=1):
    """Features with the range and the smoothness of real ones: bands that rise and fall, silence at the end."""
    random = np.random.default_rng(seed)
    coarse = random.normal(size=(mels // 8, 151))
    rows = np.array([np.interp(np.arange(3000) / 20, np.arange(151), row) for row in coarse])
    features = np.array([np.interp(np.arange(mels) / 8, np.arange(len(rows)), column) for column in rows.T]).T
    features[:, 2400:] = features.min()
    return np.clip(features * 0.6, -1, 1.5).astype(np.float32)


def silence_like(mels):
    """Features of digital silence: each band at the floor, (log10(1e-10) + 4) / 4."""
    return np.full((mels, 3000), -1.5, np.float32)


def likeness(a, b):
    """Mean cosine of the rows."""
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(((a * b).sum(-1) / norms).mean())


def verify(checkpoint, folder):
    """Cosines of hidden states and logits with the reference, and how often the likeliest token is the same."""
    config = checkpoint.config

    def open_graph(name):
        path = folder / "onnx" / f"{name}_quantized.onnx"
        return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    features = sound_like(config["num_mel_bins"])
    encoder = open_graph("encoder_model")
    names = [output.name for output in encoder.get_outputs()]
    made = dict(zip(names, encoder.run(None, {"input_features": features[None]})))
    reference = Reference(checkpoint)
    hidden = reference.encode(features)

    random = np.random.default_rng(2)
    end = config["eos_token_id"]
    tokens = np.array([config["decoder_start_token_id"], *random.integers(0, end, 15)])
    wanted = reference.decode(tokens, hidden)
    batched = decode_batched(open_graph("decoder_batched"), made, tokens, config)
    merged = decode_merged(open_graph("decoder_model_merged"), made["last_hidden_state"], tokens, config)
    same = lambda logits: float((logits.argmax(-1) == wanted.argmax(-1)).mean())
    return {
        "hiddenStatesCosine": round(likeness(made["last_hidden_state"][0], hidden), 5),
        "batchedLogitsCosine": round(likeness(batched, wanted), 5),
        "mergedLogitsCosine": round(likeness(merged, wanted), 5),
        "batchedSameLikeliest": same(batched),
        "mergedSameLikeliest": same(merged),
    }


def decode_batched(session, made, tokens, config):
    """Half of the tokens at once, the others one by one, as decoding feeds them."""
    past = np.zeros((0, 1, 2 * config["decoder_layers"] * config["d_model"]), np.float32)
    cross = {name: value for name, value in made.items() if name.startswith("cross_")}
    allowed = np.ones(config["vocab_size"], np.float32)
    rows, half = [], len(tokens) // 2
    for fed in (tokens[:half], *([token] for token in tokens[half:])):
        ids = np.array(fed, np.int64).reshape(-1, 1)
        logits, present = session.run(["logits", "present"], {"input_ids": ids, "past": past, "allowed": allowed, **cross})
        past = np.concatenate([past, present])
        rows.append(logits[:, 0])
    return np.concatenate(rows)


def decode_merged(session, hidden, tokens, config):
    heads = config["decoder_attention_heads"]
    nothing = np.zeros((1, heads, 0, config["d_model"] // heads), np.float32)
    names = [output.name for output in session.get_outputs() if output.name.startswith("present.")]
    carried = {name.replace("present", "past_key_values"): nothing for name in names}
    rows, half = [], len(tokens) // 2
    for i, fed in enumerate((tokens[:half], *([token] for token in tokens[half:]))):
        inputs = {"input_ids": np.array([fed], np.int64), "encoder_hidden_states": hidden, **carried}
        inputs["use_cache_branch"] = np.array([i > 0])
        logits, *present = session.run(["logits", *names], inputs)
        carried = {name.replace("present", "past_key_values"): value for name, value in zip(names, present)}
        rows.append(logits[0])
    return np.concatenate(rows)

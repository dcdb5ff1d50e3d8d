"""Whisper checkpoints in three forms → the same float32 tensors, by the names that Hugging Face gives them.

- a folder with config.json and model.safetensors (or shards of it, with their index)
- a folder with a model.bin of CTranslate2 (faster-whisper), float weights
- a ggml file of whisper.cpp, float or quantised
"""

import json
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ggml_file import read_ggml


@dataclass
class Checkpoint:
    config: dict
    tensors: dict = field(repr=False)
    # Folder with tokenizer.json and the like; None for a ggml file, which holds its vocabulary itself.
    folder: Path | None = None
    # Text tokens by id, as bytes; of ggml files alone.
    vocabulary: list | None = None
    # What a generation_config.json says, as far as the checkpoint knows it.
    generation: dict = field(default_factory=dict)


def read_checkpoint(source):
    """Raises ValueError that says what is not as it should be."""
    source = Path(source)
    if source.is_file():
        return from_openai_names(*read_ggml(source))
    if (source / "model.bin").exists():
        return read_ctranslate2(source)
    if (source / "config.json").exists():
        return read_hugging_face(source)
    raise ValueError(f"{source} is neither a ggml file nor a folder with model.safetensors or CTranslate2's model.bin")


def read_hugging_face(folder):
    index = folder / "model.safetensors.index.json"
    shards = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    tensors = {}
    for shard in shards:
        if not (folder / shard).exists():
            raise ValueError(f"there is no {folder / shard}")
        tensors.update(read_safetensors(folder / shard))
    generation = folder / "generation_config.json"
    config = json.loads((folder / "config.json").read_text())
    if config.get("model_type") != "whisper":
        raise ValueError(f"{folder} holds a model of the type {config.get('model_type')!r}, not whisper")
    return Checkpoint(config, tensors, folder, generation=json.loads(generation.read_text()) if generation.exists() else {})


def read_safetensors(path):
    """The format: length of the header (8 bytes), JSON header with type, shape and offsets, then the numbers."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        start = file.tell()
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            tensors[name] = to_float(file.read(end - begin), entry["dtype"]).reshape(entry["shape"])
    return tensors


def to_float(data, kind):
    if kind == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    types = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}
    if kind not in types:
        raise ValueError(f"weights of the type {kind} cannot be read; float32, float16 and bfloat16 can")
    return np.frombuffer(data, types[kind]).astype(np.float32)


def read_ctranslate2(folder):
    """CTranslate2's python/ctranslate2/specs/model_spec.py, _serialize: names, shapes, types and numbers in a row."""
    raw = {}
    with (folder / "model.bin").open("rb") as file:

        def read(kind):
            return struct.unpack("<" + kind, file.read(struct.calcsize(kind)))[0]

        def text():
            return file.read(read("H"))[:-1].decode()

        version, spec = read("I"), text()
        if spec != "WhisperSpec" or version < 5:
            raise ValueError(f"{folder}/model.bin is a {spec} of version {version}, not a Whisper of version 5 or later")
        read("I")
        kinds = {0: "F32", 4: "F16", 5: "BF16"}
        for _ in range(read("I")):
            name, rank = text(), read("B")
            shape = [read("I") for _ in range(rank)]
            kind, size = read("B"), read("I")
            data = file.read(size)
            if kind in kinds:
                raw[name] = to_float(data, kinds[kind]).reshape(shape)
            elif rank > 1 and not name.endswith("alignment_heads"):
                raise ValueError(f"{folder}/model.bin is quantised already; begin with float weights")
    tensors = {}
    for name, value in raw.items():
        for to, part in from_ctranslate2_name(name, value):
            tensors[to] = part
    told = json.loads((folder / "config.json").read_text())
    generation = {"alignment_heads": told.get("alignment_heads")}
    generation["suppress_tokens"] = told.get("suppress_ids")
    generation["begin_suppress_tokens"] = told.get("suppress_ids_begin")
    return Checkpoint(config_of(tensors), tensors, folder, generation=generation)


def from_ctranslate2_name(name, value):
    norm = {"gamma": "weight", "beta": "bias"}
    side, rest = name.split("/", 1)
    if found := re.fullmatch(r"layer_(\d+)/(self_attention|attention|ffn)/layer_norm/(gamma|beta)", rest):
        block = {"self_attention": "self_attn_layer_norm", "attention": "encoder_attn_layer_norm", "ffn": "final_layer_norm"}
        return [(f"model.{side}.layers.{found[1]}.{block[found[2]]}.{norm[found[3]]}", value)]
    if found := re.fullmatch(r"layer_(\d+)/ffn/linear_([01])/(weight|bias)", rest):
        return [(f"model.{side}.layers.{found[1]}.fc{int(found[2]) + 1}.{found[3]}", value)]
    if found := re.fullmatch(r"layer_(\d+)/(self_attention|attention)/linear_(\d)/(weight|bias)", rest):
        block = "self_attn" if found[2] == "self_attention" else "encoder_attn"
        joined = [["q", "k", "v"], ["out"]] if block == "self_attn" else [["q"], ["k", "v"], ["out"]]
        kinds = joined[int(found[3])]
        parts = np.split(value, len(kinds))
        return [(f"model.{side}.layers.{found[1]}.{block}.{k}_proj.{found[4]}", p) for k, p in zip(kinds, parts)]
    if found := re.fullmatch(r"layer_norm/(gamma|beta)", rest):
        return [(f"model.{side}.layer_norm.{norm[found[1]]}", value)]
    if rest == "position_encodings/encodings":
        return [(f"model.{side}.embed_positions.weight", value)]
    if rest == "embeddings/weight":
        return [("model.decoder.embed_tokens.weight", value)]
    if found := re.fullmatch(r"(conv[12])/(weight|bias)", rest):
        return [(f"model.encoder.{found[1]}.{found[2]}", value)]
    return []


def from_openai_names(tensors, heads, vocabulary):
    """ggml keeps the names of openai/whisper."""
    blocks = {
        "attn_ln": "self_attn_layer_norm",
        "cross_attn_ln": "encoder_attn_layer_norm",
        "mlp_ln": "final_layer_norm",
        "mlp.0": "fc1",
        "mlp.2": "fc2",
    }
    kinds = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "out_proj"}
    plain = {
        "positional_embedding": "embed_positions.weight",
        "token_embedding.weight": "embed_tokens.weight",
        "ln_post.weight": "layer_norm.weight",
        "ln_post.bias": "layer_norm.bias",
        "ln.weight": "layer_norm.weight",
        "ln.bias": "layer_norm.bias",
    }
    named = {}
    for name, value in tensors.items():
        side, rest = name.split(".", 1)
        if found := re.fullmatch(r"blocks\.(\d+)\.(cross_attn|attn)\.(query|key|value|out)\.(weight|bias)", rest):
            block = "self_attn" if found[2] == "attn" else "encoder_attn"
            rest = f"layers.{found[1]}.{block}.{kinds[found[3]]}.{found[4]}"
        elif found := re.fullmatch(r"blocks\.(\d+)\.(attn_ln|cross_attn_ln|mlp_ln|mlp\.0|mlp\.2)\.(weight|bias)", rest):
            rest = f"layers.{found[1]}.{blocks[found[2]]}.{found[3]}"
        else:
            rest = plain.get(rest, rest)
        if re.fullmatch(r"conv[12]\.bias", rest):
            value = value.reshape(-1)
        named[f"model.{side}.{rest}"] = value
    return Checkpoint(config_of(named, *heads), named, vocabulary=vocabulary)


def config_of(tensors, encoder_heads=None, decoder_heads=None):
    """What the shapes say. Whisper's heads are all 64 wide."""
    count = lambda side: 1 + max(int(m[1]) for n in tensors if (m := re.match(rf"model\.{side}\.layers\.(\d+)\.", n)))
    width, mels, _ = tensors["model.encoder.conv1.weight"].shape
    vocabulary = tensors["model.decoder.embed_tokens.weight"].shape[0]
    multilingual = vocabulary >= 51865
    end = 50257 if multilingual else 50256
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "activation_function": "gelu",
        "bos_token_id": end,
        "d_model": width,
        "decoder_attention_heads": decoder_heads or width // 64,
        "decoder_ffn_dim": tensors["model.decoder.layers.0.fc1.weight"].shape[0],
        "decoder_layers": count("decoder"),
        "decoder_start_token_id": end + 1,
        "encoder_attention_heads": encoder_heads or width // 64,
        "encoder_ffn_dim": tensors["model.encoder.layers.0.fc1.weight"].shape[0],
        "encoder_layers": count("encoder"),
        "eos_token_id": end,
        "is_encoder_decoder": True,
        "max_source_positions": tensors["model.encoder.embed_positions.weight"].shape[0],
        "max_target_positions": tensors["model.decoder.embed_positions.weight"].shape[0],
        "model_type": "whisper",
        "num_hidden_layers": count("encoder"),
        "num_mel_bins": mels,
        "pad_token_id": end,
        "scale_embedding": False,
        "use_cache": True,
        "vocab_size": vocabulary,
    }

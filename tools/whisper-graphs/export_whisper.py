"""Makes a model folder for StudyMate out of a Whisper checkpoint.

    python export_whisper.py SOURCE FOLDER [--tokenizer FOLDER] [--alignment-heads JSON] [--no-verify]

SOURCE is a folder with config.json and model.safetensors, a folder with CTranslate2's model.bin (faster-whisper), or a ggml
file of whisper.cpp. FOLDER must not be there yet; it comes to be whole or not at all.
"""

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path

import onnx
from checkpoints import read_checkpoint
from decoder_graphs import build_batched_decoder, build_merged_decoder
from encoder_graph import build_encoder
from massive_channels import find_massive_channels
from rotation import rotate_encoder
from tokenizer_files import generation_config, write_tokenizer
from verify import verify

# A file of the format that ONNX is written in can have 2 GB; larger graphs keep their weights in a file beside them.
MOST_BYTES = 1_800_000_000


def write_graph(model, path):
    if model.ByteSize() < MOST_BYTES:
        onnx.save(model, path)
    else:
        onnx.save(model, path, save_as_external_data=True, location=f"{path.name}_data", size_threshold=1024)
        path.with_name(f"{path.name}_data").chmod(path.stat().st_mode)


def without_training(config):
    """The checkpoint's own configuration less what old ones say of decoding: that stands in generation_config.json."""
    dropped = ("forced_decoder_ids", "suppress_tokens", "begin_suppress_tokens", "max_length")
    return {key: value for key, value in config.items() if key not in dropped}


def export(checkpoint, folder, tokenizer_folder=None, alignment_heads=None):
    config, tensors = checkpoint.config, checkpoint.tensors
    if config.get("scale_embedding"):
        raise ValueError("a model with scaled embeddings is not Whisper as it was published")
    tokenizer = write_tokenizer(checkpoint, folder, tokenizer_folder)
    generation = generation_config(checkpoint, tokenizer)
    if alignment_heads is not None:
        generation["alignment_heads"] = alignment_heads
    preprocessor = {
        "chunk_length": 30,
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": config["num_mel_bins"],
        "hop_length": 160,
        "n_fft": 400,
        "n_samples": 480000,
        "nb_max_frames": 3000,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
        "sampling_rate": 16000,
    }
    texts = {"config": without_training(config), "generation_config": generation, "preprocessor_config": preprocessor}
    for name, value in texts.items():
        (folder / f"{name}.json").write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")
    (folder / "onnx").mkdir()
    encoder = build_encoder(rotate_encoder(tensors, config), config, find_massive_channels(checkpoint))
    write_graph(encoder, folder / "onnx/encoder_model_quantized.onnx")
    write_graph(build_merged_decoder(tensors, config), folder / "onnx/decoder_model_merged_quantized.onnx")
    heads = generation["alignment_heads"]
    write_graph(build_batched_decoder(tensors, config, heads), folder / "onnx/decoder_batched_quantized.onnx")


def write_checksums(folder):
    lines = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.relative_to(folder).as_posix()}\n")
    (folder / "SHA256SUMS").write_text("".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path, help="folder whose tokenizer.json is taken")
    parser.add_argument("--alignment-heads", type=json.loads, help="[[layer, head], …]; else what the checkpoint says")
    parser.add_argument("--no-verify", action="store_true", help="do not compare with the checkpoint in floating point")
    options = parser.parse_args()
    if options.folder.exists():
        sys.exit(f"{options.folder} is there already")
    unfinished = options.folder.with_name(f"{options.folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        checkpoint = read_checkpoint(options.source)
        export(checkpoint, unfinished, options.tokenizer, options.alignment_heads)
        if not options.no_verify:
            print(json.dumps(verify(checkpoint, unfinished), indent=2))
        write_checksums(unfinished)
        unfinished.rename(options.folder)
    except ValueError as error:
        sys.exit(f"export_whisper: {error}")
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    main()

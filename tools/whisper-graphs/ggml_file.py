"""whisper.cpp's ggml files: header, mel filters, vocabulary, tensors (models/convert-pt-to-ggml.py writes them)."""

import struct

import numpy as np

MAGIC = 0x67676D6C
BLOCK = 32


def _nibbles(packed):
    """[blocks, 16] bytes → [blocks, 32]: the low halves first, then the high ones."""
    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


def _fifth_bits(bits):
    """[blocks, 4] bytes → [blocks, 32] of 0 or 16."""
    return np.unpackbits(bits, axis=1, bitorder="little").astype(np.float32) * 16


def _halves(raw):
    return raw.copy().view("<f2").astype(np.float32)


def _q4_0(raw):
    return (_nibbles(raw[:, 2:]) - 8) * _halves(raw[:, :2])


def _q4_1(raw):
    return _nibbles(raw[:, 4:]) * _halves(raw[:, :2]) + _halves(raw[:, 2:4])


def _q5_0(raw):
    return (_nibbles(raw[:, 6:]) + _fifth_bits(raw[:, 2:6]) - 16) * _halves(raw[:, :2])


def _q5_1(raw):
    return (_nibbles(raw[:, 8:]) + _fifth_bits(raw[:, 4:8])) * _halves(raw[:, :2]) + _halves(raw[:, 2:4])


def _q8_0(raw):
    return raw[:, 2:].view(np.int8).astype(np.float32) * _halves(raw[:, :2])


# ggml.h, enum ggml_type: bytes a block of 32 numbers, and how they are read.
QUANTISED = {2: (18, _q4_0), 3: (20, _q4_1), 6: (22, _q5_0), 7: (24, _q5_1), 8: (34, _q8_0)}


def read_ggml(path):
    """Tensors by the names of openai/whisper, (encoder heads, decoder heads), and the text tokens as bytes."""
    with path.open("rb") as file:

        def ints(count=1):
            return struct.unpack(f"<{count}i", file.read(4 * count))

        if struct.unpack("<I", file.read(4))[0] != MAGIC:
            raise ValueError(f"{path} is not a ggml file of whisper.cpp")
        _, _, _, encoder_heads, _, _, _, decoder_heads, _, _, _ = ints(11)
        mels, bins = ints(2)
        file.seek(4 * mels * bins, 1)
        vocabulary = [file.read(ints()[0]) for _ in range(ints()[0])]
        tensors = {}
        while head := file.read(12):
            rank, length, kind = struct.unpack("<3i", head)
            shape = list(reversed(ints(rank)))
            name = file.read(length).decode()
            tensors[name] = _read_numbers(file, kind, int(np.prod(shape))).reshape(shape)
    return tensors, (encoder_heads, decoder_heads), vocabulary


def _read_numbers(file, kind, count):
    if kind in (0, 1):
        dtype = "<f4" if kind == 0 else "<f2"
        return np.frombuffer(file.read(count * int(dtype[2])), dtype).astype(np.float32)
    if kind not in QUANTISED:
        raise ValueError(f"tensors of ggml's type {kind} cannot be read")
    size, read = QUANTISED[kind]
    raw = np.frombuffer(file.read(count // BLOCK * size), np.uint8).reshape(-1, size)
    return read(raw).reshape(-1)

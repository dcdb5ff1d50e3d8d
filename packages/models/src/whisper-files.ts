import type { WantedFile } from './hub-download.ts';

const needed = (path: string): WantedFile => ({ path, isNeeded: true });
const welcome = (path: string): WantedFile => ({ path, isNeeded: false });

/** A Whisper model in ONNX, as exports for @huggingface/transformers are laid out. Small files first: they tell early. */
export const whisperFiles: readonly WantedFile[] = [
  needed('config.json'),
  needed('generation_config.json'),
  needed('tokenizer.json'),
  welcome('preprocessor_config.json'),
  welcome('tokenizer_config.json'),
  welcome('special_tokens_map.json'),
  needed('onnx/encoder_model_quantized.onnx'),
  needed('onnx/decoder_model_merged_quantized.onnx'),
  // Of our own exports; preferred where it is there.
  welcome('onnx/decoder_batched_quantized.onnx'),
];

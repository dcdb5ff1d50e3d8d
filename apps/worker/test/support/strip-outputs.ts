/**
 * Makes the usual form of an export out of one that gives more: removes outputs of an ONNX graph by the beginnings of
 * their names. The nodes stay; what nobody asks for is not computed or thrown away. Protocol buffers, of which two
 * messages are read (onnx.proto): ModelProto.graph is field 7, GraphProto.output field 12, ValueInfoProto.name field 1.
 */
export function stripOutputs(model: Buffer, beginnings: readonly string[]): Buffer {
  return rewrite(model, 7, (graph) =>
    rewrite(graph, 12, (output) => {
      const name = readName(output);
      return beginnings.some((beginning) => name.startsWith(beginning)) ? null : output;
    }),
  );
}

/** The message with each field of a number changed, or left out where `change` gives null. */
function rewrite(message: Buffer, number: number, change: (content: Buffer) => Buffer | null): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < message.length) {
    const from = at;
    const [key, contentFrom] = readVarint(message, at);
    const kind = key % 8;
    if (kind === 0) at = readVarint(message, contentFrom)[1];
    else if (kind === 1) at = contentFrom + 8;
    else if (kind === 5) at = contentFrom + 4;
    else {
      const [length, start] = readVarint(message, contentFrom);
      at = start + length;
      if (Math.floor(key / 8) === number) {
        const changed = change(message.subarray(start, at));
        if (changed) parts.push(message.subarray(from, contentFrom), toVarint(changed.length), changed);
        continue;
      }
    }
    parts.push(message.subarray(from, at));
  }
  return Buffer.concat(parts);
}

function readName(valueInfo: Buffer): string {
  let name = '';
  rewrite(valueInfo, 1, (content) => {
    name = content.toString('utf8');
    return content;
  });
  return name;
}

function readVarint(bytes: Buffer, from: number): [value: number, next: number] {
  let value = 0;
  let factor = 1;
  for (let at = from; ; at++) {
    const byte = bytes[at] as number;
    value += (byte % 128) * factor;
    if (byte < 128) return [value, at + 1];
    factor *= 128;
  }
}

function toVarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) + 128);
    left = Math.floor(left / 128);
  }
  return Buffer.from([...bytes, left]);
}

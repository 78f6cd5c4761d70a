// A zip archive without compression, and arrays as numpy keeps them: what a .npz file is made of.

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The CRC-32 of bytes, as zip and PNG want it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRCS[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Join byte arrays into one. */
export function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

const VERSION = 20;
// Names are UTF-8.
const FLAGS = 0x0800;
// The first day a zip archive can name: the same content is the same file on every day.
const DATE = (1 << 5) | 1;

/** An archive of `files`, pairs of name and bytes, as bytes. */
export function zipped(files: Iterable<[name: string, bytes: Uint8Array]>): Uint8Array<ArrayBuffer> {
  const local: Uint8Array[] = [], directory: Uint8Array[] = [];
  let start = 0, count = 0;
  for (const [name, bytes] of files) {
    const path = new TextEncoder().encode(name);
    const about: Field[] = [
      [2, VERSION], [2, FLAGS], [2, 0], [2, 0], [2, DATE], [4, crc32(bytes)],
      [4, bytes.length], [4, bytes.length], [2, path.length], [2, 0],
    ];
    const head = record([[4, 0x04034b50], ...about]);
    local.push(head, path, bytes);
    directory.push(
      record([[4, 0x02014b50], [2, VERSION], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, start]]), path,
    );
    start += head.length + path.length + bytes.length;
    count++;
  }
  const listed = joined(directory);
  const end = record([
    [4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, listed.length], [4, start], [2, 0],
  ]);
  return joined([...local, listed, end]);
}

type Field = [size: 2 | 4, value: number];

/** Numbers of two or four bytes one after the other, the low byte first. */
function record(fields: Field[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((length, [size]) => length + size, 0));
  const view = new DataView(bytes.buffer);
  let place = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(place, value, true);
    else view.setUint32(place, value, true);
    place += size;
  }
  return bytes;
}

type Numbers = Float32Array | Uint32Array | Uint8Array;

const TYPES = new Map<unknown, string>([[Float32Array, "<f4"], [Uint32Array, "<u4"], [Uint8Array, "|u1"]]);

// 1 and 0, a byte each.
const VERSION_1 = 1;

/** An array of `shape` as a .npy file; `bool` says that its bytes are no numbers but yes and no. */
export function npyOf(values: Numbers, shape: number[], bool = false): Uint8Array<ArrayBuffer> {
  const type = bool ? "|b1" : TYPES.get(values.constructor);
  if (!type || values.length !== shape.reduce((product, each) => product * each, 1)) {
    throw new TypeError(`no .npy of ${values.length} ${values.constructor.name} as ${shape}`);
  }
  const dimensions = shape.map((each) => `${each},`).join(" ");
  const words = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  // With the ten bytes before it and a line's end, the header fills whole blocks of 64 bytes.
  const padded = words.padEnd(Math.ceil((words.length + 11) / 64) * 64 - 11) + "\n";
  const encoder = new TextEncoder();
  const magic = Uint8Array.of(0x93, ...encoder.encode("NUMPY"));
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return joined([magic, record([[2, VERSION_1], [2, padded.length]]), encoder.encode(padded), bytes]);
}

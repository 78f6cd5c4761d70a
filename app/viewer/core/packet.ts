// What the server sends once per picture: a safetensors file, read into plain typed arrays.

import type { Inner, Readout, Session } from "../types.ts";

interface Tensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

type Header = Record<string, Tensor>;

/**
 * Read a packet. A picture with fewer pixels than cells counts as one enlarged `lattice` times, so that
 * a pixel names every cell.
 *
 * The file is an 8-byte length, a JSON header of that length, then the tensors; the header's
 * metadata holds what is no tensor. Half-precision projections are widened, for JavaScript has no
 * such numbers.
 */
export function readPacket(buffer: ArrayBuffer): Session {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const about = JSON.parse(header.__metadata__.session);
  if (about.version !== 1) throw new Error(`packet of version ${about.version}`);
  // A packet of version 1 holds each tensor in the one type that `Session` says.
  const tensor = <T>(name: string): T => numbersOf(name) as T;
  const numbersOf = (name: string) => {
    const { dtype, data_offsets: [start, end] } = header[name];
    const bytes = buffer.slice(8 + length + start, 8 + length + end);
    if (bytes.byteLength !== end - start) throw new Error(`tensor ${name} is cut short`);
    if (dtype === "F32") return new Float32Array(bytes);
    if (dtype === "F16") return widened(new Uint16Array(bytes));
    if (dtype === "U8") return new Uint8Array(bytes);
    throw new Error(`tensor ${name} of type ${dtype}`);
  };
  const [workingHeight, workingWidth] = header.working_labels.shape;
  const { height, width, image_height: imageHeight, image_width: imageWidth } = about.grid;
  const n = height * width;
  // So many points each way in a pixel, that every cell has one of its own.
  const lattice = Math.max(1, Math.ceil(height / imageHeight), Math.ceil(width / imageWidth));
  return {
    network: about.network,
    learned: about.thresholds_learned,
    window: about.window,
    half: about.half,
    classes: about.classes,
    palette: about.palette,
    notes: about.notes,
    height, width, n, lattice, workingHeight, workingWidth,
    imageHeight: imageHeight * lattice, imageWidth: imageWidth * lattice,
    depth: header.query.shape[1],
    query: tensor("query"),
    key: header.key ? tensor("key") : null,
    logNormaliser: tensor("log_normaliser"),
    nonlocalScale: tensor("nonlocal_scale"),
    localScale: tensor("local_scale"),
    cellLabels: tensor("cell_labels"),
    workingLabels: tensor("working_labels"),
    // Not of every head is known what it says without attention.
    withoutAttention: header.without_attention ? tensor("without_attention") : null,
    inner: about.inner ? cellsIn(about.inner, about.grid) : null,
    readout: readoutOf(header, about.rectified ?? [], tensor),
    picture: tensor("picture"),
  };
}

/** The cells that hold some of a part of the picture, [left, top, right, bottom] in its pixels. */
function cellsIn(
  [left, top, right, bottom]: [number, number, number, number],
  { height, width, image_height: imageHeight, image_width: imageWidth }: Record<string, number>,
): Inner {
  return {
    pixelsAcross: right - left, pixelsAlong: bottom - top,
    top: Math.floor((top * height) / imageHeight), bottom: Math.ceil((bottom * height) / imageHeight),
    left: Math.floor((left * width) / imageWidth), right: Math.ceil((right * width) / imageWidth),
  };
}

/** Values and layers of a read only network, from which the class of a row follows; null of any other. */
function readoutOf(header: Header, rectified: boolean[], tensor: <T>(name: string) => T): Readout | null {
  if (!header.value) return null;
  const layers = rectified.map((isRectified, k) => ({
    weight: tensor<Float32Array>(`weight_${k}`), bias: tensor<Float32Array>(`bias_${k}`), inputs: header[`weight_${k}`].shape[1], isRectified,
  }));
  return { values: tensor("value"), width: header.value.shape[1], layers };
}

/** Widen half-precision bits to numbers; every one of the 65 536 patterns is looked up. */
function widened(bits: Uint16Array): Float32Array {
  const table = new Float32Array(65536);
  for (let exponent = 0; exponent < 32; exponent++) {
    const power = 2 ** (Math.max(exponent, 1) - 25);
    for (let fraction = 0; fraction < 1024; fraction++) {
      const value = exponent === 31 ? (fraction ? NaN : Infinity) : (fraction + (exponent ? 1024 : 0)) * power;
      const pattern = (exponent << 10) | fraction;
      table[pattern] = value;
      table[pattern | 0x8000] = -value;
    }
  }
  // A plain loop: `from` with a function takes a tenth of a second for a packet.
  const numbers = new Float32Array(bits.length);
  for (let k = 0; k < bits.length; k++) numbers[k] = table[bits[k]];
  return numbers;
}

/** The bytes that stand as base64 in an answer. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

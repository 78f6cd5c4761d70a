// Words inside a PNG file, where image programs find them again.

import { crc32, joined } from "./zip.ts";

// What stands before the first chunk, and that chunk, IHDR, which has to stay the first.
const BEGINNING = 8 + 25;

/** The PNG file `bytes` with `texts` put into it, by PNG's keywords ("Title", "Source"); null is no text. */
export function withTexts(bytes: Uint8Array, texts: Record<string, string | null>): Uint8Array<ArrayBuffer> {
  const chunks = Object.entries(texts).flatMap(([keyword, text]) => (text ? [internationalText(keyword, text)] : []));
  return joined([bytes.subarray(0, BEGINNING), ...chunks, bytes.subarray(BEGINNING)]);
}

/** A chunk of UTF-8 text: keyword, no compression, no language named, no translated keyword. */
function internationalText(keyword: string, text: string): Uint8Array {
  const content = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text.replaceAll("\0", "")}`);
  return joined([bigEndian(content.length - 4), content, bigEndian(crc32(content))]);
}

function bigEndian(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

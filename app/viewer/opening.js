// Another picture: where its packet comes from, and what of the state still fits it.

import { START } from "./state.js";

const REMEMBERED = 4;

/** Packets by picture and network; the last few are kept, for undo and for the saved file. */
export class Packets {
  constructor(host) {
    this.host = host;
    this.known = new Map();
  }

  async get(picture, network) {
    const name = `${picture} ${network}`;
    const buffer = this.known.get(name) ?? (await this.host.packet(picture, network));
    this.known.delete(name);
    this.known.set(name, buffer);
    if (this.known.size > REMEMBERED) this.known.delete(this.known.keys().next().value);
    return buffer;
  }
}

/** The state that a page without a link starts in. */
export function firstState({ gallery, networks }) {
  return { picture: gallery[0].id, network: networks[0].name, query: gallery[0].query ?? START.query };
}

/** The query that the gallery suggests for a picture; none for a picture of one's own. */
export const startOf = ({ gallery }, picture) => gallery.find(({ id }) => id === picture)?.query;

/** The query and the pins, moved onto the picture where they lie beside it. */
export function fitting({ imageWidth, imageHeight }, state, start, atItsStart) {
  const inside = ([x, y]) => x >= 0 && x < imageWidth && y >= 0 && y < imageHeight;
  const middle = [imageWidth >> 1, Math.floor(imageHeight * 0.7)];
  const fallback = start && inside(start) ? start : middle;
  const pins = state.pins.filter(inside);
  return {
    query: atItsStart || !inside(state.query) ? fallback : state.query,
    pins,
    compare: pins.length === state.pins.length ? state.compare : null,
  };
}

// The regions of a segmentation: their outlines, and where a name can stand in them.

/** A closed line along the edge of a region, as x and y in shares of the picture, one after the other. */
export type Loop = Float32Array;

/** A place in a region that is far from its edge, in shares of width and height; `room` is that distance in shares of the width. */
export interface Spot {
  x: number;
  y: number;
  room: number;
}

/** A connected part of the picture that has one class. */
export interface Region {
  label: number;
  /** In shares of the picture. */
  area: number;
  /** The best place for its name first. */
  spots: Spot[];
}

// The directions of an edge: right, down, left, up. Its region lies to the right of it.
const STEP_X = [1, 0, -1, 0], STEP_Y = [0, 1, 0, -1];
// Smaller regions have no name.
const NAMED = 0.012;
const MOST_SPOTS = 3;
// Names are placed on as many pixels as this each way at most.
const COARSE = 240;

/**
 * The outlines of all pixels that have a label. They run through the middles of the pixels' edges, so that
 * a slope is straight.
 */
export function outlineOf(labels: ArrayLike<number>, height: number, width: number, label: number): Loop[] {
  const isIn = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === label;
  const across = width + 1;
  // The edges that start at a corner and were not walked yet, as bits of their directions.
  const edges = new Uint8Array(across * (height + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (labels[y * width + x] !== label) continue;
      if (!isIn(x, y - 1)) edges[y * across + x] |= 1;
      if (!isIn(x + 1, y)) edges[y * across + x + 1] |= 2;
      if (!isIn(x, y + 1)) edges[(y + 1) * across + x + 1] |= 4;
      if (!isIn(x - 1, y)) edges[(y + 1) * across + x] |= 8;
    }
  }
  const loops: Loop[] = [];
  for (let start = 0; start < edges.length; start++) {
    while (edges[start]) loops.push(walked(edges, start, across, width, height));
  }
  return loops;
}

/** Walk once round a region from a corner, and take its edges away. */
function walked(edges: Uint8Array, start: number, across: number, width: number, height: number): Loop {
  const points: number[] = [];
  let at = start, way = 31 - Math.clz32(edges[start] & -edges[start]), run = 0;
  do {
    edges[at] &= ~(1 << way);
    const x = at % across, y = (at - x) / across;
    // Of a straight run the first and the last middle are enough.
    if (run > 1) points.length -= 2;
    points.push((x + STEP_X[way] / 2) / width, (y + STEP_Y[way] / 2) / height);
    at += STEP_X[way] + STEP_Y[way] * across;
    // Right turns are tried first, so that parts that touch at a corner get two outlines.
    const next = [1, 0, 3].map((turn) => (way + turn) % 4).find((each) => edges[at] & (1 << each));
    run = next === way ? run + 1 : 0;
    way = next ?? way;
  } while (at !== start || edges[at] & (1 << way));
  return Float32Array.from(points);
}

/** The connected regions that are large enough for a name, the largest first; `isNamed` says of which labels. */
export function regionsOf(labels: ArrayLike<number>, height: number, width: number, isNamed: (label: number) => boolean): Region[] {
  const step = Math.max(1, Math.ceil(Math.max(height, width) / COARSE));
  const [rows, columns] = [Math.floor(height / step), Math.floor(width / step)];
  const coarse = new Uint8Array(rows * columns);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) coarse[y * columns + x] = labels[(y * step + (step >> 1)) * width + x * step + (step >> 1)];
  const far = distances(coarse, rows, columns);
  const seen = new Uint8Array(coarse.length);
  const regions: Region[] = [];
  for (let start = 0; start < coarse.length; start++) {
    if (seen[start]) continue;
    const pixels = connected(coarse, rows, columns, start, seen);
    const area = pixels.length / coarse.length;
    if (area < NAMED || !isNamed(coarse[start])) continue;
    regions.push({ label: coarse[start], area, spots: spotsOf(pixels, far, rows, columns) });
  }
  return regions.sort((a, b) => b.area - a.area);
}

/** The pixels or cells of one label that are connected with `start` by their sides; they are marked in `seen`. */
export function connected(
  labels: ArrayLike<number>, rows: number, columns: number, start: number, seen = new Uint8Array(rows * columns),
): number[] {
  const pixels = [start];
  seen[start] = 1;
  for (let k = 0; k < pixels.length; k++) {
    const p = pixels[k], x = p % columns;
    const visit = (q: number, isThere: boolean) => {
      if (!isThere || seen[q] || labels[q] !== labels[p]) return;
      seen[q] = 1;
      pixels.push(q);
    };
    visit(p - 1, x > 0);
    visit(p + 1, x < columns - 1);
    visit(p - columns, p >= columns);
    visit(p + columns, p < (rows - 1) * columns);
  }
  return pixels;
}

/** How far every pixel is from another label and from the border, in pixels: straight steps of 1, slanted ones of 4/3. */
function distances(labels: Uint8Array, rows: number, columns: number): Float32Array {
  const far = new Float32Array(labels.length);
  const pass = (from: number, to: number, way: number) => {
    for (let p = from; p !== to; p += way) {
      const x = p % columns, y = (p - x) / columns;
      const over = (dx: number, dy: number, cost: number) => {
        const [nx, ny] = [x + dx, y + dy], q = ny * columns + nx;
        if (nx < 0 || ny < 0 || nx >= columns || ny >= rows || labels[q] !== labels[p]) return cost / 2;
        return far[q] + cost;
      };
      const near = Math.min(over(-way, 0, 1), over(0, -way, 1), over(-way, -way, 4 / 3), over(way, -way, 4 / 3));
      far[p] = way > 0 ? near : Math.min(far[p], near);
    }
  };
  pass(0, far.length, 1);
  pass(far.length - 1, -1, -1);
  return far;
}

/** The place of a region that is farthest from its edge, and others that are not much nearer to it, apart from each other. */
function spotsOf(pixels: number[], far: Float32Array, rows: number, columns: number): Spot[] {
  const spots: Spot[] = [];
  const most = pixels.reduce((best, p) => Math.max(best, far[p]), 0);
  let left = pixels.filter((p) => far[p] >= 0.5 * most);
  while (left.length && spots.length < MOST_SPOTS) {
    const best = left.reduce((a, b) => (far[b] > far[a] ? b : a));
    const x = best % columns, y = Math.floor(best / columns);
    spots.push({ x: (x + 0.5) / columns, y: (y + 0.5) / rows, room: far[best] / columns });
    left = left.filter((p) => Math.hypot((p % columns) - x, Math.floor(p / columns) - y) > 2 * most);
  }
  return spots;
}

// Small sessions to test with: given by their affinities, or random.

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
export function randomness(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const filled = (value, n) => (typeof value === "number" ? new Array(n).fill(value) : value);

const CLASSES = ["sky", "road", "car"];
const COLOURS = [[128, 128, 128], [128, 64, 128], [64, 0, 128]];

/** What every session has beside its projections; an image of 10 x 10 pixels a cell. */
function surroundings({ height, width, labels }) {
  const n = height * width;
  const cellLabels = Uint8Array.from(labels ?? Array.from({ length: n }, (_, i) => i % CLASSES.length));
  return {
    network: "small", learned: true, half: false, window: 3, notes: [],
    classes: CLASSES, palette: COLOURS,
    height, width, n,
    imageHeight: 10 * height, imageWidth: 10 * width, lattice: 1,
    workingHeight: height, workingWidth: width,
    cellLabels, workingLabels: cellLabels.slice(), withoutAttention: cellLabels.slice(), readout: null,
    picture: Uint8Array.of(1, 2, 3),
  };
}

/**
 * A session with exactly these affinities, P[i][j] of query i with key j: the queries are their
 * logarithms, the keys the unit vectors. A scale may be one number for all cells.
 */
export function sessionOf(affinities, { height, width, nonlocalScale = 1, localScale = 1e9, ...more }) {
  const n = affinities.length;
  const key = new Float32Array(n * n);
  for (let j = 0; j < n; j++) key[j * n + j] = 1;
  return {
    ...surroundings({ height, width, ...more }),
    depth: n,
    query: Float32Array.from(affinities.flat(), Math.log),
    key,
    logNormaliser: new Float32Array(n),
    nonlocalScale: Float32Array.from(filled(nonlocalScale, n)),
    localScale: Float32Array.from(filled(localScale, n)),
    ...more,
  };
}

/** A session of random projections; a larger `sharpness` makes few affinities large. */
export function randomSession({ height, width, depth = 5, seed = 1, sharpness = 2, ...more }) {
  const random = randomness(seed);
  const n = height * width;
  const numbers = (count, make) => Float32Array.from({ length: count }, make);
  const query = numbers(n * depth, () => sharpness * (2 * random() - 1));
  const key = numbers(n * depth, () => sharpness * (2 * random() - 1));
  const similarities = (i) => Array.from({ length: n }, (_, j) => {
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += query[i * depth + k] * key[j * depth + k];
    return sum;
  });
  return {
    ...surroundings({ height, width, ...more }),
    depth, query, key,
    logNormaliser: numbers(n, (_, i) => logSumExp(similarities(i))),
    nonlocalScale: numbers(n, () => 0.2 + 1.5 * random()),
    localScale: numbers(n, () => 0.2 + 1.5 * random()),
    ...more,
  };
}

function logSumExp(numbers) {
  const highest = Math.max(...numbers);
  return highest + Math.log(numbers.reduce((sum, each) => sum + Math.exp(each - highest), 0));
}

/** The session as the server would send it: the safetensors file that packet.js reads. */
export function packetOf(session, { half = false, projections = {} } = {}) {
  const { n, depth, height, width, workingHeight, workingWidth } = session;
  const kind = half ? "F16" : "F32";
  const tensors = {
    query: [kind, [n, depth], projections.query ?? session.query],
    key: [kind, [n, depth], projections.key ?? session.key],
    log_normaliser: ["F32", [n], session.logNormaliser],
    nonlocal_scale: ["F32", [n], session.nonlocalScale],
    local_scale: ["F32", [n], session.localScale],
    cell_labels: ["U8", [height, width], session.cellLabels],
    working_labels: ["U8", [workingHeight, workingWidth], session.workingLabels],
    without_attention: ["U8", [workingHeight, workingWidth], session.withoutAttention],
    picture: ["U8", [session.picture.length], session.picture],
  };
  const about = {
    version: 1, network: session.network, thresholds_learned: session.learned, window: session.window,
    grid: { height, width, image_height: session.imageHeight, image_width: session.imageWidth },
    classes: session.classes, palette: session.palette, notes: session.notes, half,
  };
  return fileOf(tensors, { session: JSON.stringify(about) });
}

/** Write a safetensors file: an 8-byte length, a JSON header of that length, the tensors. */
export function fileOf(tensors, metadata) {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, [dtype, shape, values]] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  const words = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + words.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(words.length), true);
  file.set(words, 8);
  for (const [name, [, , values]] of Object.entries(tensors)) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    file.set(bytes, 8 + words.length + header[name].data_offsets[0]);
  }
  return file.buffer;
}

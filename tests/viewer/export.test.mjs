// What is taken along: archives, arrays, tables, figures and the page in one file.

import assert from "node:assert/strict";
import { test } from "node:test";

import { captionLines, fileName, linkOf, manifestOf } from "../../app/viewer/export/metadata.ts";
import { KEPT } from "../../app/viewer/core/attention.ts";
import { TEXT, words } from "../../app/viewer/export/figure_blocks.ts";
import { arraysNpz, neighboursCsv } from "../../app/viewer/export/data_files.ts";
import { withTexts } from "../../app/viewer/export/png.ts";
import { asScript, base64, standalonePage } from "../../app/viewer/export/standalone_page.ts";
import { PANELS } from "../../app/viewer/draw/scenes.ts";
import { tableOf, underPointer } from "../../app/viewer/page/side.ts";
import { number } from "../../app/viewer/core/texts.ts";
import { figureOf } from "../../app/viewer/export/figure.ts";
import { svgSurface } from "../../app/viewer/export/surfaces.ts";
import { SvgContext, cellPaths, escaped } from "../../app/viewer/export/svg.ts";
import { crc32, npyOf, zipped } from "../../app/viewer/export/zip.ts";
import { smallSession, smallViewer } from "./export_moment.mjs";

const bytesOf = (text) => new TextEncoder().encode(text);
const measure = (text, font) => text.length * 0.55 * Number(/([\d.]+)px/.exec(font)[1]);

test("crc32 is that of the standard's check", () => {
  assert.equal(crc32(bytesOf("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
});

test("a zip archive ends with a directory that leads to each file", () => {
  const archive = zipped([["a.txt", bytesOf("one")], ["é.txt", bytesOf("")]]);
  const view = new DataView(archive.buffer);
  const end = archive.length - 22;
  assert.equal(view.getUint32(end, true), 0x06054b50);
  assert.equal(view.getUint16(end + 10, true), 2);
  const [size, start] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  assert.equal(start + size, end);
  assert.equal(view.getUint32(start, true), 0x02014b50);
  assert.equal(view.getUint32(start + 42, true), 0);
  const second = start + 46 + 5;
  const local = view.getUint32(second + 42, true);
  assert.equal(view.getUint32(local, true), 0x04034b50);
  assert.equal(new TextDecoder().decode(archive.subarray(local + 30, local + 36)), "é.txt");
});

test("a .npy header fills blocks of 64 bytes and names type and shape", () => {
  for (const [values, shape, bool, type] of [
    [Float32Array.of(1, 2, 3), [3], false, "<f4"],
    [Uint32Array.of(1, 2, 3, 4), [2, 2], false, "<u4"],
    [Uint8Array.of(0, 1), [1, 2], true, "|b1"],
  ]) {
    const file = npyOf(values, shape, bool);
    const start = 10 + new DataView(file.buffer).getUint16(8, true);
    assert.equal(start % 64, 0);
    const header = new TextDecoder().decode(file.subarray(10, start));
    assert.ok(header.includes(`'descr': '${type}'`) && header.endsWith("\n"));
    assert.equal(file.length - start, values.byteLength);
  }
  assert.throws(() => npyOf(Float32Array.of(1, 2), [3]), TypeError);
  assert.throws(() => npyOf(Float64Array.of(1), [1]), TypeError);
});

test("words in a PNG stand after its first chunk, each under its own check sum", () => {
  const png = new Uint8Array(33 + 12).map((_, k) => k);
  const after = withTexts(png, { Title: "名 – x\0" });
  assert.deepEqual(after.subarray(0, 33), png.subarray(0, 33));
  assert.deepEqual(after.subarray(-12), png.subarray(33));
  const chunk = after.subarray(33, -12);
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  assert.equal(view.getUint32(0), chunk.length - 12);
  assert.equal(view.getUint32(chunk.length - 4), crc32(chunk.subarray(4, -4)));
  assert.equal(new TextDecoder().decode(chunk.subarray(4, -4)), "iTXtTitle\0\0\0\0\0名 – x");
});

test("the table has a line for every key that is kept, and its numbers come back", () => {
  const { moment } = smallViewer();
  const text = neighboursCsv(moment);
  const lines = text.split("\r\n");
  assert.equal(lines.pop(), "");
  assert.equal(lines[0].split(",")[0], "row");
  const { row, session } = moment;
  const kept = [...row.weights.keys()].filter((j) => row.relation[j] & KEPT);
  assert.equal(lines.length - 1, kept.length);
  const strange = lines.find((line) => line.includes('"'));
  assert.ok(strange.includes('"a ""b"", <c>&"'), strange);
  for (const line of lines.slice(1)) {
    const [down, column] = line.split(",").map(Number);
    const [denseTimes, weightTimes, incomingTimes, dense, weight] = line.split(",").slice(-5).map(Number);
    const j = down * session.width + column;
    assert.equal(Math.fround(dense), Math.fround(row.dense[j]));
    assert.equal(Math.fround(weight), row.weights[j]);
    // Times uniform: each by the number of cells.
    const times = [[denseTimes, row.dense], [weightTimes, row.weights], [incomingTimes, row.incoming]];
    for (const [told, weights] of times) assert.ok(Math.abs(told / (session.n * weights[j]) - 1) < 1e-6, line);
  }
});

test("the numbers beside the panels are those of the row, or of the column, in the unit that is named", () => {
  const say = (key) => key;
  const near = (told, value) => assert.ok(Math.abs(Number(told) / value - 1) < 0.006, `${told} for ${value}`);
  const most = (values) => values.reduce((a, b) => Math.max(a, b));
  const { moment } = smallViewer();
  const { row, session: { n } } = moment;
  const table = Object.fromEntries(tableOf(moment, say).map(([key, ...both]) => [key, both]));
  near(table["table.largest"][0], n * most(row.dense));
  near(table["table.largest"][1], n * most(row.weights));
  assert.deepEqual(table["table.cells"], [String(n), String(row.numbers.support)]);
  const back = smallViewer({ patch: { direction: "column" } }).moment;
  const column = Object.fromEntries(tableOf(back, say).map(([key, ...both]) => [key, both]));
  near(column["table.largest"][0], n * most(row.incoming));
  near(column["table.largest"][1], n * most(row.column.weights));
  near(column["table.sum"][1], row.column.weights.reduce((a, b) => a + b));
  assert.ok(!("table.mass" in column));
  const alone = smallViewer({ patch: { whatIf: { nonlocalFactor: 100, localRule: false } } }).moment;
  const empty = Object.fromEntries(tableOf(alone, say).map(([key, ...both]) => [key, both]));
  assert.deepEqual(empty["table.cells"], [String(n), "table.itself"]);
});

test("what is under the pointer is told in multiples of 1/n", () => {
  const viewer = { ...smallViewer(), hovered: 3, say: (key, values) => JSON.stringify(values) };
  const { row, session: { n } } = viewer.moment;
  const told = JSON.parse(underPointer(viewer));
  for (const [name, weights] of Object.entries({ dense: row.dense, sparse: row.weights, incoming: row.incoming })) {
    assert.equal(told[name], number(n * weights[3]), name);
  }
  assert.deepEqual([told.row, told.column], [1, 4]);
});

test("a network without thresholds chooses nothing, and says so in none of its files", () => {
  const viewer = smallViewer({ session: smallSession({ learned: false }) });
  assert.deepEqual(viewer.scenes.neighbours.legend.map(({ key, amount }) => [key, amount]), [["group.all", 15]]);
  const lines = neighboursCsv(viewer.moment).trim().split("\r\n").slice(1);
  assert.ok(lines.length === 15 && lines.every((line) => line.includes(",all,")));
});

test("the table says which rule keeps a key", () => {
  const groups = (whatIf) => {
    const lines = neighboursCsv(smallViewer({ patch: { whatIf } }).moment).trim().split("\r\n").slice(1);
    return new Set(lines.map((line) => line.replace(/"[^"]*(""[^"]*)*"/, "").split(",")[5]));
  };
  assert.ok([...groups({})].every((name) => name === "reciprocal" || name === "local"));
  assert.ok(groups({ reciprocity: false }).has("chosen"));
  assert.deepEqual(groups({ nonlocalFactor: 100, localRule: false }), new Set(["itself"]));
});

test("arrays that are not known are left out, and the manifest lists those that are there", () => {
  const text = (viewer) => new TextDecoder("latin1").decode(arraysNpz(viewer));
  const [with_, without] = [text(smallViewer()), text(smallViewer({ mapped: false }))];
  assert.ok(with_.includes("column_weights.npy") && with_.includes("kept_mass.npy"));
  assert.ok(!without.includes("column_weights") && !without.includes("kept_mass.npy"));
});

test("the manifest tells the query, the what-if and the way back", () => {
  const viewer = smallViewer({ patch: { whatIf: { nonlocalFactor: 1.5, topK: 8 } } });
  const manifest = JSON.parse(JSON.stringify(manifestOf(viewer)));
  const { cell, pixel } = manifest.query;
  assert.deepEqual([cell, pixel], [{ row: 1, column: 2 }, { x: 50, y: 30 }]);
  assert.equal(manifest.query.class, 'a "b", <c>&');
  assert.equal(manifest.what_if.changed, true);
  assert.equal(manifest.what_if.top_k, 8);
  assert.ok(manifest.link.includes("t1=1.5"));
  assert.equal(manifest.grid.image_width, 99);
  viewer.opened = { ...viewer.opened, picture: "upload:1" };
  assert.equal(linkOf(viewer), null);
  assert.equal(manifestOf(viewer).picture, null);
});

test("a caption names the query and its class, and a what-if as one", () => {
  const plain = captionLines(smallViewer(), PANELS).join("\n");
  for (const part of ["row 2, column 3", "pixel 50, 30", 'on a "b"']) {
    assert.ok(plain.includes(part), part);
  }
  assert.ok(!plain.includes("What if"));
  const whatIf = { nonlocalFactor: 2, reciprocity: false, localRule: false, window: 5 };
  const words = "non-local thresholds × 2.00, reciprocity off, local rule off, window 5 × 5";
  const changed = captionLines(smallViewer({ patch: { whatIf } }), PANELS).join("\n");
  assert.ok(changed.includes(`not the trained network: ${words}.`));
  const patch = { language: "zh-TW", scale: "log", zoom: [2, 0, 0] };
  const chinese = captionLines(smallViewer({ patch }), PANELS).join("\n");
  assert.ok(chinese.includes("查詢") && chinese.includes("對數") && !chinese.includes("export."));
});

test("a caption speaks of a scale only where there is one, and of two rows only beside one of them", () => {
  const lastLine = (names) => captionLines(smallViewer({ patch: { scale: "linear" } }), names).at(-1);
  const own = "Linear colour scale; that of the A-RNN row is logarithmic, over the weights that are kept.";
  assert.equal(lastLine(["dense"]), own);
  const shared = captionLines(smallViewer({ patch: { scale: "linear", shared: true } }), ["dense"]).at(-1);
  assert.equal(shared, "Linear colour scale, one for both rows.");
  assert.equal(lastLine(["map"]), "Linear colour scale.");
  assert.ok(lastLine(["photo"]).startsWith("Query: "));
});

test("a query that has moved on is told by its cell's centre", () => {
  const line = captionLines(smallViewer({ patch: { query: [0, 0] } }), PANELS)[0];
  assert.ok(line.includes("row 2, column 3 (pixel 49, 30)"), line);
});

test("a file's name is one in every file system", () => {
  const viewer = smallViewer();
  assert.equal(fileName(viewer, "dense", "png"), "asa-viz_leuven_lane_r2c3_dense.png");
  viewer.opened = { picture: "upload:2/../x", network: "" };
  assert.equal(fileName(viewer, "", "npz"), "asa-viz_upload-2-..-x_r2c3.npz");
});

/** Throws where a text is no well-formed XML; returns how often each element stands in it. */
function elementsOf(xml) {
  const open = [], counts = {};
  const tags = /<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g;
  const rest = xml.replace(/<\?xml[^>]*\?>/, "").replace(tags,
    (_, closing, name, attributes, empty) => {
      if (closing) assert.equal(open.pop(), name);
      else {
        counts[name] = (counts[name] ?? 0) + 1;
        const names = [...attributes.matchAll(/\s([\w:-]+)="/g)].map((each) => each[1]);
        assert.equal(new Set(names).size, names.length, attributes);
        if (!empty) open.push(name);
      }
      return "";
    });
  assert.deepEqual(open, []);
  assert.ok(!/[<>]|&(?!amp;|lt;|gt;|quot;)/.test(rest), rest.match(/.{0,30}[<>&].{0,30}/)?.[0]);
  return counts;
}

function svgOf(viewer, names) {
  const sheet = figureOf(viewer, names, measure);
  const picture = { href: "data:image/png;base64,AA==", width: 99, height: 61 };
  const surface = svgSurface({ bitmap: picture, faint: { ...picture }, width: 99, height: 61 });
  sheet.draw(surface);
  const about = { title: sheet.title, description: sheet.lines.join("\n"), metadata: "{}", language: "en" };
  return surface.context.file(sheet.width, sheet.height, about);
}

const VIEWS = {
  "as trained": {},
  "a network without thresholds": { session: smallSession({ learned: false }) },
  "before the maps are there": { mapped: false, patch: { direction: "column", map: "kept" } },
  "a what-if": { patch: { whatIf: { reciprocity: false, topK: 8 }, layer: "groups", map: "support" } },
  "two pins compared": { patch: { pins: [[1, 1], [90, 50]], compare: [0, 1], zoom: [2, 0.1, 0.2] } },
  "a logarithmic scale in Chinese": {
    patch: { scale: "log", shared: false, language: "zh-TW", layer: "flips" },
  },
};
for (const [name, view] of Object.entries(VIEWS)) {
  test(`SVG is well-formed and says nothing without words: ${name}`, () => {
    const svg = svgOf(smallViewer(view), PANELS);
    const counts = elementsOf(svg);
    assert.equal(counts.image, 2);
    assert.equal(counts.use, 6);
    assert.equal(svg.match(/.{0,40}(undefined|NaN|Infinity|\{\w+\}|export\.).{0,20}/)?.[0], undefined);
    for (const panel of PANELS) elementsOf(svgOf(smallViewer(view), [panel]));
  });
}

test("a figure of one panel holds its title, its unit, its ticks and its threshold", () => {
  const viewer = smallViewer();
  const svg = svgOf(viewer, ["dense"]);
  const { bar } = viewer.scenes.dense;
  const said = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((each) => each[1]);
  const ticks = bar.scale.ticks().map((tick) => `${+tick.toPrecision(6)}`);
  for (const text of ["Lane in Leuven", "ASA, small", "Dense row", "× 1/n", ...ticks]) {
    assert.ok(said.some((each) => each.includes(text)), text);
  }
  assert.ok(said.some((each) => each.startsWith("threshold ")));
  assert.ok(svg.includes('fill="#d55e00"'));
});

test("cells become rectangles of their colours, runs together, nothing for what is transparent", () => {
  const [red, blue] = [0xff0000ff, 0xffff0000];
  const pixels = Uint32Array.of(red, red, 0, blue, red, red);
  const paths = cellPaths({ pixels, height: 2, width: 3 }).split("\n");
  assert.deepEqual(paths, [
    '<path fill="#ff0000" d="M0 0h2v1h-2zM1 1h2v1h-2z"/>',
    '<path fill="#0000ff" d="M0 1h1v1h-1z"/>',
  ]);
});

test("cells in SVG have the colours the panels show, cell by cell", () => {
  const { scenes, session } = smallViewer();
  const painted = new Map();
  for (const [, colour, path] of cellPaths(scenes.dense.cells).matchAll(/fill="(#\w+)" d="([^"]+)"/g)) {
    for (const [, col, row, run] of path.matchAll(/M(\d+) (\d+)h(\d+)v1/g)) {
      for (let k = 0; k < run; k++) painted.set(row * session.width + +col + k, colour);
    }
  }
  assert.equal(painted.size, session.n);
  for (const [cell, colour] of painted) {
    const pixel = scenes.dense.cells.pixels[cell];
    const bytes = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
    assert.equal(colour, `#${bytes.map((each) => each.toString(16).padStart(2, "0")).join("")}`);
  }
});

test("colours of CSS become what every reader of SVG knows", () => {
  const context = new SvgContext();
  context.fillStyle = "rgb(1 2 255)";
  context.fillRect(0, 0, 1, 1);
  context.strokeStyle = "rgba(255,255,255,0.5)";
  context.stroke();
  assert.ok(context.parts[0].includes('fill="#0102ff"'));
  assert.ok(context.parts[1].includes('stroke="#ffffff" stroke-opacity="0.5"'));
});

test("what SVG does not know of a canvas is an error", () => {
  const context = new SvgContext();
  assert.throws(() => context.setTransform(2, 0, 0, 2, 0, 0));
  assert.throws(() => { context.shadowBlur = 3; }, TypeError);
});

test("text that no XML can hold is left out", () => {
  assert.equal(escaped("a\0\u0007<b>\ud800&\"\uffff名😀"), "a&lt;b&gt;&amp;&quot;名😀");
});

test("long words and Chinese without spaces stay within their width", () => {
  for (const text of ["word ".repeat(60), "unbroken".repeat(60), "语义分割网络中的每个像素（查询）。".repeat(12)]) {
    const lines = [];
    const context = { fillText: (line) => lines.push(line) };
    const block = words(text, 200, measure);
    block.draw({ context }, 0, 0);
    assert.equal(block.height, 16 * lines.length);
    assert.ok(lines.length > 3);
    for (const line of lines) {
      assert.ok(measure(line, TEXT) <= 200, line);
      assert.ok(!/^[。）]|（$/.test(line), line);
    }
    assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  }
});

test("the saved page ends no script early and lets nothing be asked for", () => {
  const program = 'function asaViz() { return "</script><!-- <script>"; }';
  const lesson = 'function asaLesson() { return "</script><script>"; }';
  const packet = Uint8Array.from({ length: 100_000 }, (_, k) => (k * 7) & 255).buffer;
  const state = { ...smallViewer().state, layer: "flips", lesson: 3 };
  const page = standalonePage({ program, lesson, packet, title: "</script><b>", networkTitle: "x", state, words: { only: "these" } });
  assert.ok(page.includes('"words":{"only":"these"}'));
  assert.equal(page.match(/<script/g).length, 3);
  assert.equal(page.match(/<\/script>/g).length, 3);
  assert.ok(page.includes("default-src 'none'"));
  assert.ok(!/lesson=|layer=flips|https?:/.test(page));
  const [, text] = /type="text\/plain">([^<]*)</.exec(page);
  assert.deepEqual(Buffer.from(text, "base64"), Buffer.from(packet));
});

test("guarded source means the same", () => {
  const source = 'const a = "</SCRIPT>", b = /<!--/.test("<!--"), c = `<script>`; return [a, b, c];';
  assert.ok(!/<\/script|<!--|<script/i.test(asScript(source)));
  assert.deepEqual(new Function(asScript(source))(), ["</SCRIPT>", true, "<script>"]);
});

test("base64 holds at the borders of its pieces", () => {
  for (const length of [0, 1, 2, 3, 0x5fff, 0x6000, 0x6001]) {
    const bytes = Uint8Array.from({ length }, (_, k) => k & 255);
    assert.equal(base64(bytes), Buffer.from(bytes).toString("base64"));
  }
});

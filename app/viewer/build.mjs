// Builds the viewer into one function, `asaViz(role, given)`, in viewer.js, the lesson into another,
// `asaLesson(viewer, seen)`, in lesson.js, and what makes an MCP app of them into a third, `asaMcp(given)`,
// in mcp.js; all in built/ or the folder that is named.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Style sheets and HTML as texts without the spaces that only people need. */
const texts = {
  name: "texts",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, charset: "utf8" });
      return { contents: code.trim(), loader: "text" };
    });
    onLoad({ filter: /\.html$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      return { contents: source.replace(/^\s+|\n\s*$/gm, ""), loader: "text" };
    });
  },
};

/** Build a file of which the source text is one function. */
const buildFunction = (entry, file, head, result) => build({
  entryPoints: [here(entry)],
  outfile: join(argv[2] ?? here("built"), file),
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  format: "iife",
  globalName: "exported",
  // The source text of these functions starts the worker, and goes into a saved file.
  banner: { js: `${head}{"use strict";` },
  footer: { js: `return exported${result}}` },
  plugins: [texts],
  // The same program runs in a worker, where the usual build of lit finds no document.
  platform: "neutral",
  // `</script` never stands in it as it is: the program stands in an attribute and in saved pages.
  supported: { "inline-script": true },
  conditions: ["node"],
});

await buildFunction("page/main.ts", "viewer.js", "function asaViz(role,given)", "[role](given)");
// What both need, as lit, stands in both: it is small.
await buildFunction("lesson/main.ts", "lesson.js", "function asaLesson(viewer,seen)", ".start(viewer,seen)");
await buildFunction("mcp/main.ts", "mcp.js", "function asaMcp(given)", ".start(given)");

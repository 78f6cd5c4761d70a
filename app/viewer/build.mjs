// Builds the viewer into one function, `asaViz(role, given)`, in built/viewer.js or the file that is named.

import { readFile } from "node:fs/promises";
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

await build({
  entryPoints: [here("page/main.ts")],
  outfile: argv[2] ?? here("built/viewer.js"),
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  format: "iife",
  globalName: "roles",
  // The source text of this function starts the worker, and goes into a saved file.
  banner: { js: 'function asaViz(role,given){"use strict";' },
  footer: { js: "return roles[role](given)}" },
  plugins: [texts],
  // The same program runs in a worker, where the usual build of lit finds no document.
  platform: "neutral",
  // `</script` never stands in it as it is: the program stands in an attribute and in saved pages.
  supported: { "inline-script": true },
  conditions: ["node"],
});

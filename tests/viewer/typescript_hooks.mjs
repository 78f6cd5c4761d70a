// Hands TypeScript to Node.js without its types, as the build does.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { transform } from "esbuild";

export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const source = await readFile(fileURLToPath(url), "utf8");
  const { code } = await transform(source, { loader: "ts", target: "es2022", sourcefile: url, sourcemap: "inline" });
  return { format: "module", source: code, shortCircuit: true };
}

// Lets Node.js import the viewer's modules: `node --import typescript.mjs`.

import { register } from "node:module";

register("./typescript_hooks.mjs", import.meta.url);

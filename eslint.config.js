import js from "@eslint/js";
import globals from "globals";
import typescript from "typescript-eslint";

export default [
  { ignores: ["app/viewer/built/"] },
  js.configs.recommended,
  ...typescript.configs.recommended,
  { files: ["app/viewer/**/*.{js,ts}"], languageOptions: { globals: globals.browser } },
  { files: ["**/*.mjs"], languageOptions: { globals: globals.node } },
  {
    rules: {
      eqeqeq: "error",
      "no-duplicate-imports": "error",
      "no-var": "error",
      "no-control-regex": "off",
      "prefer-const": ["error", { destructuring: "all" }],
      // `condition ? act() : other()` stands for two lines of if and else.
      "@typescript-eslint/no-unused-expressions": ["error", { allowTernary: true }],
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
    },
  },
];

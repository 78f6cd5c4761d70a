// One colour for each idea, wherever it is shown: on canvases, in charts, in the table, in words.

export type Idea = "dense" | "kept" | "chosen" | "refused" | "choosing" | "local" | "threshold";

interface Colours {
  /** On canvases and in bars, on any page: of Okabe and Ito's set, told apart with every kind of colour vision. */
  fill: string;
  /** In words, on the light and on the dark page. */
  light: string;
  dark: string;
}

export const IDEAS: Readonly<Record<Idea, Colours>> = {
  // All that a query reads without a threshold.
  dense: { fill: "#0072b2", light: "#0069a6", dark: "#6db9f2" },
  // The query chooses a cell; whether it is chosen back has not been asked.
  chosen: { fill: "#f0e442", light: "#6f6400", dark: "#f0e442" },
  // Both choose each other.
  kept: { fill: "#009e73", light: "#007a58", dark: "#2cc298" },
  // The query chooses a cell that does not choose it.
  refused: { fill: "#e69f00", light: "#8a5a00", dark: "#f0b429" },
  // A cell chooses the query, which does not choose it.
  choosing: { fill: "#56b4e9", light: "#1a6f9e", dark: "#7cc8f2" },
  // Kept by the local rule alone.
  local: { fill: "#cc79a7", light: "#9c3f73", dark: "#e39bc3" },
  threshold: { fill: "#d55e00", light: "#b04a00", dark: "#ff8a3d" },
};

/** The colours as CSS variables: `--kept` is the fill and `--kept-ink` the word, for every idea. */
export function ideaStyle(): string {
  const all = Object.entries(IDEAS);
  const fills = all.map(([name, { fill }]) => `--${name}:${fill};`).join("");
  const inks = (page: "light" | "dark") => all.map(([name, colours]) => `--${name}-ink:${colours[page]};`).join("");
  const words = all.map(([name]) => `.asa .idea-${name}{color:var(--${name}-ink)}`).join("");
  return `.asa{${fills}${inks("light")}}.dark .asa{${inks("dark")}}${words}`;
}

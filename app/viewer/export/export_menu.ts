// The export menu: figures, numbers, and the whole viewer as one file.

import { fileName, linkOf, manifestOf, networkTitle, titleOf } from "./metadata.ts";
import { looksOf } from "../page/captions.ts";
import { make } from "../page/dom.ts";
import { photographOf } from "../page/host.ts";
import { arraysNpz, neighboursCsv } from "./data_files.ts";
import { connectLink } from "../page/link.ts";
import { openAndClose } from "../page/menu.ts";
import { withTexts } from "./png.ts";
import { standalonePage } from "./standalone_page.ts";
import { PANELS } from "../draw/scenes.ts";
import { figureOf } from "./figure.ts";
import type { Described, ExportViewer } from "./export_types.ts";
import { canvasSurface, embedded, measurer, svgSurface } from "./surfaces.ts";

const DENSITY = 2;
// How long a browser may take to begin reading what it saves.
const KEPT = 60_000;

/** The viewer once something is shown. */
type Ready = ExportViewer & Described & { picture: NonNullable<ExportViewer["picture"]> };
interface Made {
  parts: BlobPart[];
  type: string;
  name: string;
}

const MAKERS: Record<string, (viewer: Ready, names: string[]) => Made | Promise<Made>> = { png: pngFile, svg: svgFile, csv: csvFile, npz: npzFile, html: htmlFile };

/** Fill the export menu, and let its button and the link's button work. */
export function connectExport(viewer: ExportViewer): void {
  const button = viewer.find('[data-do="export"]'), menu = viewer.find('[data-menu="export"]');
  const panels = make("select");
  for (const name of ["all", ...PANELS]) panels.append(Object.assign(make("option"), { value: name }));
  const label = make("label");
  label.append(make("span", "", { text: "export.panels" }), " ", panels);
  menu.append(
    group("export.pictures", label, choice("png"), choice("svg")),
    group("export.numbers", choice("csv"), choice("npz")),
    group("export.page", choice("html")),
  );
  menu.addEventListener("click", ({ target }) => {
    const { save } = (target as HTMLElement).closest<HTMLElement>("[data-save]")?.dataset ?? {};
    if (save) saveAs(viewer, save, panels.value === "all" ? PANELS : [panels.value]);
  });
  openAndClose(button, menu, () => nameOptions(viewer, panels));
  viewer.element.addEventListener("asa:language", () => nameOptions(viewer, panels));
  connectLink(viewer);
}

function group(key: string, ...parts: HTMLElement[]): HTMLElement {
  const box = make("fieldset");
  box.append(make("legend", "", { text: key }), ...parts);
  return box;
}

function choice(format: string): HTMLElement {
  const button = make("button", "", { save: format });
  button.type = "button";
  const [name, what] = [`export.${format}`, `export.${format}.what`];
  button.append(make("b", "", { text: name }), " ", make("span", "", { text: what }));
  return button;
}

/** Call the panels by what they show now. */
function nameOptions(viewer: ExportViewer, panels: HTMLSelectElement): void {
  for (const option of panels.options) {
    const title = viewer.scenes?.[option.value]?.title ?? "export.all_panels";
    option.textContent = viewer.say(title);
  }
}

/** Make a file and save it; the status line says how it went. */
async function saveAs(viewer: ExportViewer, format: string, names: string[]): Promise<void> {
  if (!viewer.moment) return viewer.status(viewer.say("export.too_early"));
  viewer.status(viewer.say("export.making"));
  try {
    const { parts, type, name } = await MAKERS[format](viewer as Ready, names);
    download(new Blob(parts, { type }), name);
    viewer.status(viewer.say("export.saved", { file: name }));
  } catch (error) {
    console.warn(error);
    viewer.status(viewer.say("export.failed"));
  }
}

function download(blob: Blob, name: string): void {
  const link = make("a");
  const url = URL.createObjectURL(blob);
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

const partOf = (names: string[]) => (names.length > 1 ? "panels" : names[0]);

async function pngFile(viewer: Ready, names: string[]): Promise<Made> {
  const { language } = viewer.texts;
  const figure = figureOf(viewer, names, measurer(language));
  const surface = canvasSurface(figure, viewer.picture, DENSITY, language);
  figure.draw(surface);
  const about = {
    Title: figure.title,
    Description: figure.lines.join("\n"),
    Source: linkOf(viewer),
    Comment: JSON.stringify(manifestOf(viewer)),
  };
  const name = fileName(viewer, partOf(names), "png");
  const blob = await new Promise<Blob | null>((resolve) => surface.canvas.toBlob(resolve));
  if (!blob) throw new Error("the browser makes no PNG of this size");
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { parts: [withTexts(bytes, about)], type: "image/png", name };
}

function svgFile(viewer: Ready, names: string[]): Made {
  const { language } = viewer.texts;
  const figure = figureOf(viewer, names, measurer(language));
  const surface = svgSurface(embedded(viewer.picture));
  figure.draw(surface);
  const about = {
    title: figure.title,
    description: [...figure.lines, linkOf(viewer)].filter(Boolean).join("\n"),
    metadata: JSON.stringify(manifestOf(viewer)),
    language,
  };
  const text = surface.context.file(figure.width, figure.height, about);
  return { parts: [text], type: "image/svg+xml", name: fileName(viewer, partOf(names), "svg") };
}

function csvFile(viewer: Ready): Made {
  const name = fileName(viewer, "neighbours", "csv");
  return { parts: [neighboursCsv(viewer.moment)], type: "text/csv", name };
}

function npzFile(viewer: Ready): Made {
  return { parts: [arraysNpz(viewer)], type: "application/zip", name: fileName(viewer, "", "npz") };
}

async function htmlFile(viewer: Ready): Promise<Made> {
  const { host, opened, packets, state, texts } = viewer;
  await texts.learn("lesson", (...asked) => host.words(...asked));
  const page = standalonePage({
    program: String(host.program),
    lesson: String(await host.lesson()),
    packet: await packets.get(opened.picture, opened.network),
    title: titleOf(viewer),
    networkTitle: networkTitle(viewer),
    state: { ...state, ...opened },
    words: texts.words,
    looks: looksOf(viewer),
    credit: photographOf(viewer)?.credit,
  });
  return { parts: [page], type: "text/html", name: fileName(viewer, "", "html") };
}

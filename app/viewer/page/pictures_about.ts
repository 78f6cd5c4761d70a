// What there is to say of the open picture: how it was taken in, and whether the network knows such pictures.

import { html, nothing, render } from "lit/html.js";
import { percent } from "../core/texts.ts";
import { isUpload } from "../core/state.ts";
import type { Host } from "../core/host_types.ts";
import type { Opened, Session, State } from "../types.ts";

// From this share of background on the page says that nothing was found.
const EMPTY = 0.995;

/** What is needed of the viewer. */
interface Described {
  element: HTMLElement;
  host: Host;
  session: Session | null;
  state: State;
  opened?: Opened | null;
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
}

/** Show it over the panels, until the visitor closes it. */
export function connectAbout(viewer: Described): void {
  const place = document.createElement("div");
  place.className = "about";
  viewer.find(".panels").before(place);
  let closed = "";

  async function show(): Promise<void> {
    const { session, opened } = viewer;
    if (!session || !opened) return;
    const name = `${opened.picture} ${opened.network}`;
    const say: Described["say"] = (key, values) => viewer.say(key, values);
    const warning = farFrom(session, viewer.host, say);
    const lines = [...warning, ...(await takenIn(session, opened.picture, viewer.host, say))];
    if (session !== viewer.session) return;
    const close = () => {
      closed = name;
      viewer.find<HTMLElement>('[data-panel="photo"] canvas').focus();
      show();
    };
    render(!lines.length || closed === name ? nothing : html`
      <div role="note" aria-label=${say("about.label")} class=${warning.length ? "far" : ""}>
        ${lines.map((line) => html`<p>${line}</p>`)}
        <button type="button" aria-label=${say("about.close")} @click=${close}>×</button>
      </div>`, place);
  }
  for (const event of ["asa:opened", "asa:language"]) viewer.element.addEventListener(event, show);
}

/** Whether the network knows such pictures, where it does not. */
function farFrom({ survey, classes, cellLabels, network }: Session, { networks }: Host, say: Described["say"]): string[] {
  const sureness = survey?.sureness ?? null;
  const sure = networks.find(({ name }) => name === network)?.sure ?? 0;
  if (sureness !== null && sureness < sure) return [say("about.unsure", { share: percent(sureness) })];
  const background = classes.indexOf("background");
  const share = cellLabels.reduce((count, label) => count + Number(label === background), 0) / cellLabels.length;
  return share >= EMPTY ? [say("about.nothing", { share: percent(share) })] : [];
}

/** How a picture of one's own was taken in. */
async function takenIn({ notes }: Session, picture: string, host: Host, say: Described["say"]): Promise<string[]> {
  if (!isUpload(picture)) return [];
  const own = (await host.own?.())?.find(({ id }) => id === picture);
  const [width, height] = own?.from ?? [];
  return [...(own?.from ? [say("about.reduced", { width, height })] : []), ...notes.map((each) => say(`picture.${each}`))];
}

// The visitor's own pictures beside the gallery, and the classes that the network knows.

import { html, nothing, render } from "lit/html.js";
import type { Texts } from "../core/texts.ts";
import type { Host } from "../core/host_types.ts";
import type { Session, State } from "../types.ts";

interface Choosing {
  element: HTMLElement;
  host: Host;
  session: Session | null;
  state: State;
  texts: Texts;
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
  choose(picture: string): void;
}

/** Show what this browser keeps as thumbnails, and let all of it be forgotten. */
export function connectOwn(viewer: Choosing): void {
  const { host, element } = viewer;
  const say: Choosing["say"] = (key, values) => viewer.say(key, values);
  if (!host.own) return;
  const place = viewer.find(".gallery").appendChild(document.createElement("div"));
  place.className = "own";
  const urls = new Map<string, string>();
  let shown: string[] = [];

  function show(): void {
    const { picture } = viewer.state;
    const thumbnail = (id: string, k: number) => html`<button type="button" class="thumbnail" data-picture=${id}
      title=${say("choose.own", { number: k + 1 })} aria-label=${say("choose.own", { number: k + 1 })}
      aria-pressed=${String(id === picture)} @click=${() => viewer.choose(id)}><img src=${urls.get(id) ?? ""} alt=""></button>`;
    render(shown.length ? html`${shown.map(thumbnail)}
      <button type="button" class="forget" title=${say("choose.forget.title")} @click=${forget}>${say("choose.forget")}</button>` : nothing, place);
    render(knownClasses(viewer), viewer.find(".knows"));
  }

  async function load(): Promise<void> {
    const own = (await host.own?.()) ?? [];
    for (const { id, file } of own) if (!urls.has(id)) urls.set(id, URL.createObjectURL(file));
    shown = own.map(({ id }) => id);
    show();
  }

  async function forget(): Promise<void> {
    await host.forget?.();
    for (const url of urls.values()) URL.revokeObjectURL(url);
    urls.clear();
    // The button is gone; the focus stays beside where it was.
    viewer.find<HTMLInputElement>(".open input").focus();
    if (shown.includes(viewer.state.picture ?? "")) viewer.choose(host.gallery[0].id);
    await load();
  }

  // They have their place before a picture comes.
  void load();
  element.addEventListener("asa:opened", load);
  element.addEventListener("asa:language", show);
}

/** What the open network can name, to be unfolded: it is there before a picture of one's own is chosen. */
function knownClasses({ session, texts }: Choosing) {
  if (!session) return nothing;
  const names = session.classes.map((each) => texts.className(each));
  return html`<details><summary>${texts.say("choose.knows", { count: names.length })}</summary>
    <p>${texts.say("choose.knows.all", { names: names.join(texts.say("list.comma")) })}</p></details>`;
}

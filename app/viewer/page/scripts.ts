// Scripts that the page's own server sends when they are first needed.

import { make } from "./dom.ts";

const loading = new Map<string, Promise<void>>();

/** Load a script once; one that could not be loaded is loaded again at the next call. */
export function loadScript(url: string): Promise<void> {
  const known = loading.get(url);
  if (known) return known;
  const loaded = new Promise<void>((resolve, reject) => {
    const script = make("script");
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => {
      loading.delete(url);
      script.remove();
      reject(new Error(url));
    };
    document.head.append(script);
  });
  loading.set(url, loaded);
  return loaded;
}

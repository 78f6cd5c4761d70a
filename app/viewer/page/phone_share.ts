// The share sheet of a phone; where there is none the link is copied.

interface Shared {
  find<T extends HTMLElement>(selector: string): T;
  say(key: string, values?: Record<string, unknown>): string;
  status(text: string): void;
  link(): { url: string; upload: boolean };
}

/** Hand the link to what is shown to the phone's own share sheet. */
export async function share(viewer: Shared): Promise<void> {
  const { url, upload } = viewer.link();
  if (!navigator.share) return viewer.find('[data-do="link"]').click();
  try {
    await navigator.share({ title: viewer.say("app.title"), text: viewer.find(".sentence").textContent ?? "", url });
    if (upload) viewer.status(viewer.say("phone.without_upload"));
  } catch (error) {
    // The visitor closed the share sheet.
    if ((error as Error).name !== "AbortError") viewer.find('[data-do="link"]').click();
  }
}

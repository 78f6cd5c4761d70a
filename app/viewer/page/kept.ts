// Pictures of the visitor's own, in this browser's own store, so that a reload finds them again.

// How many pictures are kept: the newest ones.
const MOST = 6;

/** A picture that is kept: the file that was sent, and the size that it had before it was made smaller. */
export interface Kept {
  file: Blob;
  from: [width: number, height: number] | null;
}

/** Keep a picture under `id`; says whether the browser does. */
export async function keep(id: string, picture: Kept): Promise<boolean> {
  const done = await inStore("readwrite", (store) => {
    store.put(picture, id);
    const names = store.getAllKeys();
    names.onsuccess = () => names.result.slice(0, -MOST).forEach((each) => store.delete(each));
    return names;
  });
  return Boolean(done);
}

/** The picture that is kept under `id`, or nothing. */
export async function kept(id: string): Promise<Kept | undefined> {
  const found = await inStore("readonly", (store) => store.get(id) as IDBRequest<Kept | Blob | undefined>);
  return found && asKept(found);
}

/** All pictures that are kept, the oldest first. */
export async function allKept(): Promise<(Kept & { id: string })[]> {
  const names = await inStore("readonly", (store) => store.getAllKeys());
  const found = await inStore("readonly", (store) => store.getAll() as IDBRequest<(Kept | Blob)[]>);
  return (found ?? []).map((each, k) => ({ id: String(names?.[k]), ...asKept(each) }));
}

/** Keep a picture no longer, or none of them. */
export async function forget(id?: string): Promise<void> {
  await inStore("readwrite", (store) => (id === undefined ? store.clear() : store.delete(id)));
}

// The store held bare files before.
const asKept = (found: Kept | Blob): Kept => (found instanceof Blob ? { file: found, from: null } : found);

/** The result of a request; undefined where the browser keeps nothing, as in many private windows. */
async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
  try {
    const opening = indexedDB.open("asa-viz", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("pictures");
    const base = await new Promise<IDBDatabase>((resolve, reject) => {
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = opening.onblocked = () => reject(opening.error);
    });
    try {
      const transaction = base.transaction("pictures", mode);
      const request = act(transaction.objectStore("pictures"));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      });
      return request.result;
    } finally {
      base.close();
    }
  } catch {
    return undefined;
  }
}

// Pictures of the visitor's own, in this browser's own store, so that a reload finds them again.

// The newest ones; others make room.
const MOST = 6;

/** Keep a file under `id`; says whether the browser does. */
export async function keep(id: string, file: Blob): Promise<boolean> {
  const done = await inStore("readwrite", (store) => {
    store.put(file, id);
    const names = store.getAllKeys();
    names.onsuccess = () => names.result.slice(0, -MOST).forEach((each) => store.delete(each));
    return names;
  });
  return Boolean(done);
}

/** The file that is kept under `id`, or nothing. */
export const kept = (id: string): Promise<Blob | undefined> => inStore("readonly", (store) => store.get(id) as IDBRequest<Blob | undefined>);

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

// Pictures of the visitor's own, in this browser's own store, so that a reload finds them again.

// The newest ones; others make room.
const MOST = 6;

/** Keep a file under `id`; says whether the browser does. */
export async function keep(id, file) {
  const done = await inStore("readwrite", (store) => {
    store.put(file, id);
    const names = store.getAllKeys();
    names.onsuccess = () => names.result.slice(0, -MOST).forEach((each) => store.delete(each));
    return names;
  });
  return Boolean(done);
}

/** The file that is kept under `id`, or nothing. */
export const kept = (id) => inStore("readonly", (store) => store.get(id));

/** The result of a request; undefined where the browser keeps nothing, as in many private windows. */
async function inStore(mode, act) {
  try {
    const opening = indexedDB.open("asa-viz", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("pictures");
    const base = await settled(opening, "onsuccess");
    try {
      const transaction = base.transaction("pictures", mode);
      const request = act(transaction.objectStore("pictures"));
      await settled(transaction, "oncomplete");
      return request.result;
    } finally {
      base.close();
    }
  } catch {
    return undefined;
  }
}

function settled(request, event) {
  return new Promise((resolve, reject) => {
    request[event] = () => resolve(request.result);
    request.onerror = request.onabort = request.onblocked = () => reject(request.error);
  });
}

// Pictures of one's own, made smaller before they are sent.

/** A picture as it is sent, and the size that it had where that was larger. */
export interface Reduced {
  file: File;
  from: [width: number, height: number] | null;
}

// The page shows no more pixels than this, and the network reads fewer.
const MOST_SIDE = 2048;
// A file that is not larger, in bytes and in pixels, is sent unchanged.
const MOST_BYTES = 1.5 * 2 ** 20;
const QUALITY = 0.92;

/**
 * The picture upright and no larger than the page can use. A file that the browser cannot decode, and one that
 * is small as it is, comes back as it was: whether it can be read is then the server's to say.
 */
export async function reduced(file: File): Promise<Reduced> {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!whole) return { file, from: null };
  const { width, height } = whole;
  const share = MOST_SIDE / Math.max(width, height);
  const isLarge = share < 1, isRead = !/hei[cf]/.test(file.type);
  if (isRead && !isLarge && file.size <= MOST_BYTES) {
    whole.close();
    return { file, from: null };
  }
  const made = await drawn(whole, Math.min(share, 1)).catch(() => null);
  whole.close();
  if (!made) return { file, from: null };
  const name = file.name.replace(/\.\w+$/, "") || "picture";
  return {
    file: new File([made], `${name}.${made.type.slice(6)}`, { type: made.type }),
    from: isLarge ? [width, height] : null,
  };
}

/** A bitmap as a file, reduced to a share of its sides; without loss where parts of it are transparent. */
async function drawn(whole: ImageBitmap, share: number): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(Math.round(share * whole.width), 1);
  canvas.height = Math.max(Math.round(share * whole.height), 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let isOpaque = true;
  for (let p = 3; p < data.length && isOpaque; p += 4) isOpaque = data[p] === 255;
  return new Promise((resolve) => canvas.toBlob(resolve, isOpaque ? "image/jpeg" : "image/png", QUALITY));
}

/** Whether a file is an HEIC photo, as its first bytes say. */
export async function isHeic(file: Blob): Promise<boolean> {
  const start = new TextDecoder("latin1").decode(await file.slice(0, 64).arrayBuffer());
  return /^.{4}ftyp.{0,40}?(?:hei|hev)[cmsx]/s.test(start);
}

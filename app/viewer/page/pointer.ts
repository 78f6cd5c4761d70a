// From pointer and keys to the query: the same in every panel.

import { cellOf, centreOf, isOfPicture, placeIn, stepped, zoomed } from "../core/geometry.ts";
import type { Grid, Pixel, State, Zoom } from "../types.ts";

const BIG_STEP = 5;

/** A point of the window. */
interface Point {
  clientX: number;
  clientY: number;
}

/** What a panel's canvas shows, and what can be done on it. */
export interface Pointed {
  session: Grid | null;
  picture: { width: number; height: number } | null;
  state: Pick<State, "query" | "locked" | "zoom">;
  /** The pointer is over a pixel, or over none. */
  hover(pixel: Pixel | null, time?: number): void;
  lock(pixel: Pixel): void;
  free(): void;
  pin(): void;
  undo(): void;
  zoom(zoom: Zoom): void;
  zoomBy(factor: number): void;
}

/** The pixel of the original picture under a point of the canvas, or null beside the picture and on its bars. */
export function pixelAt(
  canvas: HTMLCanvasElement, event: Point, picture: NonNullable<Pointed["picture"]>, session: Grid, zoom: Zoom,
): Pixel | null {
  const box = canvas.getBoundingClientRect();
  const place = placeIn(box.width, box.height, picture, zoom);
  const [bx, by] = [event.clientX - box.left, event.clientY - box.top];
  if (bx < place.x || by < place.y || bx >= place.x + place.width || by >= place.y + place.height) return null;
  const shares = place.toShare(bx, by);
  const at = (across: number, along: number): Pixel =>
    [Math.min(Math.floor(shares[0] * across), across - 1), Math.min(Math.floor(shares[1] * along), along - 1)];
  const pixel = at(session.imageWidth, session.imageHeight);
  // A pixel that two cells share belongs to one of them; the point may lie in the other.
  const [column, row] = at(session.width, session.height), cell = row * session.width + column;
  if (!isOfPicture(session, cell)) return null;
  return cellOf(session, pixel) === cell ? pixel : centreOf(session, cell);
}

/** How many rows and columns on an arrow key leads. */
export const ARROWS: Record<string, [down: number, right: number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Listen to a panel's canvas: what is done on it is reported to `target`. */
export function listen(canvas: HTMLCanvasElement, target: Pointed): void {
  const at = (event: Point) =>
    target.session && target.picture && pixelAt(canvas, event, target.picture, target.session, target.state.zoom);
  const fingers = new Map<number, [x: number, y: number]>();
  let drag: [x: number, y: number] | null = null;
  let pinch: (Point & { length: number }) | null = null;
  let pressed: Pixel | null = null;

  // Moves are told once a frame; where the browser tells of them at once, a row is there a frame earlier.
  canvas.addEventListener("pointerrawupdate", (event) => {
    if ((event as PointerEvent).pointerType !== "touch" && target.session && !drag && fingers.size < 2) target.hover(at(event as PointerEvent), event.timeStamp);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!target.session) return;
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 2) return pinched();
    if (drag) return dragged(event, drag);
    // A panel that is swiped is pointed at by a tap alone.
    if (event.pointerType === "touch" && canvas.closest(".phone .swiped")) return;
    target.hover(at(event), event.timeStamp);
  });
  canvas.addEventListener("pointerleave", () => target.hover(null));
  canvas.addEventListener("pointerdown", (event) => {
    if (!target.session) return;
    // A click has whole coordinates only, and may lie in the cell beside the one that was marked.
    pressed = at(event);
    if (event.pointerType === "touch") fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 2) pinch = spanOf();
    // An enlarged picture is moved with Shift or the middle button; the plain button is the query's.
    if (event.button === 1 || event.shiftKey) {
      drag = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    }
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    canvas.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (fingers.size < 2) pinch = null;
    });
  }
  canvas.addEventListener("click", (event) => {
    if (drag) return void (drag = null);
    const pixel = pressed ?? at(event);
    pressed = null;
    const { state, session } = target;
    if (!pixel || !session) return;
    const again = state.locked && cellOf(session, pixel) === cellOf(session, state.query);
    if (again) target.free();
    else target.lock(pixel);
  });
  canvas.addEventListener("auxclick", () => (drag = null));
  canvas.addEventListener("wheel", (event) => {
    // Without a key the wheel scrolls the page, as everywhere else on it.
    if (!target.session || !(event.ctrlKey || event.metaKey || event.altKey)) return;
    event.preventDefault();
    zoomAt(event, Math.exp(-event.deltaY / 300));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (!target.session || event.ctrlKey || event.metaKey || event.altKey) return;
    if (act(event, target.session)) event.preventDefault();
  });

  function act({ key, shiftKey }: KeyboardEvent, session: Grid): boolean {
    const { state } = target;
    if (ARROWS[key]) {
      const [down, right] = ARROWS[key].map((each) => each * (shiftKey ? BIG_STEP : 1));
      target.lock(stepped(session, state.query, down, right));
    } else if (key === "Enter") target.pin();
    else if (key === " ") state.locked ? target.free() : target.lock(state.query);
    else if (key === "Escape") target.free();
    else if (key === "u" || key === "U") target.undo();
    else if (key === "+" || key === "=") target.zoomBy(1.5);
    else if (key === "-") target.zoomBy(1 / 1.5);
    else if (key === "0") target.zoom([1, 0, 0]);
    else return false;
    return true;
  }

  function zoomAt(event: Point, factor: number): void {
    if (!target.picture) return;
    const box = canvas.getBoundingClientRect();
    const place = placeIn(box.width, box.height, target.picture, target.state.zoom);
    const shares = place.toShare(event.clientX - box.left, event.clientY - box.top);
    target.zoom(zoomed(target.state.zoom, factor, ...shares));
  }

  function dragged(event: PointerEvent, [x, y]: [x: number, y: number]): void {
    if (!target.picture) return;
    const place = placeIn(canvas.clientWidth, canvas.clientHeight, target.picture, target.state.zoom);
    const [factor, left, top] = target.state.zoom;
    drag = [event.clientX, event.clientY];
    const clamp = (share: number) => Math.min(Math.max(share, 0), 1 - 1 / factor);
    target.zoom([
      factor,
      clamp(left - (event.clientX - x) / (factor * place.width)),
      clamp(top - (event.clientY - y) / (factor * place.height)),
    ]);
  }

  function spanOf(): Point & { length: number } {
    const [[x0, y0], [x1, y1]] = fingers.values();
    return { length: Math.hypot(x1 - x0, y1 - y0), clientX: (x0 + x1) / 2, clientY: (y0 + y1) / 2 };
  }

  function pinched(): void {
    const now = spanOf();
    if (pinch) zoomAt(now, now.length / pinch.length);
    pinch = now;
  }
}

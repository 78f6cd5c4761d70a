// From pointer and keys to the query: the same in every panel.

import { cellOf, centreOf, placeIn, stepped, zoomed } from "../core/geometry.ts";

const BIG_STEP = 5;

/** The pixel of the original picture under a point of the canvas, or null beside the picture. */
export function pixelAt(canvas, event, picture, session, zoom) {
  const box = canvas.getBoundingClientRect();
  const place = placeIn(box.width, box.height, picture, zoom);
  const [bx, by] = [event.clientX - box.left, event.clientY - box.top];
  if (bx < place.x || by < place.y || bx >= place.x + place.width || by >= place.y + place.height) return null;
  const shares = place.toShare(bx, by);
  const at = (sizes) => sizes.map((size, axis) => Math.min(Math.floor(shares[axis] * size), size - 1));
  const pixel = at([session.imageWidth, session.imageHeight]);
  // A pixel that two cells share belongs to one of them; the point may lie in the other.
  const [column, row] = at([session.width, session.height]), cell = row * session.width + column;
  return cellOf(session, pixel) === cell ? pixel : centreOf(session, cell);
}

/** How many rows and columns on an arrow key leads. */
export const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * Listen to a panel's canvas. `desk` has `session`, `picture`, `state`, and what can be done:
 * `hover(pixel or null)`, `lock(pixel)`, `free()`, `pin()`, `unpin()`, `zoom(zoom)`.
 */
export function listen(canvas, desk) {
  const at = (event) => desk.session && pixelAt(canvas, event, desk.picture, desk.session, desk.state.zoom);
  const fingers = new Map();
  let drag = null, pinch = null, pressed = null;

  // Moves are told once a frame; where the browser tells of them at once, a row is there a frame earlier.
  canvas.addEventListener("pointerrawupdate", (event) => {
    if (desk.session && !drag && fingers.size < 2) desk.hover(at(event), event.timeStamp);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!desk.session) return;
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 2) return pinched();
    if (drag) return dragged(event);
    desk.hover(at(event), event.timeStamp);
  });
  canvas.addEventListener("pointerleave", () => desk.hover(null));
  canvas.addEventListener("pointerdown", (event) => {
    if (!desk.session) return;
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
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      fingers.delete(event.pointerId);
      if (fingers.size < 2) pinch = null;
    });
  }
  canvas.addEventListener("click", (event) => {
    if (drag) return void (drag = null);
    const pixel = pressed ?? at(event);
    pressed = null;
    if (!pixel) return;
    const { state, session } = desk;
    const again = state.locked && cellOf(session, pixel) === cellOf(session, state.query);
    if (again) desk.free();
    else desk.lock(pixel);
  });
  canvas.addEventListener("auxclick", () => (drag = null));
  canvas.addEventListener("wheel", (event) => {
    // Without a key the wheel scrolls the page, as everywhere else on it.
    if (!desk.session || !(event.ctrlKey || event.metaKey || event.altKey)) return;
    event.preventDefault();
    zoomAt(event, Math.exp(-event.deltaY / 300));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (!desk.session || event.ctrlKey || event.metaKey || event.altKey) return;
    if (act(event)) event.preventDefault();
  });

  function act({ key, shiftKey }) {
    const { session, state } = desk;
    if (ARROWS[key]) {
      const [down, right] = ARROWS[key].map((each) => each * (shiftKey ? BIG_STEP : 1));
      desk.lock(stepped(session, state.query, down, right));
    } else if (key === "Enter") desk.pin();
    else if (key === " ") state.locked ? desk.free() : desk.lock(state.query);
    else if (key === "Escape") desk.free();
    else if (key === "u" || key === "U") desk.undo();
    else if (key === "+" || key === "=") desk.zoomBy(1.5);
    else if (key === "-") desk.zoomBy(1 / 1.5);
    else if (key === "0") desk.zoom([1, 0, 0]);
    else return false;
    return true;
  }

  function zoomAt(event, factor) {
    const box = canvas.getBoundingClientRect();
    const place = placeIn(box.width, box.height, desk.picture, desk.state.zoom);
    const shares = place.toShare(event.clientX - box.left, event.clientY - box.top);
    desk.zoom(zoomed(desk.state.zoom, factor, ...shares));
  }

  function dragged(event) {
    const place = placeIn(canvas.clientWidth, canvas.clientHeight, desk.picture, desk.state.zoom);
    const [factor, left, top] = desk.state.zoom;
    const [x, y] = drag;
    drag = [event.clientX, event.clientY];
    const clamp = (share) => Math.min(Math.max(share, 0), 1 - 1 / factor);
    desk.zoom([
      factor,
      clamp(left - (event.clientX - x) / (factor * place.width)),
      clamp(top - (event.clientY - y) / (factor * place.height)),
    ]);
  }

  function spanOf() {
    const [[x0, y0], [x1, y1]] = fingers.values();
    return { length: Math.hypot(x1 - x0, y1 - y0), clientX: (x0 + x1) / 2, clientY: (y0 + y1) / 2 };
  }

  function pinched() {
    const now = spanOf();
    if (pinch) zoomAt(now, now.length / pinch.length);
    pinch = now;
  }
}

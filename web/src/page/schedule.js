// When things are drawn and computed: drawings once a frame, only the last of several wishes.

/** Wraps a drawing so that it is drawn at most once a frame. */
export function soon(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

/**
 * Wraps work that takes time: one at a time, and of those that were asked for meanwhile only the last.
 *
 * @param {Function} work Asynchronous; called with the last arguments.
 */
export function latest(work) {
  let running = false;
  let wanted = null;
  return async (...given) => {
    wanted = given;
    if (running) return;
    running = true;
    try {
      while (wanted) {
        const now = wanted;
        wanted = null;
        await work(...now);
      }
    } finally {
      running = false;
    }
  };
}

/**
 * Wraps a drawing so that it is drawn once a frame where its place is seen or near, and elsewhere when it comes near.
 *
 * @param {Element} place
 */
export function seen(place, draw) {
  let near = false;
  let wanted = false;
  const now = soon(() => {
    wanted = false;
    draw();
  });
  const watch = new IntersectionObserver(
    (entries) => {
      near = entries.at(-1).isIntersecting;
      if (near && wanted) now();
    },
    { rootMargin: "500px" },
  );
  watch.observe(place);
  return () => {
    wanted = true;
    if (near) now();
  };
}

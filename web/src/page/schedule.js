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

/** Calls `near` once, when a node comes near what is seen. */
export function whenNear(node, near) {
  const watch = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      near();
    },
    { rootMargin: "600px" },
  );
  watch.observe(node);
}

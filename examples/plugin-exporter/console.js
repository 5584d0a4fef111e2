export default ({ z }) => ({
  name: 'console',
  settings: z.strictObject({ overMs: z.number().min(0).default(1000) }),
  /** Runs until the feed ends. While it waits for something slow of its own, `signal` says when to give that up. */
  async start(feed, { overMs }, signal) {
    for await (const { calls, droppedCalls } of feed) {
      if (signal.aborted) return;
      for (const { server, name, durationMs } of calls)
        if (durationMs > overMs)
          console.error(`slow: ${server} took ${Math.round(durationMs)} ms for ${name}`);
      if (droppedCalls > 0) console.error(`slow: ${droppedCalls} calls were not looked at`);
    }
  },
});

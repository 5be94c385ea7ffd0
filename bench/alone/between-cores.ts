import { Worker } from 'node:worker_threads'

/** Rounds of a measurement, and places of words in lines of the cache of their own. */
const [rounds, ball, calls] = [20_000, 0, 32]

/**
 * Measures how long a word takes from one thread to another, in nanoseconds. Of two virtual cores nobody says where they are:
 * it is some fifty where they share a cache, and some two hundred where they do not.
 */
export function betweenCores(): { measure: () => number; end: () => void } {
  const words = new Int32Array(new SharedArrayBuffer(256))
  const worker = new Worker(other, { eval: true, workerData: { words, rounds, ball, calls } })
  return {
    measure: () => {
      Atomics.store(words, ball, -1)
      Atomics.add(words, calls, 1)
      Atomics.notify(words, calls)
      // The other says that it is awake.
      while (Atomics.load(words, ball) !== 0);
      const started = performance.now()
      for (let i = 0; i < rounds; i++) {
        Atomics.store(words, ball, 2 * i + 1)
        while (Atomics.load(words, ball) !== 2 * i + 2);
      }
      return (1e6 * (performance.now() - started)) / (2 * rounds)
    },
    end: () => void worker.terminate(),
  }
}

const other = `
const { words, rounds, ball, calls } = require('node:worker_threads').workerData
for (let call = 0; ; call++) {
  while (Atomics.load(words, calls) === call) Atomics.wait(words, calls, call)
  Atomics.store(words, ball, 0)
  for (let i = 0; i < rounds; i++) {
    while (Atomics.load(words, ball) !== 2 * i + 1);
    Atomics.store(words, ball, 2 * i + 2)
  }
}`

import { writeConstants } from './functions'
import { runChunk } from './jobs'

/*
 * Work is handed out in chunks that are told by their numbers, to whichever thread comes first. A caller waits for chunks
 * that are being worked on and never for a thread that has not begun, so that a busy machine costs no more than its share.
 */

@unmanaged
class Pool {
  /** What is being handed out: number of the job in the upper half, next chunk in the lower. */
  ticket: u64 = 0
  /** Counts jobs; threads without work sleep on it. */
  jobs: i32 = 0
  sleepers: i32 = 0
  /** Chunks that are done; below 0 once a thread has died. */
  finished: i32 = 0
  kind: i32 = 0
  chunks: i32 = 0
}

// Arguments of the job at work lie in another line of the cache than what the threads quarrel about.
const argumentsAt: usize = 64
const constantsAt: usize = 256
const nothing: u64 = 0xffff_ffff
// Turns of looking for work, some hundred microseconds: longer than JavaScript takes from one kernel to the next, for a
// core that sleeps takes as long as a kernel to wake.
const patience: i32 = 300_000

let pool: usize = 0
/** How many threads there are, the caller's own among them. */
export let threads: usize = 1

/**
 * Must come first, on every thread.
 *
 * @param at - a zeroed block of 384 bytes, the same for all threads
 * @param count - of threads, the caller's among them
 */
export function init(at: usize, count: usize): void {
  pool = at
  threads = count
  writeConstants(at + constantsAt)
}

/** Room for a job's work, the caller's thread alone may ask; what an earlier job had is gone. */
// @ts-ignore: decorator
@external('env', 'room')
export declare function room(bytes: usize): usize

/** Arguments of the job at work: a block of 192 bytes. */
@inline export function jobArguments(): usize { return pool + argumentsAt }

/** What `functions.ts` computes with. */
@inline export function constants(): usize { return pool + constantsAt }

/** Room of the thread's own, for the length of a chunk; the bytes are those that the job was given. */
@inline export function scratchOf(all: usize, bytes: usize, thread: i32): usize { return all + bytes * <usize>thread }

/** Numbers that are worth handing out. */
export const numbersAtOnce: usize = 1 << 13

/** How many parts of a size there are, the last perhaps smaller. */
@inline export function partsOf(count: usize, size: usize): usize { return (count + size - 1) / size }

/** Runs every chunk of a job, and returns when all are done. */
export function runAll(kind: i32, chunks: i32): void {
  if (threads == 1 || chunks == 1) {
    for (let chunk = 0; chunk < chunks; chunk++) runChunk(kind, chunk, 0)
    return
  }
  const all = changetype<Pool>(pool)
  const job = (<u64>atomic.load<i32>(pool, offsetof<Pool>('jobs')) + 1) << 32
  // No chunk of the last job may be taken for one of this while it is being written down.
  atomic.store<u64>(pool, job | nothing)
  all.kind = kind
  all.chunks = chunks
  atomic.store<i32>(pool, 0, offsetof<Pool>('finished'))
  atomic.store<u64>(pool, job)
  atomic.add<i32>(pool, 1, offsetof<Pool>('jobs'))
  if (atomic.load<i32>(pool, offsetof<Pool>('sleepers')) > 0) atomic.notify(pool + offsetof<Pool>('jobs'), -1)
  help(0)
  for (let turns = 0; ; turns++) {
    const finished = atomic.load<i32>(pool, offsetof<Pool>('finished'))
    if (finished == chunks) return
    if (finished < 0) unreachable()
    if (turns > patience) atomic.wait<i32>(pool + offsetof<Pool>('finished'), finished, -1)
  }
}

/** What a thread beside the caller's does for ever. */
export function work(thread: i32): void {
  for (;;) {
    const job = atomic.load<i32>(pool, offsetof<Pool>('jobs'))
    help(thread)
    let turns = 0
    while (atomic.load<i32>(pool, offsetof<Pool>('jobs')) == job && turns < patience) turns++
    if (turns < patience) continue
    atomic.add<i32>(pool, 1, offsetof<Pool>('sleepers'))
    atomic.wait<i32>(pool + offsetof<Pool>('jobs'), job, -1)
    atomic.sub<i32>(pool, 1, offsetof<Pool>('sleepers'))
  }
}

function help(thread: i32): void {
  const all = changetype<Pool>(pool)
  for (;;) {
    const ticket = atomic.load<u64>(pool)
    const chunk = <u32>ticket
    if (chunk >= <u32>all.chunks) return
    if (atomic.cmpxchg<u64>(pool, ticket, ticket + 1) != ticket) continue
    runChunk(all.kind, <i32>chunk, thread)
    atomic.add<i32>(pool, 1, offsetof<Pool>('finished'))
    if (thread != 0) atomic.notify(pool + offsetof<Pool>('finished'), 1)
  }
}

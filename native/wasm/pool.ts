import { writeConstants } from './functions'
import { runChunk } from './jobs'

/*
 * A job's chunks are told by their numbers. Every thread has a share of them, one after the other, so that what it made of a map
 * is in its own cache when it comes to the same part of the next; one that is done with its own takes from the ends of others'.
 * The caller waits for chunks that are being worked on and never for a thread that has not begun, so that a busy machine
 * costs no more than its share.
 *
 * A word on its way from one core to another takes as long as a hundred multiplications: what one thread writes often lies in a
 * line of the cache of its own, and a job begins and ends with as few of them as can be.
 */

/** What changes seldom. */
@unmanaged
class Pool {
  /** Whether a thread has died. */
  dead: i32 = 0
  /** Counts what ends the caller's sleep. */
  callsToCaller: i32 = 0
  callerSleeps: i32 = 0
  /** Counts what ends the others' sleep. */
  calls: i32 = 0
  sleepers: i32 = 0
}

const kindAt: usize = 64
const argumentsAt: usize = kindAt + 8
const constantsAt: usize = 256
// By thread: the next chunk of its share, the one after the last, and above them the job's number, lest one be taken for another.
const sharesAt: usize = 384
// By thread: all chunks that it ever did.
const doneAt: usize = 896
const countBits: u64 = 20
const mostChunks: i32 = (1 << 20) - 1
// Turns of looking for work, some hundred microseconds: longer than JavaScript takes from one kernel to the next, for a
// core that sleeps takes as long as a kernel to wake.
const patience: i32 = 300_000

let pool: usize = 0
/** How many threads there are, the caller's own among them. */
export let threads: usize = 1
// Of the caller: jobs so far, and what the others did of them.
let jobs: u64 = 0
let doneByOthers: u64 = 0

/**
 * Must come first, on every thread.
 *
 * @param at - a zeroed block of 1408 bytes at a multiple of 64, the same for all threads
 * @param count - of threads, the caller's among them, up to 8
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

/** Arguments of the job at work: a block of 184 bytes. */
@inline export function jobArguments(): usize { return pool + argumentsAt }

/** What `functions.ts` computes with. */
@inline export function constants(): usize { return pool + constantsAt }

/** Room of the thread's own, for the length of a chunk; the bytes are those that the job was given. */
@inline export function scratchOf(all: usize, bytes: usize, thread: i32): usize { return all + bytes * <usize>thread }

/** Numbers that are worth handing out. */
export const numbersAtOnce: usize = 1 << 13

/** How many parts of a size there are, the last perhaps smaller. */
@inline export function partsOf(count: usize, size: usize): usize { return (count + size - 1) / size }

@inline function shareOf(thread: usize): usize { return pool + sharesAt + thread * 64 }
@inline function doneBy(thread: usize): usize { return pool + doneAt + thread * 64 }
@inline function nextOf(share: u64): i32 { return <i32>share & mostChunks }
@inline function endOf(share: u64): i32 { return <i32>(share >> countBits) & mostChunks }
@inline function jobOf(share: u64): u64 { return share >> 2 * countBits }

/** Runs every chunk of a job, and returns when all are done. */
export function runAll(kind: i32, chunks: i32): void {
  if (threads == 1 || chunks == 1 || chunks > mostChunks) {
    for (let chunk = 0; chunk < chunks; chunk++) runChunk(kind, chunk, 0)
    return
  }
  store<i32>(pool + kindAt, kind)
  jobs++
  // Whoever takes a chunk finds all that was written before.
  for (let thread = threads; thread-- > 0; ) {
    const next = <u64>chunks * thread / threads, end = <u64>chunks * (thread + 1) / threads
    atomic.store<u64>(shareOf(thread), jobs << 2 * countBits | end << countBits | next)
  }
  if (atomic.load<i32>(pool, offsetof<Pool>('sleepers')) > 0) call(offsetof<Pool>('calls'))
  let left = chunks
  for (let whose: usize = 0; whose < threads; whose++) left -= workOn(whose, 0)
  doneByOthers += left
  for (let turns = 0; !othersAreDone(); turns++) {
    if (atomic.load<i32>(pool, offsetof<Pool>('dead'))) unreachable()
    if (turns < patience) continue
    const calls = atomic.load<i32>(pool, offsetof<Pool>('callsToCaller'))
    atomic.store<i32>(pool, 1, offsetof<Pool>('callerSleeps'))
    // A thread that is done before it could see that calls no more.
    if (!othersAreDone()) atomic.wait<i32>(pool + offsetof<Pool>('callsToCaller'), calls, -1)
    atomic.store<i32>(pool, 0, offsetof<Pool>('callerSleeps'))
  }
}

function othersAreDone(): bool {
  let done: u64 = 0
  for (let thread: usize = 1; thread < threads; thread++) done += atomic.load<u64>(doneBy(thread))
  return done == doneByOthers
}

@inline function call(counter: usize): void {
  atomic.add<i32>(pool + counter, 1)
  atomic.notify(pool + counter, -1)
}

/** What a thread beside the caller's does for ever. */
export function work(thread: usize): void {
  let job: u64 = 0
  for (let turns = 0; ; turns++) {
    const now = jobOf(atomic.load<u64>(shareOf(thread)))
    if (now != job) {
      job = now
      turns = 0
      for (let i: usize = 0; i < threads; i++) tell(thread, workOn((thread + i) % threads, thread))
    } else if (turns > patience) {
      turns = 0
      const calls = atomic.load<i32>(pool, offsetof<Pool>('calls'))
      atomic.add<i32>(pool, 1, offsetof<Pool>('sleepers'))
      // A caller that came before it could see that calls nobody.
      if (jobOf(atomic.load<u64>(shareOf(thread))) == job) atomic.wait<i32>(pool + offsetof<Pool>('calls'), calls, -1)
      atomic.sub<i32>(pool, 1, offsetof<Pool>('sleepers'))
    }
  }
}

function tell(thread: usize, done: i32): void {
  if (done == 0) return
  atomic.store<u64>(doneBy(thread), atomic.load<u64>(doneBy(thread)) + done)
  if (atomic.load<i32>(pool, offsetof<Pool>('callerSleeps'))) call(offsetof<Pool>('callsToCaller'))
}

// Does chunks of a share, and says how many: those of one job, which does not end before it is told of them.
function workOn(whose: usize, thread: usize): i32 {
  const at = shareOf(whose), own = whose == thread
  let done = 0
  for (let share = atomic.load<u64>(at); nextOf(share) < endOf(share); share = atomic.load<u64>(at)) {
    const rest = own ? share + 1 : share - (1 << countBits)
    if (atomic.cmpxchg<u64>(at, share, rest) != share) continue
    runChunk(load<i32>(pool + kindAt), own ? nextOf(share) : endOf(share) - 1, <i32>thread)
    done++
  }
  return done
}

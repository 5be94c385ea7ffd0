import { formatBytes, MemoryBudgetError, memoryBudget } from '../../core/index.js'
import { forgetPackings } from './packed.js'

/** The part of tfjs's wasm backend that the guard needs. */
export interface WasmBackend {
  /** Emscripten's module. */
  readonly wasm: { _malloc(bytes: number): number; _free(offset: number): void }
  /** Where each tensor lies. */
  readonly dataIdMap: { set(id: object, value: unknown): unknown; has(id: object): boolean }
  /** Frees a tensor. */
  disposeData(id: object, force?: boolean): boolean
}

/** A heap that says no before it overflows. */
export interface WasmHeap {
  /** Asks for bytes and gives them back, so that an allocation out of sight cannot fail. */
  reserve(bytes: number, what: string): void
  /** Starts to remember which tensors are made. */
  mark(): number
  /** Frees every tensor made since the mark. */
  rewind(mark: number): void
  /** Stops remembering. */
  unmark(): void
}

/** The end of a wasm heap: pointers have 32 bits. */
export const wasmHeapEnd = 2 ** 32 - 2 ** 16

/**
 * Makes overflow of the wasm heap an error.
 *
 * Left alone, `malloc` answers 0 when the heap of 4 GiB is full, tfjs writes the tensor at address 0, over the
 * program's own data, and every later result is wrong without a word; a tensor of 5 GiB is given room for 1 GiB,
 * because sizes wrap at 32 bits. Here every allocation is checked against the budget before it is made and against
 * 0 after it. Before one is refused, weights' packed copies are given up.
 *
 * @param backend - its `malloc` and `free` are replaced
 */
export function guardWasmHeap(backend: WasmBackend): void {
  const { wasm } = backend
  // Emscripten's stubs replace themselves on their first call, so they must have had it.
  wasm._free(wasm._malloc(1))
  const [malloc, free] = [wasm._malloc, wasm._free]
  const sizes = new Map<number, number>()
  let held = 0

  const allocate = (bytes: number, what: string): number => {
    const isOver = () => bytes > wasmHeapEnd || held + bytes > memoryBudget()
    if (isOver() && !(forgetPackings(backend) && !isOver())) throw overBudget(what, bytes, held)
    const offset = malloc(bytes) || (forgetPackings(backend) ? malloc(bytes) : 0)
    if (offset === 0 && bytes > 0) throw heapFull(what, bytes, held)
    return offset
  }
  wasm._malloc = (bytes) => {
    const offset = allocate(bytes, 'a tensor')
    sizes.set(offset >>> 0, bytes)
    held += bytes
    return offset
  }
  wasm._free = (offset) => {
    held -= sizes.get(offset >>> 0) ?? 0
    sizes.delete(offset >>> 0)
    free(offset)
  }

  const made: object[] = []
  let marks = 0
  const { dataIdMap } = backend
  const set = dataIdMap.set.bind(dataIdMap)
  dataIdMap.set = (id, value) => {
    if (marks > 0) made.push(id)
    return set(id, value)
  }
  heaps.set(backend, {
    reserve: (bytes, what) => free(allocate(bytes, what)),
    mark: () => {
      marks++
      return made.length
    },
    rewind: (mark) => {
      for (const id of made.splice(mark)) if (dataIdMap.has(id)) backend.disposeData(id, true)
    },
    unmark: () => {
      marks--
      if (marks === 0) made.length = 0
    },
  })
}

const heaps = new WeakMap<object, WasmHeap>()

/** The heap of a backend under guard. */
export const wasmHeapOf = (backend: object): WasmHeap | undefined => heaps.get(backend)

function overBudget(what: string, bytes: number, held: number): MemoryBudgetError {
  const budget = Math.min(memoryBudget(), wasmHeapEnd)
  return new MemoryBudgetError({
    rule: `${what} must fit the wasm backend's budget of ${formatBytes(budget)}`,
    got: `${formatBytes(bytes)} beside ${formatBytes(held)} already held`,
    mend: 'Free tensors, work in smaller pieces, or use the tensorflow backend, which has the whole machine.',
  })
}

function heapFull(what: string, bytes: number, held: number): MemoryBudgetError {
  return new MemoryBudgetError({
    rule: `${what} must fit what is left of the wasm backend's 4 GiB`,
    got: `no block of ${formatBytes(bytes)}, with ${formatBytes(held)} in tensors and the rest in packed weights`,
    mend: 'Free tensors, work in smaller pieces, or use the tensorflow backend, which has the whole machine.',
  })
}

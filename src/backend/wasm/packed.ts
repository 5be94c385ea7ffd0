import type * as tf from '@tensorflow/tfjs'
import { arena } from './arena.js'
import { addressOf, type WasmKernelBackend } from './backend.js'
import { type At, simdOf } from './simd.js'

/** Matrices `[depth, columns]` that lie one after the other in a tensor. */
export interface RightMatrices {
  readonly matrices: number
  readonly depth: number
  readonly columns: number
  /** Whether they are stored as `[columns, depth]`. */
  readonly turned: boolean
}

interface Packing extends RightMatrices {
  at: At
}

interface Packs {
  readonly once: (bytes: number) => At
  /** Of every tensor that was a right matrix: how it was packed, and where the packing is if it was kept. */
  readonly known: Map<object, Packing[]>
  /** The packing that is being read. */
  inUse: At
}

const packs = new WeakMap<object, Packs>()

/** Bytes of packed matrices: whole strips of eight columns. */
export const packedBytes = ({ matrices, depth, columns }: RightMatrices): number =>
  4 * matrices * depth * 8 * Math.ceil(columns / 8)

/**
 * Uses a tensor's matrices as products read them. What is multiplied by for the second time is most likely a weight: its
 * packing is kept until the tensor goes or room is needed.
 *
 * @param use - with where they lie
 */
export function withPacked(
  backend: WasmKernelBackend,
  tensor: tf.TensorInfo,
  form: RightMatrices,
  use: (at: At) => void,
): void {
  const own = packsOf(backend)
  const at =
    keptPacking(backend, own, tensor, form) ?? pack(backend, tensor, form, own.once(packedBytes(form)))
  own.inUse = at
  try {
    use(at)
  } finally {
    own.inUse = 0
  }
}

function keptPacking(
  backend: WasmKernelBackend,
  { known }: Packs,
  tensor: tf.TensorInfo,
  form: RightMatrices,
): At | undefined {
  const forms = known.get(tensor.dataId)
  const { depth, columns, turned } = form
  const found = forms?.find((one) => one.depth === depth && one.columns === columns && one.turned === turned)
  if (found?.at) return found.at
  if (found && form.matrices > 1) return undefined
  if (found) {
    found.at = pack(backend, tensor, form, backend.wasm._malloc(packedBytes(form)) >>> 0)
    return found.at
  }
  if (forms) forms.push({ ...form, at: 0 })
  else known.set(tensor.dataId, [{ ...form, at: 0 }])
  return undefined
}

function pack(backend: WasmKernelBackend, tensor: tf.TensorInfo, form: RightMatrices, to: At): At {
  const { matrices, depth, columns, turned } = form
  simdOf(backend).pack(addressOf(backend, tensor), matrices, depth, columns, turned, to)
  return to
}

/** Gives up the packings that are kept and not being read, and says whether there were any. */
export function forgetPackings(backend: object): boolean {
  const { known, inUse } = packs.get(backend) ?? { known: new Map<object, Packing[]>(), inUse: 0 }
  const kept = [...known.values()].flat().filter(({ at }) => at && at !== inUse)
  for (const packing of kept) {
    ;(backend as WasmKernelBackend).wasm._free(packing.at)
    packing.at = 0
  }
  return kept.length > 0
}

function packsOf(backend: WasmKernelBackend): Packs {
  const own = packs.get(backend)
  if (own) return own
  const made: Packs = { once: arena(backend), known: new Map(), inUse: 0 }
  packs.set(backend, made)
  const { dataIdMap } = backend
  const forget = dataIdMap.delete.bind(dataIdMap)
  dataIdMap.delete = (dataId) => {
    const forms = made.known.get(dataId)
    if (forms) {
      for (const { at } of forms) if (at) backend.wasm._free(at)
      made.known.delete(dataId)
    }
    return forget(dataId)
  }
  return made
}

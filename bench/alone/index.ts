import { edits } from './edits.js'
import { leaks } from './leaks.js'
import { wasm } from './wasm.js'
import { wasmThreads } from './wasm-threads.js'

/** The benches without a peer, by name. */
export const alone = { edits, wasm, 'wasm-threads': wasmThreads, leaks }

/** Whether a bench has no peer. */
export const isAlone = (name: string): name is keyof typeof alone => name in alone

import * as tf from '@tensorflow/tfjs'
import { useBackend } from '../src/backend/index.js'
import { unet, unetConfig, unetShapes, publishedModels, estimateMemory, type UNetParameters } from '../src/models/index.js'
import { unetActivations } from '../src/models/memory/activations.js'
import { loadComponent, configOf } from './ours/model.js'
const backend = process.argv[2] as 'wasm'
await useBackend(backend)
function measured(work: () => any): number {
  const engine = tf.engine() as any, { runKernelFunc, state } = engine
  const before = state.numBytes; let peak = before
  engine.runKernelFunc = (call: any) => { const r = runKernelFunc.call(engine, call); peak = Math.max(peak, state.numBytes); return r }
  try { tf.tidy(() => void work()) } finally { engine.runKernelFunc = runKernelFunc }
  return peak - before
}
const folder = process.argv[3]!
const config = unetConfig(await configOf(folder, 'unet'))
const p = await loadComponent<UNetParameters>(folder, 'unet', unetShapes(config))
const w = config.cross_attention_dim
for (const n of process.argv.slice(4).map(Number)) {
  const x = tf.randomNormal<tf.Rank.R4>([2, n, n, 4]), c = tf.randomNormal<tf.Rank.R3>([2, 77, w]), x1 = tf.slice(x, 0, 1), c1 = tf.slice(c, 0, 1)
  const f = measured(() => unet(p, config, x, { timestep: 5, context: c }))
  const f1 = measured(() => unet(p, config, x1, { timestep: 5, context: c1 }))
  const b = measured(() => tf.grad((t) => unet(p, config, x1, { timestep: 5, context: t as any }).mean())(c1))
  const e2 = unetActivations(config, { batch: 2, height: n, width: n, tokens: 77 }), e1 = unetActivations(config, { batch: 1, height: n, width: n, tokens: 77 })
  const M = (v: number) => (v / 1e6).toFixed(1)
  console.log(n, 'forward b2', M(f), 'est', M(e2.forward), (e2.forward / f).toFixed(2), 'b1', M(f1), (e1.forward / f1).toFixed(2), 'backward', M(b), 'est', M(e1.backward), (e1.backward / b).toFixed(2))
  tf.dispose([x, c, x1, c1])
}

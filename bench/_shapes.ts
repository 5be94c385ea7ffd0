import { writeFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from '../src/backend/index.js'
import { cases } from './ours/cases.js'

await useBackend('tensorflow')
const [name, size] = [process.argv[2] ?? 'unet', Number(process.argv[3] ?? 32)]
const folder = process.env.HOME + '/.cache/contrafact-bench/stable-diffusion-1.5-random-f32'
const shapes: Record<string, number[]> =
  name === 'unet'
    ? { x: [2, size, size, 4], context: [2, 77, 768] }
    : {
        x: [1, size, size, 4],
        pivot: [1, size, size, 4],
        conditional: [1, size, size, 4],
        context: [1, 77, 768],
      }
const inputs: any = {}
for (const [k, s] of Object.entries(shapes)) {
  const p = `/tmp/in-${k}.bin`
  const v = Float32Array.from({ length: s.reduce((a, b) => a * b, 1) }, () => Math.random() * 2 - 1)
  writeFileSync(p, new Uint8Array(v.buffer))
  inputs[k] = { path: p, shape: s }
}
const c = await cases[name]!({ name, shape: '', folder, inputs } as any)
for (let i = 0; i < 2; i++) await c.run()
const times = new Map<string, [number, number, number]>()
let inner = 0
for (const k of tf.getKernelsForBackend('tensorflow')) {
  tf.unregisterKernel(k.kernelName, 'tensorflow')
  tf.registerKernel({
    ...k,
    kernelFunc: (call) => {
      const before = inner
      inner = 0
      const t = performance.now()
      const r = k.kernelFunc(call) as any
      const d = performance.now() - t
      const i = call.inputs as any,
        out = Array.isArray(r) ? r[0].shape : r.shape
      const n = (s: number[]) => s.reduce((a, b) => a * b, 1)
      let flop = 0
      if (/^Conv2D$/.test(k.kernelName))
        flop = 2 * n(out) * i.filter.shape[0] * i.filter.shape[1] * i.filter.shape[2]
      if (/BackpropInput/.test(k.kernelName))
        flop = 2 * n(i.dy.shape) * i.filter.shape[0] * i.filter.shape[1] * i.filter.shape[2]
      if (/^BatchMatMul$/.test(k.kernelName))
        flop = 2 * n(out) * i.a.shape.at((call.attrs as any).transposeA ? -2 : -1)
      const key =
        k.kernelName +
        (flop
          ? ' ' +
            Object.values(i)
              .map((t: any) => t.shape.join('x'))
              .join(' ') +
            ((call.attrs as any).transposeA ? ' tA' : '') +
            ((call.attrs as any).transposeB ? ' tB' : '')
          : '')
      const e = times.get(key) ?? [0, 0, 0]
      times.set(key, [e[0] + 1, e[1] + d - inner, e[2] + flop])
      inner = before + d
      return r
    },
  })
}
const N = 3
const t = performance.now()
for (let i = 0; i < N; i++) await c.run()
const all = (performance.now() - t) / N
let sum = 0
const rows = [...times].sort((a, b) => b[1][1] - a[1][1])
for (const [k, [m, ms, f]] of rows) sum += ms / N
for (const [k, [m, ms, f]] of rows.slice(0, 60))
  console.log(
    k.padEnd(64),
    (m / N).toFixed(0).padStart(5),
    (ms / N).toFixed(1).padStart(7),
    'ms',
    f ? (f / ms / 1e6).toFixed(0) + ' GF/s' : ((1000 * ms) / m).toFixed(0) + ' us',
  )
const tot = (re: RegExp) => {
  let a = 0,
    b = 0
  for (const [k, [, ms, f]] of rows)
    if (re.test(k)) {
      a += ms / N
      b += f / N
    }
  return `${re} ${a.toFixed(0)} ms ${(b / 1e9).toFixed(0)} GF ${(b / a / 1e6).toFixed(0)} GF/s`
}
console.log(tot(/^Conv2D /), '|', tot(/BackpropInput/), '|', tot(/^BatchMatMul/))
console.log('all', all.toFixed(0), 'between', (all - sum).toFixed(0))

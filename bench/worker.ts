/** Our side: loads a case, then answers one line for each line: `run`, `output FILE`, `profile`, `peak`. */
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact'
import type { Case } from './case.js'
import { cases } from './ours/cases.js'
import { kernelTimes } from './ours/profile.js'
import { programTimes } from './ours/profile-gpu.js'
import { peakBytes } from './peak.js'

const [backend, json] = process.argv.slice(2) as [string, string]
const of: Case = JSON.parse(json)
const say = (answer: object) => process.stdout.write(`@${JSON.stringify(answer)}\n`)

const chosen = await useBackend(backend === 'fastest' ? undefined : (backend as 'wasm'))
const prepared = await cases[of.name]!(of)
say({ ready: `${chosen.backend}, ${chosen.device.name}`, tensors: tf.memory().numTensors })
for await (const line of createInterface({ input: process.stdin })) {
  const [order, path] = line.split(' ')
  if (order === 'run') {
    const started = performance.now()
    await prepared.run()
    say({ seconds: (performance.now() - started) / 1000, tensors: tf.memory().numTensors })
  } else if (order === 'output') {
    writeFileSync(path!, await prepared.output())
    say({ written: path })
  } else if (order === 'profile') {
    const times = chosen.backend === 'webgpu' ? programTimes(prepared.run) : kernelTimes(prepared.run, false)
    say({ profile: await times })
  } else if (order === 'peak') {
    say({ peak: peakBytes() })
  }
}

// A process that may be killed: tsx test/lance/run-child.ts IMAGES OUT
import { useBackend } from '../../src/backend/index.js'
import { runLance } from '../../src/lance/index.js'
import { toyRun } from './toy-run.js'

await useBackend((process.env.CONTRAFACT_BACKEND ?? 'wasm') as 'wasm')
console.log('started')
await runLance(toyRun(process.argv[2]!, process.argv[3]!))
console.log('finished')

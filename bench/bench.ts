/**
 * Speed and memory, beside diffusers on PyTorch or alone: `npm run bench -- --help`. What is measured is the library as it is
 * published, which is built first.
 */
import type { AloneResult } from './alone/alone.js'
import { alone, isAlone } from './alone/index.js'
import { besidePeer, type PeerResult } from './beside-peer.js'
import { readOptions } from './options.js'

const options = readOptions(process.argv.slice(2))
const { name, json } = options
if (isAlone(name)) {
  const result = await alone[name](options)
  console.log(json ? JSON.stringify(result) : aloneRow(result))
  process.exit(result.met ? 0 : 1)
}
const { profile, ...result } = await besidePeer(name, options)
if (profile) console.table(profile)
console.log(json ? JSON.stringify(result) : row(result))

function aloneRow({ name, shape, backend, measure, ratio, spread, must }: AloneResult): string {
  return tableRow([name, shape, backend, measure, ratio.toFixed(2), range(spread), must])
}

function row(result: Omit<PeerResult, 'profile'>): string {
  const number = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? ''
  const gigabytes = (bytes: number | undefined) => number(bytes && bytes / 2 ** 30, 1)
  return tableRow([
    result.name,
    result.shape,
    result.backend,
    number(result.seconds, 3),
    number(result.peerSeconds, 3),
    number(result.ratio, 2),
    result.spread ? range(result.spread) : '',
    gigabytes(result.peakBytes),
    gigabytes(result.peerPeakBytes),
    result.maxAbsDifference?.toExponential(1) ?? '',
  ])
}

const tableRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

function range([least, most]: readonly [number, number]): string {
  return `${least.toFixed(2)} to ${most.toFixed(2)}`
}

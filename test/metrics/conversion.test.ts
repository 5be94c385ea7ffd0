import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { loadInception, loadLpips, loadXrvDenseNet } from '../../src/metrics/index.js'
import goldens from '../fixtures/metrics-networks.json' with { type: 'json' }
import { hashLevels } from '../support/name-hash.js'

// networks.test.ts loads files of the layout that the conversion wrote when its fixture was made; here it runs anew.
const python = process.env.CONTRAFACT_PYTHON

test.skipIf(!python)(
  'scripts/metric_weights.py, run by the Python that CONTRAFACT_PYTHON names',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'contrafact-conversion-'))
    const file = (name: string) => join(folder, `${name}.safetensors`)
    try {
      const script = join(import.meta.dirname, '../fixtures/metrics-networks.py')
      execFileSync(python!, [script, folder], { stdio: ['ignore', 'ignore', 'pipe'] })
      const near = async (found: tf.Tensor, wanted: readonly number[]) => {
        const values = await found.data()
        wanted.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 3))
        found.dispose()
      }
      using inception = await loadInception(file('inception'))
      using xrv = await loadXrvDenseNet(file('xrv'))
      const [a, b] = [goldens.inception[0]!, goldens.xrv[0]!]
      const [x, y] = [
        hashLevels(`inception.${a.shape[2]}`, a.shape),
        hashLevels(`xrv.${b.shape[2]}`, b.shape),
      ]
      await near(inception.features(x), a['pytorch-fid'].features)
      await near(xrv.features(y), b['torchxrayvision-1.5'].features)
      const flipped = tf.reverse(x, 2)
      for (const net of ['alex', 'vgg', 'squeeze'] as const) {
        using lpips = await loadLpips(file(`lpips-${net}`), { net })
        expect((await lpips(x, x)).value).toBeCloseTo(0, 6)
        expect((await lpips(x, flipped)).value).toBeGreaterThan(1e-3)
      }
      tf.dispose([x, y, flipped])
    } finally {
      await rm(folder, { recursive: true })
    }
  },
  600_000,
)

// Writes held-out phantoms as PNG with their records: npx tsx examples/phantom/write-held-out.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { heldOutWith } from './dataset.js'
import { draw } from './draw.js'

const SIZE = 64
const folder = new URL('./held-out/', import.meta.url)

mkdirSync(folder, { recursive: true })
for (const patient of heldOutWith({ cardiomegaly: true, pacemaker: true, line: true }, 3)) {
  const bytes = Uint8Array.from(draw(patient, SIZE), (value) => Math.round(255 * value))
  const name = `phantom-${patient.seed}`
  await sharp(bytes, { raw: { width: SIZE, height: SIZE, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(fileURLToPath(new URL(`${name}.png`, folder)))
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(patient, null, 2)}\n`)
  console.log(`held-out/${name}.png`)
}

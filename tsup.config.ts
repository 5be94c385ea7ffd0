import { readdirSync } from 'node:fs'
import { defineConfig } from 'tsup'

const rooms = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    ...Object.fromEntries(rooms.map(({ name }) => [`${name}/index`, `src/${name}/index.ts`])),
  },
  format: 'esm',
  target: 'node20',
  dts: true,
  splitting: true,
  sourcemap: true,
  clean: true,
})

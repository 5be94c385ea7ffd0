/**
 * Compiles the kernels of `native/wasm` and writes them to `src/backend/wasm/binary.ts`:
 *
 *   npm run build:wasm-kernels
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileWasmKernels } from './compile-wasm-kernels.js'

const bytes = await compileWasmKernels()
const text = `// Made from native/wasm by \`npm run build:wasm-kernels\`; the tests compile it again and compare.
export const binary =
  '${Buffer.from(bytes).toString('base64')}'
`
await writeFile(join(import.meta.dirname, '../src/backend/wasm/binary.ts'), text)
console.log(`${bytes.length} bytes`)

import { expect, test } from 'vitest'
import { compileWasmKernels } from '../../scripts/compile-wasm-kernels.js'
import { binary } from '../../src/backend/wasm/binary.js'

test('the kernels that are shipped are those of native/wasm', async () => {
  const compiled = Buffer.from(await compileWasmKernels()).toString('base64')
  expect(binary === compiled, 'npm run build:wasm-kernels makes them again').toBe(true)
})

import { join } from 'node:path'
import { main } from 'assemblyscript/asc'

const sources = join(import.meta.dirname, '../native/wasm')

/**
 * The kernels of `native/wasm` as a module that works in the memory of another, which must be shared as it is; the loader
 * takes that back where it is not.
 */
export async function compileWasmKernels(): Promise<Uint8Array> {
  const [program, text] = ['kernels.wasm', 'kernels.wat']
  const options = [
    ...['index.ts', '--baseDir', sources, '--outFile', program, '--textFile', text],
    ...['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort='],
    ...['--enable', 'simd', '--enable', 'threads'],
    ...[
      '--importMemory',
      '--noExportMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
    ],
  ]
  const files = new Map<string, string | Uint8Array>()
  const { error, stderr } = await main(options, {
    writeFile: (name, contents) => void files.set(name, contents),
  })
  if (error) throw new Error(`native/wasm does not compile:\n${stderr.toString()}`)
  // They would lie over what the other module has there.
  if (String(files.get(text)).includes('(data ')) throw new Error('native/wasm has constants in memory')
  return files.get(program) as Uint8Array
}

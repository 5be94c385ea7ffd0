// Node's module hooks: packages that are missing, damaged, of another Node or deadly, as STAND_INS says:
// {"@tensorflow/tfjs-node": "missing", ...}
import { register } from 'node:module'

const bodies = {
  damaged: `import { writeFileSync, mkdtempSync } from 'node:fs'
    import { tmpdir } from 'node:os'
    import { join } from 'node:path'
    const file = join(mkdtempSync(join(tmpdir(), 'contrafact-')), 'addon.node')
    writeFileSync(file, 'not a library')
    process.dlopen({ exports: {} }, file)`,
  foreign: `throw new Error("The module 'tfjs_binding.node'\\nwas compiled against a different Node.js version using\\n" +
    'NODE_MODULE_VERSION 93. This version of Node.js requires\\nNODE_MODULE_VERSION 115. Please try re-compiling')`,
  deadly: `process.kill(process.pid, 'SIGSEGV'); await new Promise((r) => setTimeout(r, 5000))`,
}
const hooks = `const kinds = ${JSON.stringify(JSON.parse(process.env.STAND_INS ?? '{}'))}
const bodies = ${JSON.stringify(bodies)}
export async function resolve(name, context, next) {
  const kind = kinds[name]
  if (kind === undefined) return next(name, context)
  if (kind !== 'missing') return { url: 'data:text/javascript,' + encodeURIComponent(bodies[kind]), shortCircuit: true }
  throw Object.assign(new Error("Cannot find package '" + name + "' imported from here"), { code: 'ERR_MODULE_NOT_FOUND' })
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)

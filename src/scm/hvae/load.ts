import * as tf from '@tensorflow/tfjs'
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '../../checkpoint/index.js'
import { CheckpointError } from '../../core/index.js'
import { fromTorch, toTorch } from '../../nn/index.js'
import { type Hvae, hvae } from './hvae.js'
import type { HvaeConfig } from './settings.js'
import { hvaeShapes } from './shapes.js'

/** A model that owns its weights. */
export interface LoadedHvae extends Hvae {
  /** Frees the weights. Idempotent. */
  dispose(): void
  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void
}

/**
 * Loads a causal-gen checkpoint that was converted to safetensors:
 *
 * ```sh
 * python -c "import torch, json; from safetensors.torch import save_file as s; c = torch.load('checkpoint.pt', 'cpu', weights_only=False); s({k: v.contiguous() for k, v in c['ema_model_state_dict'].items()}, 'hvae.safetensors'); json.dump(vars(c['hparams']) if not isinstance(c['hparams'], dict) else c['hparams'], open('hvae.json', 'w'), default=str)"
 * ```
 *
 * Prefixes of the wrappers that causal-gen saves (`ema_model.`, `module.`, `vae.`) are taken off.
 *
 * @param path - of the safetensors file
 * @param config - `hvaeConfig` of the JSON beside it
 * @returns owned by the caller
 * @throws CheckpointError listing the keys that are missing, of another shape, or unknown
 */
export async function loadHvae(path: string, config: HvaeConfig): Promise<LoadedHvae> {
  const file = await openSafetensors(path)
  const named = new Map<string, tf.Tensor>()
  const dispose = () => tf.dispose([...named.values()])
  try {
    for (const [name, stored] of match(path, file, config)) {
      const values = await file.read(stored)
      const data = values instanceof Float32Array ? values : Float32Array.from(values as Float64Array)
      named.set(name, fromTorch(name, file.entries.get(stored)!.shape, data))
    }
    return { ...hvae(config, named), dispose, [Symbol.dispose]: dispose }
  } catch (error) {
    dispose()
    throw error
  } finally {
    await file.close()
  }
}

/**
 * Writes weights as causal-gen names and shapes them, whole or not at all.
 *
 * @param model - borrowed
 * @param dtype - `'f16'` halves the file; `'f32'` by default
 */
export async function saveHvae(
  path: string,
  { named }: Pick<Hvae, 'named'>,
  dtype: 'f32' | 'f16' = 'f32',
): Promise<void> {
  const stored = new Map([...named].map(([name, tensor]) => [name, toTorch(name, tensor)]))
  try {
    const writable = [...stored].map(
      ([name, tensor]) =>
        [name, { shape: tensor.shape, data: async () => (await tensor.data()) as Float32Array }] as const,
    )
    await writeSafetensors(path, new Map(writable), { dtype })
  } finally {
    tf.dispose([...stored.values()])
  }
}

function match(path: string, file: SafetensorsFile, config: HvaeConfig): ReadonlyMap<string, string> {
  const plain = (name: string) => name.replace(/^(?:ema_model\.|module\.|vae\.)+/, '')
  const expected = hvaeShapes(config)
  const stored = new Map([...file.entries.keys()].map((name) => [plain(name), name]))
  const shape = (name: string) => file.entries.get(stored.get(name)!)!.shape
  const missing = [...expected.keys()].filter((name) => !stored.has(name))
  const unknown = [...stored.keys()].filter((name) => !expected.has(name))
  const misfits = [...expected].filter(([name, at]) => stored.has(name) && shape(name).join() !== at.join())
  if (missing.length + unknown.length + misfits.length === 0) return stored
  const parts = [
    list('missing', missing),
    list(
      'of another shape',
      misfits.map(([name, at]) => `${name} [${shape(name)}] where the config has [${at}]`),
    ),
    list('not in the config', unknown),
  ]
  throw new CheckpointError({
    rule: `${path} must hold the ${expected.size} parameters that its config describes`,
    got: parts.filter(Boolean).join('; '),
    mend: 'Pass the hparams that were saved in the same checkpoint: enc_arch, dec_arch, widths, z_dim, context_dim, cond_prior, q_correction, hps.',
  })
}

function list(what: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  return `${names.length} ${what}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`
}

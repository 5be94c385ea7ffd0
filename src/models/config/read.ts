import { z } from 'zod'
import { CheckpointError } from '../../core/index.js'

/** A positive whole number, as every size in a config is. */
export const size = z.int().positive()

/** One image size for both axes; diffusers also writes `[height, width]`. */
export const squareSize = z.union([
  size,
  z
    .array(size)
    .length(2)
    .refine(([height, width]) => height === width, 'must be square')
    .transform((sides) => sides[0]!),
])

/** One value for all levels, or one per level. */
export const perLevel = z.union([size, z.array(size)])

/** Repeats a value that a config gives once for all levels. */
export function broadcastToLevels(value: number | readonly number[], levels: number): readonly number[] {
  return typeof value === 'number' ? Array.from({ length: levels }, () => value) : value
}

/**
 * Parses a config, turning zod's issues into one error that names every wrong key.
 *
 * @param schema - tolerant of unknown keys, with the class defaults for missing ones
 * @param raw - the parsed JSON
 * @param where - the public function that reads it
 */
export function parseConfig<T>(schema: z.ZodType<T>, raw: unknown, where: string): T {
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => {
    const value = path.reduce<unknown>(
      (node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key],
      raw,
    )
    return `${path.join('.') || 'config'} = ${JSON.stringify(value)?.slice(0, 80)}: ${message}`
  })
  throw new CheckpointError({
    rule: `${where} needs a config whose values have the types that diffusers writes`,
    got: issues.join('; '),
    mend: 'Compare the file with the config.json of a published Stable Diffusion 1.x or 2.x.',
  })
}

/** Keys that this library supports with one value only, which is also the class default: `[value, what another means]`. */
export type SupportedValues = Readonly<Record<string, readonly [value: unknown, meaning: string]>>

/**
 * Refuses a config that asks for a part which does not exist here, rather than to build another network.
 *
 * @throws CheckpointError naming the key, its value, and the model family it belongs to
 */
export function refuseUnsupported(raw: object, supported: SupportedValues, where: string): void {
  for (const [key, [value, meaning]] of Object.entries(supported)) {
    const given = (raw as Readonly<Record<string, unknown>>)[key]
    if (given === undefined) continue
    const values = Array.isArray(given) ? given.flat(Number.POSITIVE_INFINITY) : [given]
    // Python writes None where it means "off".
    if (values.every((each) => each === value || (each === null && value === false))) continue
    throw new CheckpointError({
      rule: `${where} supports ${key} = ${JSON.stringify(value)} only`,
      got: `${key} = ${JSON.stringify(given)} (${meaning})`,
      mend: 'Use a Stable Diffusion 1.x or 2.x checkpoint, or a fine-tuned one.',
    })
  }
}

/** Refuses a config of another class, by the name that the file itself gives. */
export function refuseOtherClass(raw: object, key: string, names: readonly string[], where: string): void {
  const given = (raw as Readonly<Record<string, unknown>>)[key]
  if (given === undefined || names.includes(given as string)) return
  throw new CheckpointError({
    rule: `${where} reads a config whose ${key} is ${names.join(' or ')}`,
    got: `${key} = ${JSON.stringify(given)}`,
    mend: 'Check that the folder is a Stable Diffusion 1.x or 2.x model and that its parts were not swapped.',
  })
}

/** Throws unless `holds`; `got` names the key and its value. */
export function requireConsistent(holds: boolean, where: string, rule: string, got: string): void {
  if (holds) return
  throw new CheckpointError({
    rule: `${where}: ${rule}`,
    got,
    mend: 'The config contradicts itself; take it from the checkpoint that the weights came with.',
  })
}

import type { Tensor } from '@tensorflow/tfjs'
import { ArgumentError, ShapeError } from './errors.js'

/** An expected shape: a number must match, `null` matches any size. */
export type ShapePattern = readonly (number | null)[]

/**
 * Asserts that `tensor` has the expected shape.
 *
 * @param tensor - borrowed; only its shape is read
 * @param pattern - one entry per axis, `null` where any size will do
 * @param where - the public function that needs it, e.g. `ddim.step`
 * @param what - the argument's name, e.g. `output`
 * @throws ShapeError with both shapes, and the hint for channels-first tensors where that is the cause
 */
export function expectShape(tensor: Tensor, pattern: ShapePattern, where: string, what: string): void {
  const { shape } = tensor
  const fits = shape.length === pattern.length && pattern.every((n, axis) => n === null || n === shape[axis])
  if (fits) return
  const channels = pattern.at(-1)
  const channelsFirst =
    pattern.length === 4 && shape.length === 4 && shape[1] === channels && shape[3] !== channels
  throw new ShapeError({
    rule: `${where} needs ${what} of shape ${formatShape(pattern)}`,
    got: formatShape(shape),
    mend: channelsFirst
      ? 'Tensors here are channels-last, [batch, height, width, channels]; transpose with tf.transpose(x, [0, 2, 3, 1]).'
      : 'Check the order of the axes and the batch axis.',
  })
}

/** Renders a shape for a message; `*` stands for any size. */
export function formatShape(shape: ShapePattern): string {
  return `[${shape.map((n) => n ?? '*').join(', ')}]`
}

/** The bounds of a number: inclusive, unless said otherwise. */
export interface NumberRule {
  /** The smallest value allowed. */
  readonly min?: number
  /** The largest value allowed. */
  readonly max?: number
  /** Whole numbers only. */
  readonly integer?: boolean
}

/**
 * Asserts that `value` is a finite number within its bounds.
 *
 * @param value - the argument as it came
 * @param rule - inclusive bounds, and whether it must be whole
 * @param where - the public function that needs it
 * @param what - the argument's name
 * @throws ArgumentError with the bounds and the value
 */
export function expectNumber(value: number, rule: NumberRule, where: string, what: string): void {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false } = rule
  if (Number.isFinite(value) && value >= min && value <= max && (!integer || Number.isInteger(value))) return
  const kind = integer ? 'a whole number' : 'a finite number'
  const bounds = [
    rule.min === undefined ? '' : ` of at least ${rule.min}`,
    rule.max === undefined ? '' : `${rule.min === undefined ? ' of' : ' and'} at most ${rule.max}`,
  ].join('')
  throw new ArgumentError({
    rule: `${where} needs ${what} to be ${kind}${bounds}`,
    got: String(value),
    mend: `Pass ${what} inside that range.`,
  })
}

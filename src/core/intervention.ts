/** The value of an attribute: present or not, a level, or a number such as an age in years. */
export type AttributeValue = boolean | number | string

/**
 * One thing changed and the rest left alone, as data: a prompt edit, an SCM's `do(.)` and a phantom's ground truth
 * all answer the same intervention, so that they can be compared in one table.
 */
export interface Intervention {
  /** The attribute that is set: `'cardiomegaly'`, `'sex'`, `'age'`. */
  readonly attribute: string
  /** Its value in the factual picture; `null` where nobody said. */
  readonly from: AttributeValue | null
  /** The value that it is set to; `null` where the caption leaves it out. */
  readonly to: AttributeValue | null
}

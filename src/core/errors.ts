/** What an error must tell: the rule that was broken, what came instead, and how to mend it. */
export interface Lesson {
  /** The rule, with the name of the function that holds it: `ddim needs steps between 1 and 1000`. */
  readonly rule: string
  /** What was received, as the caller would recognise it. */
  readonly got: string
  /** The next thing to try. */
  readonly mend: string
  /** The error underneath, where there is one. */
  readonly cause?: unknown
}

/**
 * Base of every error this library throws on purpose.
 *
 * The message always has the form `<rule>; got <got>. <mend>`. Catch by class, or by the stable `code`.
 */
export class ContrafactError extends Error {
  /** Stable across versions, fit for `switch`: `'shape'`, `'argument'`, `'checkpoint'`, ... */
  readonly code: string
  /** What was received. */
  readonly got: string
  /** The next thing to try. */
  readonly mend: string

  constructor(code: string, { rule, got, mend, cause }: Lesson) {
    super(`${rule}; got ${got}. ${mend}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.got = got
    this.mend = mend
    this.name = new.target.name
  }
}

/** A tensor has another shape than the rule says. */
export class ShapeError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('shape', lesson)
  }
}

/** An option or argument is outside its domain. */
export class ArgumentError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('argument', lesson)
  }
}

/** A weight file, a model folder or a download is not what it should be. */
export class CheckpointError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('checkpoint', lesson)
  }
}

/** A picture cannot be read or written. */
export class ImageError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('image', lesson)
  }
}

/** An attention control touched nothing, so the edit would silently be plain guidance. */
export class AttentionError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('attention', lesson)
  }
}

/** No TensorFlow.js backend can do what was asked. */
export class BackendError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('backend', lesson)
  }
}

/** The work needs more memory than the backend's budget; nothing was allocated for what was refused. */
export class MemoryBudgetError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('memory', lesson)
  }
}

/** Training left the finite numbers, or another numerical promise was broken. */
export class NumericError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('numeric', lesson)
  }
}

/** The caller's `signal` was aborted; every tensor of the aborted work has been freed. */
export class AbortError extends ContrafactError {
  constructor(lesson: Lesson) {
    super('aborted', lesson)
  }
}

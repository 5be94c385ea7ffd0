import { ContrafactError, type Lesson } from '../core/index.js'

/** A caption cannot be read, or says what cannot be. Its `code` is `'caption'`. */
export class CaptionError extends ContrafactError {
  /** The words at fault: those that could not be read, that contradict, or that were cut off; in caption order. */
  readonly words: readonly string[]

  constructor(lesson: Lesson, words: readonly string[]) {
    super('caption', lesson)
    this.words = words
  }
}

import { ContrafactError, type Lesson } from '../../core/index.js'

/** Why an endpoint gave no usable answer. */
export type LanguageModelFailure =
  | 'unreachable'
  | 'timeout'
  | 'rate-limited'
  | 'refused'
  | 'truncated'
  | 'malformed'
  | 'http'
  | 'offline'

/** A language model's endpoint gave no usable answer. Its `code` is `'language-model'`. */
export class LanguageModelError extends ContrafactError {
  /** What went wrong. */
  readonly reason: LanguageModelFailure
  /** The HTTP status, where there was one. */
  readonly status: number | undefined

  constructor(reason: LanguageModelFailure, lesson: Lesson, status?: number) {
    super('language-model', lesson)
    this.reason = reason
    this.status = status
  }
}

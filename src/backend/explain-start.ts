import type { Candidate } from './candidates.js'

/** Why a backend did not start. */
export interface StartFailure {
  /** In one line. */
  readonly why: string
  /** The next thing to try. */
  readonly mend: string
}

/**
 * Why a backend did not start, and what would make it.
 *
 * @param candidate - what was tried
 * @param error - what it threw
 */
export function explainStart(candidate: Candidate, error: unknown): StartFailure {
  const text = error instanceof Error ? error.message : String(error)
  const code = (error as { code?: string } | null)?.code
  const install = `Install it: ${candidate.install}.`
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(text)?.[1]
  if (missing && (code === undefined || /MODULE_NOT_FOUND/.test(code))) {
    return {
      why: missing === candidate.package ? 'not installed' : `needs ${missing}, which is not installed`,
      mend: install,
    }
  }
  const again = `Remove its folder from node_modules and install it again: ${candidate.install}.`
  for (const [pattern, why] of [
    [
      /NODE_MODULE_VERSION \d+[\s\S]*NODE_MODULE_VERSION \d+/,
      'its addon was built for another version of Node',
    ],
    [/Module did not self-register/, 'its addon was built for another version of Node'],
    [/can not be found at path/, 'its addon was never built'],
    [/libtensorflow\S*: cannot open shared object/, 'its TensorFlow library is missing'],
    [
      /invalid ELF header|file too short|not a mach-o|not a valid Win32|wrong ELF class|undefined symbol/i,
      'its addon is damaged',
    ],
  ] as const) {
    if (pattern.test(text)) return { why: `${why} (${firstLine(text)})`, mend: again }
  }
  if (candidate.backend === 'webgpu') {
    return {
      why: firstLine(text),
      mend: `Install a driver of Vulkan, Metal or Direct3D 12, and the packages: ${candidate.install}.`,
    }
  }
  return { why: firstLine(text), mend: install }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}

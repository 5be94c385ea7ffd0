import { ContrafactError } from '../core/index.js'
import { doctorCommand } from './doctor.js'
import { installCommand } from './install-tensorflow.js'
import type { Terminal } from './terminal.js'

const usage = `contrafact <command>

  doctor [--json]               what runs here, what does not, and how to get it
  install-tensorflow [--gpu] [--remove] [--tensorflow <version>] [--find-links <folder>]
                     [--headers <folder>] [--project <folder>]
                                builds the tensorflow backend from TensorFlow's Python package

Exit codes: 0 done, 1 not done, 2 not understood.`

const commands: Record<string, (argv: string[], terminal: Terminal) => Promise<number>> = {
  doctor: doctorCommand,
  'install-tensorflow': installCommand,
}

/**
 * Runs a command.
 *
 * @param argv - without `node` and the script
 * @param terminal - the process's own streams unless given
 * @returns the exit code
 */
export async function main(argv: readonly string[], terminal: Terminal = streams): Promise<number> {
  const [name = '', ...rest] = argv
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command || rest.includes('--help')) {
    const asked = ['--help', '-h', 'help'].includes(name) || command !== undefined
    ;(asked ? terminal.out : terminal.err)(usage)
    return asked ? 0 : 2
  }
  try {
    return await command(rest, terminal)
  } catch (error) {
    const misspelt = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
    if (!misspelt && !(error instanceof ContrafactError)) throw error
    terminal.err((error as Error).message)
    return misspelt ? 2 : 1
  }
}

const streams: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
}

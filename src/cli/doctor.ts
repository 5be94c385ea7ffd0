import { parseArgs } from 'node:util'
import { probe } from './doctor/probe.js'
import { render } from './doctor/render.js'
import { diagnose } from './doctor/report.js'
import type { Terminal } from './terminal.js'

/**
 * `contrafact doctor`: what runs here, what does not, and how to get it.
 *
 * Every backend is tried in a process of its own, so that one that crashes spoils nothing.
 *
 * @param argv - `--json` for one object on one line
 * @param terminal - gets the page
 * @returns 0 when at least one backend passes a real forward and backward pass, else 1
 */
export async function doctorCommand(argv: string[], terminal: Terminal): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { json: { type: 'boolean' }, probe: { type: 'string' } },
  })
  if (values.probe !== undefined) {
    terminal.out(JSON.stringify(await probe(values.probe)))
    return 0
  }
  const report = await diagnose()
  terminal.out(values.json ? JSON.stringify(report) : render(report))
  return report.ok ? 0 : 1
}

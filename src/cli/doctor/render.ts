import { formatBytes } from '../../core/index.js'
import type { BackendReport } from './probe.js'
import type { DoctorReport } from './report.js'

/** The report as a page for a person. */
export function render(report: DoctorReport): string {
  const { memory, packages } = report
  return [
    `Node ${report.node} on ${report.platform}, ${formatBytes(memory.free)} of ${formatBytes(memory.total)} free`,
    '',
    ...report.backends.flatMap((backend) => [...describe(backend), ...fit(report, backend), '']),
    `Packages: ${Object.entries(packages)
      .map(([name, version]) => `${name} ${version ?? '(none)'}`)
      .join(', ')}`,
    '',
    report.ok
      ? `useBackend() takes ${report.chosen}.`
      : 'No backend passes a forward and a backward pass. Follow one of the lines above.',
  ].join('\n')
}

function describe(report: BackendReport): string[] {
  const {
    backend,
    works,
    why,
    mend,
    device,
    version,
    memoryBudget,
    missingKernels = [],
    passedOver = [],
  } = report
  if (!works) return [`✗ ${backend}: ${why}`, ...(mend ? [`  ${mend}`] : [])]
  const budget = memoryBudget === null ? "the driver's limit" : formatBytes(memoryBudget ?? 0)
  return [
    `✓ ${backend}: ${device}, version ${version}, forward and backward pass right`,
    `  from ${report.package}; may hold ${budget}`,
    ...(missingKernels.length > 0 ? [`  lacks ${missingKernels.join(', ')}`] : []),
    ...passedOver.map((other) => `  passed over ${other.package}: ${other.why}`),
  ]
}

function fit({ models }: DoctorReport, { backend, works }: BackendReport): string[] {
  if (!works) return []
  const largest = models.find(({ fits }) => fits.includes(backend))
  const least = models.at(-1)!
  const verdict = largest
    ? `largest published model that fits: ${largest.model}, an edit takes about ${formatBytes(largest.bytes[backend]!)}`
    : `no Stable Diffusion fits: ${least.model} takes about ${formatBytes(least.bytes[backend]!)}; small models do`
  return [`  ${verdict}`]
}

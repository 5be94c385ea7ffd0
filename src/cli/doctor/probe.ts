import {
  type BackendName,
  missingKernels,
  type PassedOver,
  selfTest,
  useBackend,
} from '../../backend/index.js'
import { ContrafactError } from '../../core/index.js'

/** What was found out about one backend. */
export interface BackendReport {
  /** Its name. */
  readonly backend: string
  /** Whether it passed a forward and a backward pass. */
  readonly works: boolean
  /** The package that carries it, where one does. */
  readonly package?: string
  /** What it runs on. */
  readonly device?: string
  /** Of the library underneath. */
  readonly version?: string
  /** Bytes that it may hold; null where only the driver knows. */
  readonly memoryBudget?: number | null
  /** Kernels that diffusion networks use and that it lacks. */
  readonly missingKernels?: readonly string[]
  /** Why it does not work. */
  readonly why?: string
  /** What would make it work. */
  readonly mend?: string
  /** Packages tried before the one that works. */
  readonly passedOver?: readonly PassedOver[]
}

/** Tries one backend in this process. */
export async function probe(backend: string): Promise<BackendReport> {
  try {
    const choice = await useBackend(backend as BackendName)
    const found = {
      backend,
      package: choice.package,
      device: choice.device.name,
      version: choice.device.version,
      memoryBudget: Number.isFinite(choice.memoryBudget) ? choice.memoryBudget : null,
      missingKernels: missingKernels(),
      passedOver: choice.passedOver,
    }
    try {
      await selfTest()
      return { ...found, works: true }
    } catch (error) {
      return { ...found, works: false, why: messageOf(error), mend: 'Install it again.' }
    }
  } catch (error) {
    if (!(error instanceof ContrafactError)) throw error
    return { backend, works: false, why: error.got, mend: error.mend }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

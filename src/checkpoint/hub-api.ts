import { z } from 'zod'
import { CheckpointError } from '../core/index.js'
import { type HubAccess, hubGet } from './hub-request.js'

/** A file of a repository on the Hub. */
export interface HubFile {
  /** Within the repository, with forward slashes. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** SHA-256 of the content for a large file, git's blob id for a small one. */
  readonly hash: string
}

/** A repository on the Hub at one commit. */
export interface HubListing {
  /** The commit that the revision stands for. */
  readonly commit: string
  /** Every file. */
  readonly files: readonly HubFile[]
}

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`))

const answer = z.object({
  sha: hex(40),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.int().nonnegative(),
      blobId: hex(40),
      lfs: z.object({ sha256: hex(64) }).nullish(),
    }),
  ),
})

/**
 * Lists a model's files at a revision, with sizes and hashes.
 *
 * @param id - `organisation/name`
 * @param revision - a branch, a tag or a commit
 * @param access - address, token, signal
 * @throws CheckpointError when the Hub cannot be reached, refuses, or answers something else
 */
export async function listHubFiles(id: string, revision: string, access: HubAccess): Promise<HubListing> {
  const response = await hubGet(
    `/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`,
    access,
  )
  const parsed = answer.safeParse(await response.json().catch(() => undefined))
  if (!parsed.success)
    throw new CheckpointError({
      rule: `The list of ${id}'s files must be in the form that the Hub documents`,
      got: parsed.error.issues
        .map(({ path, message }) => `${path.join('.')}: ${message}`)
        .slice(0, 3)
        .join('; '),
      mend: 'Check that the endpoint is a Hugging Face Hub.',
    })
  const { sha, siblings } = parsed.data
  return {
    commit: sha,
    files: siblings.map(({ rfilename, size, blobId, lfs }) => ({
      path: rfilename,
      size,
      hash: lfs?.sha256 ?? blobId,
    })),
  }
}

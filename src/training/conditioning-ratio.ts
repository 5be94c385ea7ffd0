import type { TorchRandom } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'
import { type CaptionedLatents, type DiffusionTraining, diffusionLoss } from './diffusion.js'
import { drawNormal } from './draw.js'

/**
 * How much the prompt helps: the loss at one timestep with the captions over the loss with empty ones, on the same
 * noise. 1 means that the model ignores its text, and no guidance scale will make it edit; watch it fall.
 *
 * @param model - as for {@link fitDiffusion}
 * @param named - the weights, borrowed
 * @param held - captioned latents that were not trained on; borrowed
 * @param timestep - 800 is where a small model's text matters most
 * @param random - draws the noise
 */
export async function conditioningRatio(
  model: DiffusionTraining,
  named: NamedParameters,
  { latents, captions }: CaptionedLatents,
  timestep: number,
  random: TorchRandom,
): Promise<number> {
  const noise = drawNormal(random, latents.shape)
  const timesteps = captions.map(() => timestep)
  const lossFor = async (prompts: string[]) => {
    const loss = diffusionLoss(model, named, { latents, noise, prompts, timesteps })
    const [value] = await loss.data()
    loss.dispose()
    return value!
  }
  try {
    return (await lossFor([...captions])) / (await lossFor(captions.map(() => '')))
  } finally {
    noise.dispose()
  }
}

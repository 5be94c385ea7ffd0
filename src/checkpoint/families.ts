import { CheckpointError } from '../core/index.js'

// Pipelines that share a name's beginning with Stable Diffusion but not its networks, first match wins.
const classFamilies: readonly (readonly [RegExp, string])[] = [
  [/^StableDiffusionXL|^SDXL/, 'Stable Diffusion XL'],
  [/^StableDiffusion3/, 'Stable Diffusion 3'],
  [/^StableDiffusion(Latent)?Upscale/, 'a Stable Diffusion upscaler'],
  [/^StableDiffusionDepth2Img/, 'Stable Diffusion with depth'],
  [/^StableDiffusionGLIGEN/, 'GLIGEN'],
  [/^StableUnCLIP|^UnCLIP/, 'unCLIP'],
  [/^StableVideoDiffusion|^TextToVideo|^AnimateDiff/, 'a video model'],
  [/^StableCascade|^Wuerstchen/, 'Stable Cascade'],
  [/^Flux/, 'Flux'],
  [/^PixArt/, 'PixArt'],
  [/^Sana/, 'Sana'],
  [/^HunyuanDiT/, 'Hunyuan-DiT'],
  [/^Kandinsky/, 'Kandinsky'],
  [/^IF[A-Z]/, 'DeepFloyd IF'],
]

// Components that only other families have.
const componentFamilies: Readonly<Record<string, string>> = {
  text_encoder_2: 'Stable Diffusion XL or 3',
  text_encoder_3: 'Stable Diffusion 3',
  transformer: 'a diffusion transformer (Stable Diffusion 3, Flux, PixArt, ...)',
  low_res_scheduler: 'a Stable Diffusion upscaler',
  depth_estimator: 'Stable Diffusion with depth',
  image_normalizer: 'unCLIP',
  prior: 'a model with a prior (unCLIP, Kandinsky, Stable Cascade)',
  movq: 'Kandinsky',
  vqvae: 'an unconditional latent diffusion model',
}

// The classes that this library has, for the components that carry weights.
const componentClasses: Readonly<Record<string, readonly string[]>> = {
  unet: ['UNet2DConditionModel'],
  vae: ['AutoencoderKL'],
  text_encoder: ['CLIPTextModel', 'CLIPTextModelWithProjection'],
}

/**
 * Refuses a pipeline that is not Stable Diffusion 1.x or 2.x, by the family's name.
 *
 * @param path - the folder, named in the error
 * @param pipeline - `_class_name` of model_index.json
 * @param components - its components' classes
 * @throws CheckpointError
 */
export function refuseOtherFamilies(
  path: string,
  pipeline: string,
  components: ReadonlyMap<string, { readonly className: string }>,
): void {
  const byClass = classFamilies.find(([pattern]) => pattern.test(pipeline))?.[1]
  const foreign = Object.keys(componentFamilies).find((component) => components.has(component))
  const family = byClass ?? (foreign && componentFamilies[foreign])
  if (family) throw unsupported(path, `${pipeline}${byClass ? '' : ` with ${foreign}`}, which is ${family}`)
  for (const [component, classes] of Object.entries(componentClasses)) {
    const className = components.get(component)?.className
    if (className !== undefined && !classes.includes(className))
      throw unsupported(path, `${pipeline} whose ${component} is ${className}, where ${classes[0]} was due`)
  }
}

function unsupported(path: string, got: string): CheckpointError {
  return new CheckpointError({
    rule: 'Models of Stable Diffusion 1.x and 2.x are supported',
    got: `${path}: ${got}`,
    mend: 'Use a folder of Stable Diffusion 1.4, 1.5, 2.0 or 2.1, or one fine-tuned from them.',
  })
}

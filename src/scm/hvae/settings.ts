/** A hierarchical VAE's architecture, under causal-gen's names for its hyper-parameters. */
export interface HvaeConfig {
  /** `'64b3d2,32b2d2,…'`: at 64², three blocks and one that halves the size by average pooling, and so on. */
  readonly enc_arch: string
  /** `'1b2,4b3,…'`: two blocks at 1², three at 4², and so on, upwards. */
  readonly dec_arch: string
  /** Channels of each resolution, the finest first. */
  readonly widths: readonly number[]
  /** Inner width of a block is its input's over this. */
  readonly bottleneck: number
  /** Channels of every latent. */
  readonly z_dim: number
  /** Blocks above this resolution are deterministic. */
  readonly z_max_res: number
  /** Up to this resolution, upsampling adds a learnt bias. */
  readonly bias_max_res: number
  /** Height and width of a picture. */
  readonly input_res: number
  /** 1, or 3 with channels that depend on each other. */
  readonly input_channels: 1 | 3
  /** Width of the joined parents. */
  readonly context_dim: number
  /** True: the latents are mediators, `p(z | pa)`; false: they are exogenous, `p(z)`. */
  readonly cond_prior: boolean
  /** True: each prior sees the posterior's path above it. */
  readonly q_correction: boolean
  /** Which of the likelihood's deviations are learnt, where `std_init` is positive. */
  readonly x_like: 'fixed_dgauss' | 'shared_dgauss' | 'diag_dgauss'
  /** Initial deviation of a pixel, of 2; 0 starts from random weights. */
  readonly std_init: number
  /** Nats per latent channel below which the divergence is not pressed. */
  readonly kl_free_bits: number
  /** `'light'`: ReLU and two 3 × 3 convolutions in place of GELU and four convolutions. */
  readonly vr: 'light' | null
}

/** A convolution, its batch norm and a ReLU: name, output channels, kernel, and how it moves. */
export type ConvStep = readonly [
  name: string,
  out: number,
  height: number,
  width: number,
  move?: 'same' | 'valid' | 'half',
]

/** One step of a branch; a fork joins its convolutions' outputs. */
export type Step = ConvStep | 'average' | 'max' | 'shrink' | { readonly fork: readonly ConvStep[] }

/** A block: parallel branches whose outputs are joined along the channels; a stem has one branch. */
export interface Block {
  /** The prefix of its weights; empty for the stem. */
  readonly name: string
  /** From first to last in the joined channels. */
  readonly branches: readonly (readonly Step[])[]
}

const a = (name: string, pool: number): Block => ({
  name,
  branches: [
    [['branch1x1', 64, 1, 1]],
    [
      ['branch5x5_1', 48, 1, 1],
      ['branch5x5_2', 64, 5, 5],
    ],
    [
      ['branch3x3dbl_1', 64, 1, 1],
      ['branch3x3dbl_2', 96, 3, 3],
      ['branch3x3dbl_3', 96, 3, 3],
    ],
    ['average', ['branch_pool', pool, 1, 1]],
  ],
})

const c = (name: string, middle: number): Block => ({
  name,
  branches: [
    [['branch1x1', 192, 1, 1]],
    [
      ['branch7x7_1', middle, 1, 1],
      ['branch7x7_2', middle, 1, 7],
      ['branch7x7_3', 192, 7, 1],
    ],
    [
      ['branch7x7dbl_1', middle, 1, 1],
      ['branch7x7dbl_2', middle, 7, 1],
      ['branch7x7dbl_3', middle, 1, 7],
      ['branch7x7dbl_4', middle, 7, 1],
      ['branch7x7dbl_5', 192, 1, 7],
    ],
    ['average', ['branch_pool', 192, 1, 1]],
  ],
})

const fork = (name: string): Step => ({
  fork: [
    [`${name}a`, 384, 1, 3],
    [`${name}b`, 384, 3, 1],
  ],
})

const e = (name: string, pool: 'average' | 'max'): Block => ({
  name,
  branches: [
    [['branch1x1', 320, 1, 1]],
    [['branch3x3_1', 384, 1, 1], fork('branch3x3_2')],
    [['branch3x3dbl_1', 448, 1, 1], ['branch3x3dbl_2', 384, 3, 3], fork('branch3x3dbl_3')],
    [pool, ['branch_pool', 192, 1, 1]],
  ],
})

/**
 * The network of 2015-12-05 that FID is computed with. It differs from the Inception v3 of image classifiers in two
 * points: average pools do not count the padding, and the last block pools by maximum.
 */
export const inceptionBlocks: readonly Block[] = [
  {
    name: '',
    branches: [
      [
        ['Conv2d_1a_3x3', 32, 3, 3, 'half'],
        ['Conv2d_2a_3x3', 32, 3, 3, 'valid'],
        ['Conv2d_2b_3x3', 64, 3, 3],
        'shrink',
        ['Conv2d_3b_1x1', 80, 1, 1],
        ['Conv2d_4a_3x3', 192, 3, 3, 'valid'],
        'shrink',
      ],
    ],
  },
  a('Mixed_5b', 32),
  a('Mixed_5c', 64),
  a('Mixed_5d', 64),
  {
    name: 'Mixed_6a',
    branches: [
      [['branch3x3', 384, 3, 3, 'half']],
      [
        ['branch3x3dbl_1', 64, 1, 1],
        ['branch3x3dbl_2', 96, 3, 3],
        ['branch3x3dbl_3', 96, 3, 3, 'half'],
      ],
      ['shrink'],
    ],
  },
  c('Mixed_6b', 128),
  c('Mixed_6c', 160),
  c('Mixed_6d', 160),
  c('Mixed_6e', 192),
  {
    name: 'Mixed_7a',
    branches: [
      [
        ['branch3x3_1', 192, 1, 1],
        ['branch3x3_2', 320, 3, 3, 'half'],
      ],
      [
        ['branch7x7x3_1', 192, 1, 1],
        ['branch7x7x3_2', 192, 1, 7],
        ['branch7x7x3_3', 192, 7, 1],
        ['branch7x7x3_4', 192, 3, 3, 'half'],
      ],
      ['shrink'],
    ],
  },
  e('Mixed_7b', 'average'),
  e('Mixed_7c', 'max'),
]

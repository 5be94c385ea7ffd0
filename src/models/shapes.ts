/** Names of a model's tensors to their shapes as PyTorch stores them. */
export type ParameterShapes = ReadonlyMap<string, readonly number[]>

/** Collects the names and shapes of one module tree, one layer at a time. */
export interface ShapeList {
  /** A norm's scale and shift. */
  norm(name: string, channels: number): void
  /** A linear layer, `[out, in]`. */
  linear(name: string, inputs: number, outputs: number, bias?: boolean): void
  /** A square convolution, `[out, in, kernel, kernel]`. */
  conv(name: string, inputs: number, outputs: number, kernel?: number, bias?: boolean): void
  /** Any other tensor. */
  tensor(name: string, shape: readonly number[]): void
  /** The names and shapes so far. */
  readonly shapes: ParameterShapes
}

/** An empty {@link ShapeList}. */
export function shapeList(): ShapeList {
  const shapes = new Map<string, readonly number[]>()
  const tensor = (name: string, shape: readonly number[]) => void shapes.set(name, shape)
  const weighted = (name: string, shape: readonly number[], bias: boolean) => {
    tensor(`${name}.weight`, shape)
    if (bias) tensor(`${name}.bias`, [shape[0]!])
  }
  return {
    shapes,
    tensor,
    norm: (name, channels) => weighted(name, [channels], true),
    linear: (name, inputs, outputs, bias = true) => weighted(name, [outputs, inputs], bias),
    conv: (name, inputs, outputs, kernel = 3, bias = true) =>
      weighted(name, [outputs, inputs, kernel, kernel], bias),
  }
}

/** A residual block's tensors; `time` is the width of the time embedding, 0 for none. */
export function resnetShapes(
  list: ShapeList,
  name: string,
  inputs: number,
  outputs: number,
  time: number,
): void {
  list.norm(`${name}.norm1`, inputs)
  list.conv(`${name}.conv1`, inputs, outputs)
  if (time > 0) list.linear(`${name}.time_emb_proj`, time, outputs)
  list.norm(`${name}.norm2`, outputs)
  list.conv(`${name}.conv2`, outputs, outputs)
  if (inputs !== outputs) list.conv(`${name}.conv_shortcut`, inputs, outputs, 1)
}

/** The quantizers and the quantized layer as the Zig training kernels compute them. */
import type { CpuLevel } from "../../src/native/kernels.ts";
import { type LinearShape, TrainingBuffer, TrainingKernels } from "../../src/native/training-kernels.ts";
import type { Matrix, QuantizerSettings } from "./quantizer-cases.ts";
import type { LayerOperations } from "./quantizer-vectors.ts";

/** Calls `use` with the operations on one level, which are gone afterwards. */
export function withNativeLayer<T>(cpu_level: CpuLevel, use: (operations: LayerOperations) => T): T {
  const kernels = TrainingKernels.create({ cpu_level, thread_count: 1 });
  const buffers: TrainingBuffer[] = [];
  const buffer = (count: number) => {
    const made = TrainingBuffer.allocate(count);
    buffers.push(made);
    return made;
  };
  const filled = ({ values }: Matrix) => {
    const made = buffer(values.length);
    made.values.set(values);
    return made;
  };
  const effective = (weight: Matrix, settings: QuantizerSettings, lambda: number) => {
    const { rows: out_features, columns: in_features } = weight;
    const result = buffer(weight.values.length);
    kernels.fakeQuantize(result, filled(weight), { out_features, in_features }, settings, lambda);
    return result;
  };
  try {
    return use({
      effectiveWeight: (weight, settings, lambda) => effective(weight, settings, lambda).values.slice(),
      layer(weight, settings, lambda, input, output_gradient) {
        const shape: LinearShape = {
          tokens: input.rows,
          out_features: weight.rows,
          in_features: weight.columns,
        };
        const quantized = effective(weight, settings, lambda);
        const [x, dy] = [filled(input), filled(output_gradient)];
        const [y, dx, dw] = [dy.count, x.count, quantized.count].map(buffer) as [
          TrainingBuffer,
          TrainingBuffer,
          TrainingBuffer,
        ];
        kernels.linearForward(y, x, quantized, shape);
        kernels.linearBackwardInput(dx, dy, quantized, shape, false);
        kernels.linearBackwardWeight(dw, dy, x, shape, 1 + lambda);
        return {
          output: y.values.slice(),
          input_gradient: dx.values.slice(),
          weight_gradient: dw.values.slice(),
        };
      },
    });
  } finally {
    for (const made of buffers) made.free();
    kernels.close();
  }
}

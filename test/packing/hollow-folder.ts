/** Checkpoints of hundreds of megabytes that take no time to make and no place on the disk. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { TINY_CONFIG, writeFolder } from "./checkpoint-folder.ts";

/**
 * A llama of `layers` layers in bf16 whose file is a hole on the disk but for its header: hundreds of megabytes to read
 * that cost nothing to make. All weights are zero, which is on the grid; with `off_grid` the last one of each tensor is
 * 1, which is not, and is noticed last.
 */
export function writeHollowFolder(
  folder: string,
  layers: number,
  off_grid = false,
): { folder: string; bytes: number } {
  const config = {
    ...TINY_CONFIG,
    ...{ hidden_size: 2048, intermediate_size: 8192, num_hidden_layers: layers, num_attention_heads: 32 },
    ...{ num_key_value_heads: 8, head_dim: 64, vocab_size: 8192 },
  };
  writeFolder(folder, { config, tensors: new Map() });
  const shapes: [string, number[]][] = [["model.embed_tokens.weight", [8192, 2048]]];
  for (let layer = 0; layer < layers; layer += 1) {
    const prefix = `model.layers.${layer}`;
    shapes.push(
      [`${prefix}.input_layernorm.weight`, [2048]],
      [`${prefix}.self_attn.q_proj.weight`, [2048, 2048]],
      [`${prefix}.self_attn.k_proj.weight`, [512, 2048]],
      [`${prefix}.self_attn.v_proj.weight`, [512, 2048]],
      [`${prefix}.self_attn.o_proj.weight`, [2048, 2048]],
      [`${prefix}.post_attention_layernorm.weight`, [2048]],
      [`${prefix}.mlp.gate_proj.weight`, [8192, 2048]],
      [`${prefix}.mlp.up_proj.weight`, [8192, 2048]],
      [`${prefix}.mlp.down_proj.weight`, [2048, 8192]],
    );
  }
  shapes.push(["model.norm.weight", [2048]]);
  let end = 0;
  const data_ends: number[] = [];
  const entries = shapes.map(([name, shape]) => {
    const begin = end;
    end += 2 * shape.reduce((product, size) => product * size, 1);
    data_ends.push(end);
    return [name, { dtype: "BF16", shape, data_offsets: [begin, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const descriptor = openSync(`${folder}/model.safetensors`, "w");
  writeSync(descriptor, Buffer.concat([length, header]));
  ftruncateSync(descriptor, 8 + header.length + end);
  if (off_grid) {
    const one = Uint8Array.of(0x80, 0x3f);
    for (const data_end of data_ends) writeSync(descriptor, one, 0, 2, 8 + header.length + data_end - 2);
  }
  closeSync(descriptor);
  return { folder, bytes: end };
}
